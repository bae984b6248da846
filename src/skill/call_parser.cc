// A recursive-descent reader of the call language; docs/format/call.md is its grammar.
#include <charconv>
#include <cmath>

#include "base/text.h"
#include "skill/call.h"

namespace slipway::skill {
namespace {

constexpr size_t max_text_bytes = 64 << 10;
constexpr size_t max_calls = 16;
constexpr size_t max_arguments = 64;
constexpr int max_depth = 16;

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_name_byte(char c) { return is_name_start(c) || is_digit(c) || c == '-'; }

void append_utf8(std::string& out, unsigned code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0 | (code >> 6));
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xe0 | (code >> 12));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else {
    out += static_cast<char>(0xf0 | (code >> 18));
    out += static_cast<char>(0x80 | ((code >> 12) & 0x3f));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  }
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text), end_(text.size()) {}

  Result<std::vector<Call>> parse() {
    skip_space();
    SLIPWAY_CHECK(strip_fence());
    skip_space();
    std::vector<Call> calls;
    for (;;) {
      if (calls.size() == max_calls)
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
  bool done() const { return at_ >= end_; }
  char peek() const { return done() ? '\0' : text_[at_]; }
  void skip_space() {
    while (!done() && is_space(text_[at_])) ++at_;
  }

  std::string place() const {
    const auto position = position_at(text_, at_);
    return "call, line " + std::to_string(position.line) + ", column " +
           std::to_string(position.column) + ": ";
  }
  std::string found() const {
    if (done()) return "the end of the text";
    size_t stop = at_ + 1;
    while (stop < end_ && (static_cast<unsigned char>(text_[stop]) & 0xc0) == 0x80) ++stop;
    const auto byte = static_cast<unsigned char>(text_[at_]);
    if (byte < 0x20 || byte == 0x7f) return "control character " + std::to_string(byte);
    return "'" + std::string(text_.substr(at_, stop - at_)) + "'";
  }
  Error expected(const std::string& what) const {
    return Error::invalid_input(place() + "expected " + what + ", found " + found());
  }

  // Models like to wrap what they write in ``` lines; one such pair around everything is ignored.
  Status strip_fence() {
    if (!text_.substr(at_, end_ - at_).starts_with("```")) return Status::success();
    const auto line_end = text_.find('\n', at_);
    const auto close = text_.rfind("```");
    const bool closed = line_end != std::string_view::npos && close > line_end &&
                        trim(text_.substr(close + 3)).empty();
    if (!closed) return Error::invalid_input(place() + "the code fence ``` is not closed");
    for (size_t i = at_ + 3; i < line_end; ++i) {
      if (!is_name_byte(text_[i]) && !is_space(text_[i])) {
        at_ = i;
        return expected("the end of the line after ```");
      }
    }
    at_ = line_end + 1;
    end_ = close;
    return Status::success();
  }

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

  Result<std::string> name(const std::string& what) {
    if (!is_name_start(peek())) return expected(what);
    const size_t start = at_;
    while (is_name_byte(peek())) ++at_;
    return std::string(text_.substr(start, at_ - start));
  }

  Result<Call> parse_call() {
    Call call;
    SLIPWAY_TRY(first, name("a function name"));
    call.function = std::move(first);
    while (peek() == '.') {
      ++at_;
      SLIPWAY_TRY(part, name("a name after '.'"));
      call.function += "." + part;
    }
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
    if (call.arguments.size() == max_arguments)
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

  Result<json::Value> parse_value(int depth) {
    if (depth > max_depth) return Error::exhausted(place() + "values may nest 16 deep");
    const char c = peek();
    if (c == '\'' || c == '"') {
      SLIPWAY_TRY(text, parse_string());
      return json::Value(std::move(text));
    }
    if (c == '-' || is_digit(c)) return parse_number();
    if (c == '[') return parse_array(depth);
    if (c == '{') return parse_object(depth);
    if (is_name_start(c)) return parse_word();
    return expected("a value (a quoted string, a number, true, false, null, [list] or {object})");
  }

  Result<json::Value> parse_word() {
    const size_t start = at_;
    while (is_name_byte(peek())) ++at_;
    const auto word = text_.substr(start, at_ - start);
    if (word == "true" || word == "True") return json::Value(true);
    if (word == "false" || word == "False") return json::Value(false);
    if (word == "null" || word == "None") return json::Value();
    at_ = start;
    return Error::invalid_input(
        place() + "expected a value, found the bare word '" + std::string(word.substr(0, 40)) + "'",
        "put text in quotes");
  }

  Status digits() {
    if (!is_digit(peek())) return expected("a digit");
    while (is_digit(peek())) ++at_;
    return Status::success();
  }

  Result<json::Value> parse_number() {
    const size_t start = at_;
    bool whole = true;
    if (peek() == '-') ++at_;
    const size_t first = at_;
    SLIPWAY_CHECK(digits());
    if (text_[first] == '0' && at_ - first > 1) {
      at_ = first;
      return Error::invalid_input(place() + "a number has no leading zero", "put text in quotes");
    }
    if (peek() == '.') {
      whole = false;
      ++at_;
      SLIPWAY_CHECK(digits());
    }
    if (peek() == 'e' || peek() == 'E') {
      whole = false;
      ++at_;
      if (peek() == '+' || peek() == '-') ++at_;
      SLIPWAY_CHECK(digits());
    }
    if (is_name_byte(peek())) return expected("the end of the number");
    return number_value(text_.substr(start, at_ - start), whole);
  }

  Result<json::Value> number_value(std::string_view digits, bool whole) const {
    const char* stop = digits.data() + digits.size();
    int64_t integer = 0;
    if (whole && std::from_chars(digits.data(), stop, integer).ec == std::errc{})
      return json::Value(integer);
    double number = 0;
    const auto read = std::from_chars(digits.data(), stop, number);
    if (read.ec != std::errc{} || !std::isfinite(number)) {
      return Error::invalid_input(place() + "the number is out of range");
    }
    return json::Value(number);
  }

  Result<std::string> parse_string() {
    const char quote = text_[at_++];
    std::string out;
    for (;;) {
      if (done()) return expected(std::string("the closing ") + quote);
      const char c = text_[at_];
      if (c == quote) break;
      if (c == '\\') {
        SLIPWAY_CHECK(parse_escape(out));
        continue;
      }
      if (static_cast<unsigned char>(c) < 0x20 && c != '\t') {
        return expected(std::string("the closing ") + quote +
                        " (a line break inside is written \\n)");
      }
      out += c;
      ++at_;
    }
    ++at_;
    return out;
  }

  Status parse_escape(std::string& out) {
    ++at_;
    const char c = peek();
    switch (c) {
      case 'n': out += '\n'; break;
      case 't': out += '\t'; break;
      case 'r': out += '\r'; break;
      case '\\':
      case '\'':
      case '"':
      case '/': out += c; break;
      case 'u': return parse_unicode(out);
      default: return expected("n, t, r, u, a quote or \\ after the backslash");
    }
    ++at_;
    return Status::success();
  }

  Result<unsigned> four_hex() {
    unsigned code = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      const char c = peek();
      const int digit = is_digit(c)            ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;
      if (digit < 0) return expected("four hexadecimal digits after \\u");
      code = code * 16 + static_cast<unsigned>(digit);
    }
    return code;
  }

  Status parse_unicode(std::string& out) {
    const size_t start = at_ - 1;
    ++at_;
    SLIPWAY_TRY(code, four_hex());
    if (code >= 0xd800 && code <= 0xdbff && text_.substr(at_, end_ - at_).starts_with("\\u")) {
      at_ += 2;
      SLIPWAY_TRY(low, four_hex());
      if (low >= 0xdc00 && low <= 0xdfff) {
        append_utf8(out, 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00));
        return Status::success();
      }
    }
    if (code >= 0xd800 && code <= 0xdfff) {
      at_ = start;
      return Error::invalid_input(place() + "half a surrogate pair");
    }
    append_utf8(out, code);
    return Status::success();
  }

  Result<json::Value> parse_array(int depth) {
    ++at_;
    auto array = json::Value::array();
    skip_space();
    if (peek() == ']') return closed_value(std::move(array));
    for (;;) {
      SLIPWAY_TRY(item, parse_value(depth + 1));
      array.push_back(std::move(item));
      skip_space();
      if (peek() == ']') return closed_value(std::move(array));
      if (peek() != ',') return expected("',' or ']'");
      ++at_;
      skip_space();
    }
  }

  json::Value closed_value(json::Value value) {
    ++at_;
    return value;
  }

  Result<json::Value> parse_object(int depth) {
    ++at_;
    auto object = json::Value::object();
    skip_space();
    if (peek() == '}') return closed_value(std::move(object));
    for (;;) {
      SLIPWAY_CHECK(parse_member(object, depth));
      skip_space();
      if (peek() == '}') return closed_value(std::move(object));
      if (peek() != ',') return expected("',' or '}'");
      ++at_;
      skip_space();
    }
  }

  Status parse_member(json::Value& object, int depth) {
    const size_t start = at_;
    const bool quoted = peek() == '\'' || peek() == '"';
    SLIPWAY_TRY(key, quoted ? parse_string() : name("a key"));
    if (object.get(key)) {
      at_ = start;
      return Error::invalid_input(place() + "key '" + key + "' is given twice");
    }
    if (object.size() >= 1024)
      return Error::exhausted(place() + "more than 1024 members in an object");
    skip_space();
    if (peek() != ':') return expected("':' after the key");
    ++at_;
    skip_space();
    SLIPWAY_TRY(value, parse_value(depth + 1));
    object.set(key, std::move(value));
    return Status::success();
  }

  std::string_view text_;
  size_t at_ = 0;
  size_t end_;
};

}  // namespace

Result<std::vector<Call>> parse_calls(std::string_view text) {
  if (text.size() > max_text_bytes) return Error::exhausted("a text of calls may have 64 KiB");
  if (!is_valid_utf8(text)) return Error::invalid_input("call: the text is not valid UTF-8");
  return Parser(text).parse();
}

}  // namespace slipway::skill
