// The JSON forms of model families; docs/format/call.md shows them.
#include "skill/call_form.h"

#include <algorithm>
#include <array>

#include "skill/call.h"
#include "skill/call_reader.h"

namespace slipway::skill {
namespace {

constexpr std::array<std::string_view, 5> names = {"python", "qwen", "llama3", "mistral",
                                                   "functiongemma"};

class FormParser : private CallReader {
 public:
  using Calls = std::vector<Call>;
  using CallReader::CallReader;

  Result<Calls> qwen() {
    if (!seek("<tool_call>")) return bare_json();
    while (take("<tool_call>")) {
      skip_space();
      SLIPWAY_CHECK(json_call());
      skip_space();
      // The end of the answer closes the last one: its mark may have been the stop text.
      if (!take("</tool_call>") && !done()) return expected("</tool_call>");
      skip_space();
    }
    return finished("<tool_call>");
  }

  Result<Calls> llama3() {
    skip_space();
    if (!take("<|python_tag|>")) return bare_json();
    skip_space();
    return json_sequence();
  }

  Result<Calls> mistral() {
    if (!seek("[TOOL_CALLS]")) return bare_json();
    while (take("[TOOL_CALLS]")) {
      skip_space();
      if (peek() == '[') {
        SLIPWAY_CHECK(json_list());
      } else {
        SLIPWAY_CHECK(named_call());
      }
      skip_space();
    }
    return finished("[TOOL_CALLS]");
  }

  Result<Calls> functiongemma() {
    text_mark_ = "<escape>";
    if (!seek("<start_function_call>")) return Calls{};
    while (take("<start_function_call>")) {
      skip_space();
      if (!take("call:")) return expected("call:");
      Call call;
      SLIPWAY_TRY(function, function_name());
      call.function = std::move(function);
      skip_space();
      SLIPWAY_TRY(arguments, arguments_object());
      call.arguments = std::move(arguments);
      SLIPWAY_CHECK(add(std::move(call)));
      skip_space();
      if (!take("<end_function_call>") && !done()) return expected("<end_function_call>");
      skip_space();
    }
    return finished("<start_function_call>");
  }

 private:
  // To the first `mark`: what stands before it is said to the person, not a call.
  bool seek(std::string_view mark) {
    const auto found = text_.find(mark);
    if (found == std::string_view::npos) return false;
    at_ = found;
    return true;
  }

  Result<Calls> finished(const std::string& mark) {
    if (!done()) return expected(mark + " or the end of the text");
    return std::move(calls_);
  }

  // Some models forget the marks; other text is no call.
  Result<Calls> bare_json() {
    skip_space();
    if (at("```")) SLIPWAY_CHECK(strip_fence());
    skip_space();
    if (peek() == '[') {
      size_t ahead = at_ + 1;
      while (ahead < end_ && is_space(text_[ahead])) ++ahead;
      if (ahead >= end_ || (text_[ahead] != '{' && text_[ahead] != ']')) return Calls{};
      SLIPWAY_CHECK(json_list());
      skip_space();
      return finished("one list of calls");
    }
    return peek() == '{' ? json_sequence() : Result<Calls>(Calls{});
  }

  // Objects with ";", "," or a new line between them.
  Result<Calls> json_sequence() {
    for (;;) {
      SLIPWAY_CHECK(json_call());
      skip_space();
      if (take(";") || take(",")) skip_space();
      if (done()) return std::move(calls_);
    }
  }

  Status json_list() {
    ++at_;
    skip_space();
    if (take("]")) return Status::success();
    for (;;) {
      SLIPWAY_CHECK(json_call());
      skip_space();
      if (take("]")) return Status::success();
      if (!take(",")) return expected("',' or ']'");
      skip_space();
    }
  }

  // name[ARGS]{...}, as newer Mistral models write it.
  Status named_call() {
    Call call;
    SLIPWAY_TRY(function, function_name());
    call.function = std::move(function);
    if (!take("[ARGS]")) return expected("[ARGS]");
    skip_space();
    SLIPWAY_TRY(arguments, arguments_object());
    call.arguments = std::move(arguments);
    return add(std::move(call));
  }

  // {"name": "f", "arguments": {...}}, either key of the arguments, "id" and "type" aside.
  Status json_call() {
    const size_t start = at_;
    if (peek() != '{') return expected("a call: {\"name\": ..., \"arguments\": {...}}");
    ++at_;
    skip_space();
    Call call;
    bool named = false, given = false;
    for (bool first = true; !take("}"); first = false) {
      if (!first && !take(",")) return expected("',' or '}'");
      skip_space();
      const size_t key_at = at_;
      SLIPWAY_TRY(key, json_key());
      const bool is_arguments = key == "arguments" || key == "parameters";
      if ((key == "name" && named) || (is_arguments && given)) {
        at_ = key_at;
        return Error::invalid_input(place() + "'" + key + "' is given twice");
      }
      if (key == "name") {
        if (peek() != '"' && peek() != '\'') return expected("the function's name in quotes");
        SLIPWAY_TRY(function, parse_string());
        call.function = std::move(function);
        named = true;
      } else if (is_arguments) {
        SLIPWAY_TRY(arguments, arguments_object());
        call.arguments = std::move(arguments);
        given = true;
      } else if (key == "id" || key == "type") {
        SLIPWAY_TRY(ignored, parse_value(1));
      } else {
        at_ = key_at;
        return expected("\"name\" or \"arguments\"");
      }
      skip_space();
    }
    if (!named || call.function.empty()) {
      at_ = start;
      return Error::invalid_input(place() + "this call has no \"name\"");
    }
    return add(std::move(call));
  }

  Result<std::string> json_key() {
    if (peek() != '"' && peek() != '\'') return expected("a key in quotes");
    SLIPWAY_TRY(key, parse_string());
    skip_space();
    if (!take(":")) return expected("':' after the key");
    skip_space();
    return key;
  }

  // An object, or null for none.
  Result<std::vector<Argument>> arguments_object() {
    if (peek() != '{' && !at("null")) return expected("an object of arguments");
    const size_t start = at_;
    SLIPWAY_TRY(value, parse_value(0));
    std::vector<Argument> arguments;
    if (!value.is_object()) return arguments;
    if (value.size() > max_read_arguments) {
      at_ = start;
      return Error::exhausted(place() + "more than 64 arguments");
    }
    for (auto& [name, member] : value.as_object()) {
      if (name.empty()) {
        at_ = start;
        return Error::invalid_input(place() + "an argument has no name");
      }
      arguments.push_back({name, std::move(member)});
    }
    return arguments;
  }

  Status add(Call call) {
    if (calls_.size() == max_read_calls)
      return Error::exhausted(place() + "more than 16 calls in one answer");
    calls_.push_back(std::move(call));
    return Status::success();
  }

  Calls calls_;
};

}  // namespace

std::string_view form_name(CallForm form) { return names[static_cast<size_t>(form)]; }

const std::vector<std::string>& form_names() {
  static const std::vector<std::string> all(names.begin(), names.end());
  return all;
}

std::optional<CallForm> form_named(std::string_view name) {
  const auto at = std::find(names.begin(), names.end(), name);
  if (at == names.end()) return std::nullopt;
  return static_cast<CallForm>(at - names.begin());
}

Result<std::vector<Call>> parse_form(std::string_view text, CallForm form) {
  if (form == CallForm::python) return parse_calls(text);
  SLIPWAY_CHECK(CallReader::check_text(text));
  FormParser parser(text);
  switch (form) {
    case CallForm::qwen: return parser.qwen();
    case CallForm::llama3: return parser.llama3();
    case CallForm::mistral: return parser.mistral();
    default: return parser.functiongemma();
  }
}

}  // namespace slipway::skill
