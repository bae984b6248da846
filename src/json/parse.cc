// Builds our Value from nlohmann's SAX events, adding what it leaves open: limits, duplicate keys.
#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <unordered_set>

#include "base/text.h"
#include "json/value.h"

namespace slipway::json {
namespace {

constexpr size_t max_depth = 128;
constexpr size_t max_bytes = size_t{256} << 20;
constexpr size_t small_object = 16;  // up to here a linear search beats a hash set

Error error_at(std::string_view text, size_t offset, const std::string& what) {
  const Position at = position_at(text, offset);
  return Error::invalid_input(
      "line " + std::to_string(at.line) + ", column " + std::to_string(at.column) + ": " + what,
      "correct the JSON there");
}

// Counts what the lexer has consumed, so that our own errors have positions as well.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, size_t* count) : at_(at), count_(count) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    ++at_;
    ++*count_;
    return *this;
  }
  CountingIterator operator++(int) {
    CountingIterator old = *this;
    ++*this;
    return old;
  }
  bool operator==(const CountingIterator& other) const { return at_ == other.at_; }
  bool operator!=(const CountingIterator& other) const { return at_ != other.at_; }

 private:
  const char* at_;
  size_t* count_;
};

// "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error ..." without its
// head: ours has the position already, in code points.
std::string plain_message(const char* what) {
  std::string text(what);
  if (const size_t head = text.find("] "); head != std::string::npos) text.erase(0, head + 2);
  if (text.rfind("parse error", 0) == 0) {
    if (const size_t colon = text.find(": "); colon != std::string::npos) text.erase(0, colon + 2);
  }
  // It quotes what was read last, which may end inside a character.
  if (!is_valid_utf8(text)) {
    std::replace_if(
        text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; },
        '?');
  }
  return text;
}

class Builder {  // the functions nlohmann::json_sax asks for
 public:
  Builder(std::string_view text, const size_t& consumed) : text_(text), consumed_(consumed) {}

  bool null() { return add(Value()); }
  bool boolean(bool value) { return add(value); }
  bool number_integer(int64_t value) { return add(value); }
  bool number_unsigned(uint64_t value) { return add(value); }
  bool number_float(double value, const std::string&) { return add(value); }
  bool string(std::string& value) { return add(std::move(value)); }
  bool binary(nlohmann::json::binary_t&) { return false; }  // never in text
  bool start_object(size_t) { return open(Value::object()); }
  bool start_array(size_t) { return open(Value::array()); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }

  bool key(std::string& name) {
    Level& level = levels_.back();
    if (is_duplicate(level, name)) {
      const size_t offset = consumed_ > 0 ? consumed_ - 1 : 0;
      error_ = error_at(text_, offset, "duplicate key " + quote(name));
      return false;
    }
    level.key = std::move(name);
    return true;
  }

  bool parse_error(size_t position, const std::string&, const nlohmann::json::exception& error) {
    error_ = error_at(text_, position > 0 ? position - 1 : 0, plain_message(error.what()));
    return false;
  }

  const std::optional<Error>& error() const { return error_; }
  Value take() { return std::move(root_); }

 private:
  struct Level {
    Value value;
    std::string key;                        // of the member being read
    std::unordered_set<std::string> names;  // filled once the object is no longer small
  };

  static bool is_duplicate(Level& level, const std::string& name) {
    const Object& members = level.value.as_object();
    if (members.size() < small_object) return level.value.get(name) != nullptr;
    if (level.names.empty()) {
      for (const Member& member : members) level.names.insert(member.first);
    }
    return !level.names.insert(name).second;
  }

  bool add(Value value) {
    if (levels_.empty()) {
      root_ = std::move(value);
    } else if (Level& level = levels_.back(); level.value.is_array()) {
      level.value.as_array().push_back(std::move(value));
    } else {
      level.value.as_object().emplace_back(std::move(level.key), std::move(value));
    }
    return true;
  }

  bool open(Value value) {
    if (levels_.size() >= max_depth) {
      const auto where = error_at(text_, consumed_ > 0 ? consumed_ - 1 : 0, "");
      error_ = Error::exhausted(
          where.message() + "JSON nested deeper than " + std::to_string(max_depth) + " levels",
          "flatten it");
      return false;
    }
    levels_.push_back({std::move(value), {}, {}});
    return true;
  }

  bool close() {
    Value done = std::move(levels_.back().value);
    levels_.pop_back();
    return add(std::move(done));
  }

  std::string_view text_;
  const size_t& consumed_;
  std::vector<Level> levels_;
  Value root_;
  std::optional<Error> error_;
};

}  // namespace

Result<Value> parse(std::string_view text) {
  if (text.size() > max_bytes) {
    return Error::exhausted("JSON text of " + std::to_string(text.size()) +
                                " bytes is over the limit of " + std::to_string(max_bytes),
                            "split it, or use JSON Lines");
  }
  // The lexer takes a NUL for the end of input and would ignore what follows.
  if (const size_t nul = text.find('\0'); nul != std::string_view::npos) {
    return error_at(text, nul, "a NUL byte");
  }
  try {
    size_t consumed = 0;
    Builder builder(text, consumed);
    const CountingIterator begin(text.data(), &consumed);
    const CountingIterator end(text.data() + text.size(), &consumed);
    const bool ok = nlohmann::json::sax_parse(begin, end, &builder);
    if (builder.error()) return *builder.error();
    if (!ok) return Error::internal("the JSON parser stopped without a reason");
    return builder.take();
  } catch (const std::exception& error) {
    return Error::exhausted(std::string("JSON parsing failed: ") + error.what(),
                            "free some memory");
  }
}

}  // namespace slipway::json
