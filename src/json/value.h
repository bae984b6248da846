// JSON (RFC 8259) as our own value type; objects keep the order in which members were added.
//
//     auto v = json::parse(R"({"location": "boston"})");    // Result<json::Value>
//     v->get("location")->as_string();                      // "boston"
//     json::Value o = json::Value::object();  o.set("n", 3);  o.dump();   // {"n":3}
//
// A plain value: copies are deep; const access is thread-safe. Parsing is bounded: depth 128, size
// 256 MiB. Integers outside int64 become doubles.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"

namespace slipway::json {

class Value;
using Array = std::vector<Value>;
using Member = std::pair<std::string, Value>;
using Object = std::vector<Member>;

enum class Kind { null, boolean, integer, number, string, array, object };

class Value {
 public:
  Value() = default;  // null
  Value(std::nullptr_t) {}
  template <std::same_as<bool> T>  // exactly bool: a pointer must not become `true`
  Value(T value) : data_(value) {}
  template <std::integral T>
    requires(!std::same_as<T, bool> && sizeof(T) > 1)  // a char is no number
  Value(T value) : data_(integer(value)) {}
  template <std::floating_point T>
  Value(T value) : data_(static_cast<double>(value)) {}
  Value(const char* value);
  Value(std::string value);
  Value(std::string_view value);
  Value(Array value);
  Value(Object value);
  static Value array() { return Value(Array{}); }
  static Value object() { return Value(Object{}); }

  Kind kind() const;
  bool is_null() const { return kind() == Kind::null; }
  bool is_bool() const { return kind() == Kind::boolean; }
  bool is_integer() const { return kind() == Kind::integer; }
  bool is_number() const { return kind() == Kind::integer || kind() == Kind::number; }
  bool is_string() const { return kind() == Kind::string; }
  bool is_array() const { return kind() == Kind::array; }
  bool is_object() const { return kind() == Kind::object; }

  // The caller has checked the kind (asserted in debug, the kind's empty value in release);
  // as_number takes integers too.
  bool as_bool() const;
  int64_t as_integer() const;
  double as_number() const;
  const std::string& as_string() const;
  const Array& as_array() const;
  const Object& as_object() const;
  Array& as_array();
  Object& as_object();

  // Object members. `get` returns nullptr when absent or when this is no object.
  const Value* get(std::string_view key) const;
  Value* get(std::string_view key);
  // Adds or replaces; null becomes an object; returns *this.
  Value& set(std::string_view key, Value value);
  bool erase(std::string_view key);
  // The member's text / number / flag, or `otherwise` when absent or of another kind.
  std::string text(std::string_view key, std::string_view otherwise = {}) const;
  double number(std::string_view key, double otherwise = 0) const;
  bool flag(std::string_view key, bool otherwise = false) const;

  void push_back(Value value);  // null becomes an array
  size_t size() const;          // elements or members; 0 for scalars

  // Compact, member order kept, shortest round-trip numbers (1.0 stays 1.0); NaN and infinities
  // are written as null, invalid UTF-8 as U+FFFD.
  std::string dump() const;
  std::string pretty(int indent = 2) const;
  // Compact, members sorted by key, integral doubles as integers: equal values give equal text,
  // for hashing.
  std::string canonical() const;

  // Equal as JSON values: member order ignored, 1 == 1.0.
  friend bool operator==(const Value& a, const Value& b);

 private:
  using Data = std::variant<std::nullptr_t, bool, int64_t, double, std::string, Array, Object>;
  template <std::integral T>
  static Data integer(T value) {
    if (std::in_range<int64_t>(value)) return static_cast<int64_t>(value);
    return static_cast<double>(value);
  }
  Data data_ = nullptr;
};

// Errors: invalid_input with line and column; exhausted beyond depth or size. Rejects invalid UTF-8
// and duplicate keys.
Result<Value> parse(std::string_view text);
// `text` as a quoted JSON string.
std::string quote(std::string_view text);

}  // namespace slipway::json
