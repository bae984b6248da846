// A recursive-descent reader of the call language; docs/format/call.md is its grammar.
#include "base/text.h"
#include "skill/call.h"
#include "skill/call_reader.h"

namespace slipway::skill {
namespace {

class Parser : private CallReader {
 public:
  explicit Parser(std::string_view text) : CallReader(text) {}

  Result<std::vector<Call>> parse() {
    skip_space();
    SLIPWAY_CHECK(strip_fence());
    skip_space();
    std::vector<Call> calls;
    for (;;) {
      if (calls.size() == max_read_calls)
        return Error::exhausted(place() + "more than 16 calls in one answer");
      const size_t start = at_;
      SLIPWAY_TRY(call, parse_call());
      calls.push_back(std::move(call));
      if (calls.back().function == "none") return no_call(calls, start);
      SLIPWAY_TRY(more, separator());
      if (!more) return calls;
    }
  }

 private:
  Result<std::vector<Call>> no_call(const std::vector<Call>& calls, size_t start) {
    skip_space();
    if (calls.size() > 1 || !done() || !calls.back().arguments.empty()) {
      at_ = start;
      return Error::invalid_input(place() + "none() stands alone and takes no arguments");
    }
    return std::vector<Call>{};
  }

  // True when another call follows.
  Result<bool> separator() {
    bool separated = false;
    while (!done() && is_space(peek())) separated |= text_[at_++] == '\n';
    if (done()) return false;
    if (peek() == ';' || peek() == ',') {
      ++at_;
      skip_space();
      return true;
    }
    if (!separated) return expected("a new line, ';' or ',' between calls");
    return true;
  }

  Result<Call> parse_call() {
    Call call;
    SLIPWAY_TRY(function, function_name());
    call.function = std::move(function);
    skip_space();
    if (peek() != '(') return expected("'(' after the function's name");
    ++at_;
    skip_space();
    if (peek() == ')') return closed(std::move(call));
    for (;;) {
      SLIPWAY_CHECK(parse_argument(call));
      skip_space();
      if (peek() == ')') return closed(std::move(call));
      if (peek() != ',') return expected("',' or ')'");
      ++at_;
      skip_space();
    }
  }

  Call closed(Call call) {
    ++at_;
    return call;
  }

  Status parse_argument(Call& call) {
    if (call.arguments.size() == max_read_arguments)
      return Error::exhausted(place() + "more than 64 arguments");
    const size_t start = at_;
    Argument argument;
    argument.name = keyword();
    if (argument.name.empty() && !call.arguments.empty() && !call.arguments.back().name.empty()) {
      return expected("name=value: no positional argument after a named one");
    }
    for (const auto& earlier : call.arguments) {
      if (argument.name.empty() || earlier.name != argument.name) continue;
      at_ = start;
      return Error::invalid_input(place() + "argument '" + argument.name + "' is given twice");
    }
    SLIPWAY_TRY(value, parse_value(0));
    argument.value = std::move(value);
    call.arguments.push_back(std::move(argument));
    return Status::success();
  }

  // The name before '=', or nothing: then the position is where it was.
  std::string keyword() {
    const size_t start = at_;
    if (!is_name_start(peek())) return {};
    while (is_name_byte(peek())) ++at_;
    std::string word(text_.substr(start, at_ - start));
    skip_space();
    if (peek() == '=') {
      ++at_;
      skip_space();
      return word;
    }
    at_ = start;
    return {};
  }
};

}  // namespace

Result<std::vector<Call>> parse_calls(std::string_view text) {
  SLIPWAY_CHECK(CallReader::check_text(text));
  return Parser(text).parse();
}

}  // namespace slipway::skill
