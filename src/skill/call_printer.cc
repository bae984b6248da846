// Calls and values as canonical text of the call language.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "base/text.h"
#include "skill/call.h"
#include "skill/call_form.h"
#include "skill/call_reader.h"
#include "skill/template.h"

namespace slipway::skill {
namespace {

constexpr std::string_view text_mark = "<escape>";
constexpr int max_depth = 64;  // deeper values cannot come from the parser or a schema

void append_control(std::string& out, unsigned code) {
  char buffer[8];
  std::snprintf(buffer, sizeof buffer, "\\u%04x", code);
  out += buffer;
}

void append_string(std::string& out, std::string_view text) {
  out += '\'';
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto following = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0u;
    if (byte == '\'' || byte == '\\') {
      out += '\\';
      out += text[i];
    } else if (byte == '\n') {
      out += "\\n";
    } else if (byte == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte == 0x7f) {
      append_control(out, byte);
    } else if (byte == 0xc2 && following >= 0x80 && following < 0xa0) {
      // U+0080 to U+009F, in UTF-8.
      append_control(out, following);
      ++i;
    } else {
      out += text[i];
    }
  }
  out += '\'';
}

void append_json_string(std::string& out, std::string_view text) { out += json::quote(text); }

void append_marked(std::string& out, std::string_view text) {
  // Nothing is escaped between the marks, so the text cannot hold one.
  std::string kept(text);
  for (size_t at = 0; (at = kept.find(text_mark, at)) != std::string::npos;)
    kept.erase(at, text_mark.size());
  out += std::string(text_mark) + kept + std::string(text_mark);
}

// How values are written in one form.
struct Style {
  void (*text)(std::string& out, std::string_view text);
  std::string_view comma = ", ", colon = ": ";
  bool bare_keys = false;
};
constexpr Style python_style{append_string};
constexpr Style json_style{append_json_string};
constexpr Style marked_style{append_marked, ",", ":", true};

void append_value(std::string& out, const json::Value& value, const Style& style, int depth);

void append_array(std::string& out, const json::Array& values, const Style& style, int depth) {
  out += '[';
  for (size_t i = 0; i < values.size(); ++i) {
    if (i > 0) out += style.comma;
    append_value(out, values[i], style, depth + 1);
  }
  out += ']';
}

bool is_bare_key(std::string_view key) {
  return !key.empty() && is_name_start(key[0]) && std::all_of(key.begin(), key.end(), is_name_byte);
}

void append_object(std::string& out, const json::Object& members, const Style& style, int depth) {
  out += '{';
  for (size_t i = 0; i < members.size(); ++i) {
    if (i > 0) out += style.comma;
    const auto& key = members[i].first;
    if (style.bare_keys && is_bare_key(key))
      out += key;
    else if (style.bare_keys)
      out += json::quote(key);
    else
      style.text(out, key);
    out += style.colon;
    append_value(out, members[i].second, style, depth + 1);
  }
  out += '}';
}

// Without an exponent where the grammar, which knows none, can write it: 0.0002, not 2e-04.
void append_number(std::string& out, double number) {
  if (std::floor(number) == number && std::abs(number) < 1e15) {
    out += std::to_string(static_cast<int64_t>(number));
    return;
  }
  std::array<char, 32> plain{};
  const auto [end, error] = std::to_chars(plain.data(), plain.data() + plain.size(), number,
                                          std::chars_format::fixed);
  const auto* point = std::find(plain.data(), end, '.');
  const bool fits = error == std::errc() && point != end && end - point - 1 <= max_fraction_digits;
  out += fits ? std::string(plain.data(), end) : json::Value(number).dump();
}

void append_value(std::string& out, const json::Value& value, const Style& style, int depth) {
  if (depth > max_depth) {
    out += "null";
    return;
  }
  switch (value.kind()) {
    case json::Kind::null: out += "null"; break;
    case json::Kind::boolean: out += value.as_bool() ? "true" : "false"; break;
    case json::Kind::integer: out += std::to_string(value.as_integer()); break;
    case json::Kind::number: append_number(out, value.as_number()); break;
    case json::Kind::string: style.text(out, value.as_string()); break;
    case json::Kind::array: append_array(out, value.as_array(), style, depth); break;
    case json::Kind::object: append_object(out, value.as_object(), style, depth); break;
  }
}

bool is_left_out(const Argument& argument, const Function& function) {
  const auto* parameter = function.find(argument.name);
  return parameter && !parameter->required && parameter->default_value &&
         *parameter->default_value == argument.value;
}

const Argument* find_argument(const Call& call, const std::string& name) {
  for (const auto& argument : call.arguments) {
    if (argument.name == name) return &argument;
  }
  return nullptr;
}

// The signature's order; what the signature does not know (an unchecked call) follows as it was
// written.
std::vector<const Argument*> in_order(const Call& call, const Function* function) {
  std::vector<const Argument*> ordered;
  for (const auto& argument : call.arguments) {
    if (!function || !function->find(argument.name)) ordered.push_back(&argument);
  }
  if (!function) return ordered;
  std::vector<const Argument*> known;
  for (const auto& parameter : function->parameters) {
    const auto* argument = find_argument(call, parameter.name);
    if (argument && !is_left_out(*argument, *function)) known.push_back(argument);
  }
  // Positional ones must stay in front to be read back; unknown names go last.
  std::vector<const Argument*> result;
  for (const auto* argument : ordered) {
    if (argument->name.empty()) result.push_back(argument);
  }
  result.insert(result.end(), known.begin(), known.end());
  for (const auto* argument : ordered) {
    if (!argument->name.empty()) result.push_back(argument);
  }
  return result;
}

// {"name": ..., "arguments": {...}}; positional arguments get their names.
std::string print_json_call(const Call& call, const SkillSet& skills, const char* arguments_key) {
  const auto* function = skills.find(call.function);
  auto arguments = json::Value::object();
  size_t position = 0;
  for (const auto* argument : in_order(call, function)) {
    const bool named = !argument->name.empty();
    const auto at = position++;
    const bool known = function && at < function->parameters.size();
    arguments.set(named   ? argument->name
                  : known ? function->parameters[at].name
                          : std::to_string(at),
                  argument->value);
  }
  auto object = json::Value::object();
  object.set("name", call.function).set(arguments_key, std::move(arguments));
  std::string out;
  append_value(out, object, json_style, 0);
  return out;
}

std::string print_marked_call(const Call& call, const SkillSet& skills) {
  auto arguments = json::Value::object();
  for (const auto* argument : in_order(call, skills.find(call.function)))
    arguments.set(argument->name, argument->value);
  std::string out = "<start_function_call>call:" + call.function;
  append_value(out, arguments, marked_style, 0);
  return out + "<end_function_call>";
}

}  // namespace

std::string print_json_value(const json::Value& value) {
  std::string out;
  append_value(out, value, json_style, 0);
  return out;
}

std::string print_form(const std::vector<Call>& calls, const SkillSet& skills, CallForm form) {
  if (form == CallForm::python) return print_calls(calls, skills);
  std::vector<std::string> parts;
  for (const auto& call : calls) {
    switch (form) {
      case CallForm::qwen:
        parts.push_back("<tool_call>\n" + print_json_call(call, skills, "arguments") +
                        "\n</tool_call>");
        break;
      case CallForm::llama3: parts.push_back(print_json_call(call, skills, "parameters")); break;
      case CallForm::mistral: parts.push_back(print_json_call(call, skills, "arguments")); break;
      default: parts.push_back(print_marked_call(call, skills)); break;
    }
  }
  if (parts.empty() || form == CallForm::functiongemma) return join(parts, "");
  if (form == CallForm::mistral) return "[TOOL_CALLS][" + join(parts, ", ") + "]";
  return join(parts, form == CallForm::qwen ? "\n" : "; ");
}

std::string print_value(const json::Value& value) {
  std::string out;
  append_value(out, value, python_style, 0);
  return out;
}

std::string print_call(const Call& call, const SkillSet& skills) {
  std::string out = call.function + "(";
  bool first = true;
  for (const auto* argument : in_order(call, skills.find(call.function))) {
    if (!first) out += ", ";
    first = false;
    if (!argument->name.empty()) out += argument->name + "=";
    append_value(out, argument->value, python_style, 0);
  }
  return out + ")";
}

std::string print_calls(const std::vector<Call>& calls, const SkillSet& skills) {
  if (calls.empty()) return std::string(no_call_text);
  std::string out;
  for (const auto& call : calls) {
    if (!out.empty()) out += '\n';
    out += print_call(call, skills);
  }
  return out;
}

}  // namespace slipway::skill
