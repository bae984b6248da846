// What the readers of all call forms share: a cursor over the text, values, and errors with line
// and column; internal to this layer.
//
//     class Parser : private CallReader { ... SLIPWAY_TRY(value, parse_value(0)); ... };
//
// Belongs to one thread. Values are those of docs/format/call.md: JSON is a subset of them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "json/value.h"

namespace slipway::skill {

inline constexpr size_t max_read_calls = 16;
inline constexpr size_t max_read_arguments = 64;

class CallReader {
 public:
  explicit CallReader(std::string_view text) : text_(text), end_(text.size()) {}
  // UTF-8 of at most 64 KiB.
  static Status check_text(std::string_view text);

 protected:
  bool done() const { return at_ >= end_; }
  char peek() const { return done() ? '\0' : text_[at_]; }
  bool at(std::string_view what) const { return text_.substr(at_, end_ - at_).starts_with(what); }
  bool take(std::string_view what);
  void skip_space();

  std::string place() const;  // "call, line 1, column 7: "
  std::string found() const;
  Error expected(const std::string& what) const;

  // Models like to wrap what they write in ``` lines; one such pair around everything is ignored.
  Status strip_fence();
  Result<std::string> name(const std::string& what);
  // The function's name, with dots.
  Result<std::string> function_name();

  Result<json::Value> parse_value(int depth);
  Result<std::string> parse_string();

  std::string_view text_;
  size_t at_ = 0;
  size_t end_;
  // A mark on both sides of a text, instead of quotes; empty: none.
  std::string_view text_mark_;

 private:
  Result<json::Value> parse_word();
  Result<json::Value> parse_number();
  Result<json::Value> number_value(std::string_view digits, bool whole) const;
  Result<json::Value> parse_array(int depth);
  Result<json::Value> parse_object(int depth);
  Result<std::string> parse_marked();
  Status parse_member(json::Value& object, int depth);
  Status parse_escape(std::string& out);
  Status parse_unicode(std::string& out);
  Result<unsigned> four_hex();
  Status digits();
  json::Value closed_value(json::Value value);
};

// Bytes that the names of functions, arguments and keys are made of.
bool is_space(char c);
bool is_name_start(char c);
bool is_name_byte(char c);

}  // namespace slipway::skill
