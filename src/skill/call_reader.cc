#include "skill/call_reader.h"

#include <charconv>
#include <cmath>

#include "base/text.h"

namespace slipway::skill {
namespace {

constexpr size_t max_text_bytes = 64 << 10;
constexpr int max_depth = 16;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

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

// The first byte that is no UTF-8; the text's size when all is.
size_t valid_bytes(std::string_view text) {
  size_t low = 0, high = text.size();
  // A prefix may end inside a character, so up to three bytes of it are given back.
  const auto valid = [&](size_t count) {
    for (size_t back = 0; back < 4 && back <= count; ++back) {
      if (is_valid_utf8(text.substr(0, count - back))) return true;
    }
    return false;
  };
  while (low < high) {
    const size_t middle = low + (high - low + 1) / 2;
    if (valid(middle))
      low = middle;
    else
      high = middle - 1;
  }
  while (low > 0 && !is_valid_utf8(text.substr(0, low))) --low;
  return low;
}

}  // namespace

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_name_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_name_byte(char c) { return is_name_start(c) || is_digit(c) || c == '-'; }

Status CallReader::check_text(std::string_view text) {
  const auto place_at = [&](size_t offset) {
    const auto position = position_at(text, offset);
    return "call, line " + std::to_string(position.line) + ", column " +
           std::to_string(position.column) + ": ";
  };
  if (text.size() > max_text_bytes)
    return Error::exhausted(place_at(max_text_bytes) + "a text of calls may have 64 KiB");
  if (!is_valid_utf8(text))
    return Error::invalid_input(place_at(valid_bytes(text)) + "the text is not valid UTF-8");
  return Status::success();
}

bool CallReader::take(std::string_view what) {
  if (!at(what)) return false;
  at_ += what.size();
  return true;
}

void CallReader::skip_space() {
  while (!done() && is_space(text_[at_])) ++at_;
}

std::string CallReader::place() const {
  const auto position = position_at(text_, at_);
  return "call, line " + std::to_string(position.line) + ", column " +
         std::to_string(position.column) + ": ";
}

std::string CallReader::found() const {
  if (done()) return "the end of the text";
  size_t stop = at_ + 1;
  while (stop < end_ && (static_cast<unsigned char>(text_[stop]) & 0xc0) == 0x80) ++stop;
  const auto byte = static_cast<unsigned char>(text_[at_]);
  if (byte < 0x20 || byte == 0x7f) return "control character " + std::to_string(byte);
  return "'" + std::string(text_.substr(at_, stop - at_)) + "'";
}

Error CallReader::expected(const std::string& what) const {
  return Error::invalid_input(place() + "expected " + what + ", found " + found());
}

// Models like to wrap what they write in ``` lines; one such pair around everything is ignored.
Status CallReader::strip_fence() {
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

Result<std::string> CallReader::name(const std::string& what) {
  if (!is_name_start(peek())) return expected(what);
  const size_t start = at_;
  while (is_name_byte(peek())) ++at_;
  return std::string(text_.substr(start, at_ - start));
}

Result<std::string> CallReader::function_name() {
  SLIPWAY_TRY(function, name("a function name"));
  while (peek() == '.') {
    ++at_;
    SLIPWAY_TRY(part, name("a name after '.'"));
    function += "." + part;
  }
  return function;
}

Result<json::Value> CallReader::parse_value(int depth) {
  if (depth > max_depth) return Error::exhausted(place() + "values may nest 16 deep");
  const char c = peek();
  const bool marked = !text_mark_.empty() && at(text_mark_);
  if (marked || c == '\'' || c == '"') {
    SLIPWAY_TRY(text, marked ? parse_marked() : parse_string());
    return json::Value(std::move(text));
  }
  if (c == '-' || is_digit(c)) return parse_number();
  if (c == '[') return parse_array(depth);
  if (c == '{') return parse_object(depth);
  if (is_name_start(c)) return parse_word();
  return expected("a value (a quoted string, a number, true, false, null, [list] or {object})");
}

Result<json::Value> CallReader::parse_word() {
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

Status CallReader::digits() {
  if (!is_digit(peek())) return expected("a digit");
  while (is_digit(peek())) ++at_;
  return Status::success();
}

Result<json::Value> CallReader::parse_number() {
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

Result<json::Value> CallReader::number_value(std::string_view digits, bool whole) const {
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

// Nothing is escaped between two marks.
Result<std::string> CallReader::parse_marked() {
  at_ += text_mark_.size();
  const auto close = text_.substr(0, end_).find(text_mark_, at_);
  if (close == std::string_view::npos) {
    at_ = end_;
    return expected("the closing " + std::string(text_mark_));
  }
  std::string text(text_.substr(at_, close - at_));
  at_ = close + text_mark_.size();
  return text;
}

Result<std::string> CallReader::parse_string() {
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

Status CallReader::parse_escape(std::string& out) {
  ++at_;
  const char c = peek();
  switch (c) {
    case 'n': out += '\n'; break;
    case 't': out += '\t'; break;
    case 'r': out += '\r'; break;
    case 'b': out += '\b'; break;
    case 'f': out += '\f'; break;
    case '\\':
    case '\'':
    case '"':
    case '/': out += c; break;
    case 'u': return parse_unicode(out);
    default: return expected("n, t, r, b, f, u, a quote or \\ after the backslash");
  }
  ++at_;
  return Status::success();
}

Result<unsigned> CallReader::four_hex() {
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

Status CallReader::parse_unicode(std::string& out) {
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

Result<json::Value> CallReader::parse_array(int depth) {
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

json::Value CallReader::closed_value(json::Value value) {
  ++at_;
  return value;
}

Result<json::Value> CallReader::parse_object(int depth) {
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

Status CallReader::parse_member(json::Value& object, int depth) {
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

}  // namespace slipway::skill
