#include <jinja/lexer.h>
#include <jinja/parser.h>
#include <jinja/runtime.h>

#include <deque>
#include <mutex>

#include "base/text.h"
#include "model/template.h"
#include "model/template_guard.h"

namespace slipway::model {
namespace {

constexpr size_t kMaxSource = 256 << 10;
constexpr size_t kMaxOutput = 1 << 20;
constexpr size_t kMaxRemembered = 32;  // parsed templates
constexpr int kMaxValueDepth = 60;

struct Parsed {
  std::string source;
  jinja::program program;
};

std::string first_line(std::string_view text) {
  while (!text.empty() && text.front() == '\n') text.remove_prefix(1);
  return std::string(text.substr(0, text.find('\n')));
}

// Empty when the first `count` tokens parse.
std::string parse_error(const jinja::lexer_result& lexed, size_t count) {
  jinja::lexer_result part{
      {lexed.tokens.begin(), lexed.tokens.begin() + static_cast<std::ptrdiff_t>(count)},
      lexed.source};
  try {
    jinja::parse_from_tokens(part);
  } catch (const std::exception& e) {
    return first_line(e.what());
  }
  return {};
}

// The parser does not always say where it failed: the shortest beginning that fails in the same way
// ends there.
size_t error_offset(const jinja::lexer_result& lexed, const std::string& message) {
  size_t low = 0;
  size_t high = lexed.tokens.size();
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (parse_error(lexed, middle) == message) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return high == 0 ? 0 : lexed.tokens[high - 1].pos;
}

Error syntax_error(size_t line, std::string_view message) {
  return Error::invalid_input(
      "template line " + std::to_string(line) + ": " + std::string(message),
      "templates are Jinja: {{ value }}, {% for x in list %}...{% endfor %}");
}

// A lexer error quotes up to 40 bytes before the place it means.
size_t quoted_line(std::string_view source, const std::string& what) {
  auto begin = what.find("...");
  auto end = what.rfind("...");
  if (begin == std::string::npos || end <= begin) return position_at(source, source.size()).line;
  std::string quoted;
  auto raw = std::string_view(what).substr(begin + 3, end - begin - 3);
  for (size_t i = 0; i < raw.size(); ++i) {
    bool newline = starts_with(raw.substr(i), "↵");
    quoted += newline ? '\n' : raw[i];
    if (newline) i += std::string_view("↵").size() - 1;
  }
  auto found = source.find(quoted);
  return position_at(source, found == std::string_view::npos
                                 ? source.size()
                                 : found + std::min(quoted.size(), size_t{40}))
      .line;
}

Result<std::shared_ptr<const Parsed>> parse_template(std::string_view source) {
  if (source.size() > kMaxSource) {
    return Error::exhausted("the template has " + std::to_string(source.size()) + " bytes",
                            "at most 262144 are read");
  }
  auto parsed = std::make_shared<Parsed>();
  parsed->source = std::string(source);
  jinja::lexer_result lexed;
  try {
    lexed = jinja::lexer().tokenize(parsed->source);
  } catch (const std::exception& e) {
    return syntax_error(quoted_line(source, e.what()), first_line(e.what()));
  }
  SLIPWAY_CHECK(check_tokens(lexed));
  try {
    parsed->program = jinja::parse_from_tokens(lexed);
  } catch (const std::exception& e) {
    auto message = first_line(e.what());
    if (message == "Unexpected token type") {  // the parser met the end
      return syntax_error(position_at(source, source.size()).line, "a block is not closed");
    }
    return syntax_error(position_at(source, error_offset(lexed, message)).line, message);
  }
  guard_program(parsed->program);
  return std::shared_ptr<const Parsed>(std::move(parsed));
}

Result<std::shared_ptr<const Parsed>> remembered_template(std::string_view source) {
  static std::mutex mutex;
  static std::deque<std::shared_ptr<const Parsed>> recent;  // newest first
  {
    std::lock_guard lock(mutex);
    for (const auto& parsed : recent) {
      if (parsed->source == source) return parsed;
    }
  }
  SLIPWAY_TRY(parsed, parse_template(source));
  std::lock_guard lock(mutex);
  recent.push_front(parsed);
  if (recent.size() > kMaxRemembered) recent.pop_back();
  return parsed;
}

jinja::value to_jinja(const json::Value& v, bool untrusted, int depth) {
  if (depth > kMaxValueDepth)
    throw jinja::rethrown_exception("template limit: a value nested deeper than 60");
  switch (v.kind()) {
    case json::Kind::null:
      return jinja::mk_val<jinja::value_none>();
    case json::Kind::boolean:
      return jinja::mk_val<jinja::value_bool>(v.as_bool());
    case json::Kind::integer:
      return jinja::mk_val<jinja::value_int>(v.as_integer());
    case json::Kind::number:
      return jinja::mk_val<jinja::value_float>(v.as_number());
    case json::Kind::string: {
      auto text = jinja::mk_val<jinja::value_string>(v.as_string());
      if (untrusted) text->mark_input();
      return text;
    }
    case json::Kind::array: {
      auto list = jinja::mk_val<jinja::value_array>();
      for (const auto& item : v.as_array()) list->push_back(to_jinja(item, untrusted, depth + 1));
      return list;
    }
    case json::Kind::object:
      break;
  }
  auto object = jinja::mk_val<jinja::value_object>();
  for (const auto& [key, item] : v.as_object())
    object->insert(key, to_jinja(item, untrusted, depth + 1));
  return object;
}

void set_members(jinja::context& context, const json::Value& values, bool untrusted) {
  if (!values.is_object()) return;
  for (const auto& [key, item] : values.as_object())
    context.set_val(key, to_jinja(item, untrusted, 1));
}

// "While executing X at line 3, column 5 in source: ... Error: why" becomes "template line 3: why".
Error runtime_error(const std::string& what) {
  if (starts_with(what, "template limit: ")) {
    return Error::exhausted(what, "simplify the template or give it less context");
  }
  auto why = what.rfind("Error: ");
  std::string message = first_line(why == std::string::npos ? what : what.substr(why + 7));
  for (std::string_view prefix : {"Jinja Exception: ", "NotImplemented: "}) {
    if (starts_with(message, prefix)) message.erase(0, prefix.size());
  }
  auto at = what.find(" at line ");
  if (at == std::string::npos) return Error::invalid_input("template: " + message);
  auto number = what.substr(at + 9, what.find(',', at) - at - 9);
  return Error::invalid_input("template line " + number + ": " + message);
}

Result<std::vector<TemplatePart>> run(const Parsed& parsed, const json::Value& trusted,
                                      const json::Value& untrusted) {
  TemplateBudget budget;
  BudgetScope scope(budget);
  try {
    jinja::context context(parsed.source);
    set_members(context, trusted, false);
    set_members(context, untrusted, true);
    auto gathered =
        jinja::runtime::gather_string_parts(jinja::runtime(context).execute(parsed.program));
    std::vector<TemplatePart> parts;
    size_t total = 0;
    for (auto& part : gathered->val_str.parts) {
      total += part.val.size();
      if (total > kMaxOutput) {
        return Error::exhausted("the template's output is larger than 1 MiB",
                                "give it less context");
      }
      if (!part.val.empty()) parts.push_back({std::move(part.val), part.is_input});
    }
    return parts;
  } catch (const jinja::rethrown_exception& e) {
    return runtime_error(e.message);
  } catch (const std::exception& e) {
    return runtime_error(e.what());
  }
}

}  // namespace

Result<std::vector<TemplatePart>> render_template_parts(std::string_view source,
                                                        const json::Value& trusted,
                                                        const json::Value& untrusted) {
  SLIPWAY_TRY(parsed, remembered_template(source));
  return run(*parsed, trusted, untrusted);
}

Result<std::string> render_template(std::string_view source, const json::Value& context) {
  SLIPWAY_TRY(parts, render_template_parts(source, context, json::Value::object()));
  std::string text;
  for (const auto& part : parts) text += part.text;
  return text;
}

}  // namespace slipway::model
