// Calls and values as canonical text of the call language.
#include <cmath>
#include <cstdio>

#include "base/text.h"
#include "skill/call.h"
#include "skill/template.h"

namespace slipway::skill {
namespace {

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
    } else if (byte == 0xc2 && following >= 0x80 &&
               following < 0xa0) {  // U+0080 to U+009F, in UTF-8
      append_control(out, following);
      ++i;
    } else {
      out += text[i];
    }
  }
  out += '\'';
}

void append_value(std::string& out, const json::Value& value, int depth);

void append_array(std::string& out, const json::Array& values, int depth) {
  out += '[';
  for (size_t i = 0; i < values.size(); ++i) {
    if (i > 0) out += ", ";
    append_value(out, values[i], depth + 1);
  }
  out += ']';
}

void append_object(std::string& out, const json::Object& members, int depth) {
  out += '{';
  for (size_t i = 0; i < members.size(); ++i) {
    if (i > 0) out += ", ";
    append_string(out, members[i].first);
    out += ": ";
    append_value(out, members[i].second, depth + 1);
  }
  out += '}';
}

void append_number(std::string& out, double number) {
  const bool whole = std::floor(number) == number && std::abs(number) < 1e15;
  out += whole ? std::to_string(static_cast<int64_t>(number)) : json::Value(number).dump();
}

void append_value(std::string& out, const json::Value& value, int depth) {
  if (depth > max_depth) {
    out += "null";
    return;
  }
  switch (value.kind()) {
    case json::Kind::null: out += "null"; break;
    case json::Kind::boolean: out += value.as_bool() ? "true" : "false"; break;
    case json::Kind::integer: out += std::to_string(value.as_integer()); break;
    case json::Kind::number: append_number(out, value.as_number()); break;
    case json::Kind::string: append_string(out, value.as_string()); break;
    case json::Kind::array: append_array(out, value.as_array(), depth); break;
    case json::Kind::object: append_object(out, value.as_object(), depth); break;
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

}  // namespace

std::string print_value(const json::Value& value) {
  std::string out;
  append_value(out, value, 0);
  return out;
}

std::string print_call(const Call& call, const SkillSet& skills) {
  std::string out = call.function + "(";
  bool first = true;
  for (const auto* argument : in_order(call, skills.find(call.function))) {
    if (!first) out += ", ";
    first = false;
    if (!argument->name.empty()) out += argument->name + "=";
    append_value(out, argument->value, 0);
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
