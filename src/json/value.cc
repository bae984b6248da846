#include "json/value.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace slipway::json {
namespace {

// A wrong kind is a defect of the caller: loud in debug, harmless in release.
template <typename T, typename Data>
const T& expect(const Data& data) {
  static const T empty{};
  const T* found = std::get_if<T>(&data);
  assert(found && "json::Value holds another kind");
  return found ? *found : empty;
}

template <typename T, typename Data>
T& expect_mutable(Data& data) {
  assert(std::holds_alternative<T>(data) && "json::Value holds another kind");
  if (!std::holds_alternative<T>(data)) data = T{};
  return *std::get_if<T>(&data);
}

// Exact: a double equals an integer only if it is that integer, also beyond 2^53.
bool equal_numbers(int64_t integer, double number) {
  constexpr double limit = 9223372036854775808.0;  // 2^63
  return number >= -limit && number < limit && std::trunc(number) == number &&
         static_cast<int64_t>(number) == integer;
}

std::vector<const Member*> sorted_members(const Object& object) {
  std::vector<const Member*> members;
  members.reserve(object.size());
  for (const Member& member : object) members.push_back(&member);
  std::stable_sort(members.begin(), members.end(),
                   [](const Member* a, const Member* b) { return a->first < b->first; });
  return members;
}

bool equal_objects(const Object& a, const Object& b) {
  if (a.size() != b.size()) return false;
  const auto left = sorted_members(a);
  const auto right = sorted_members(b);
  return std::equal(left.begin(), left.end(), right.begin(), [](const Member* x, const Member* y) {
    return x->first == y->first && x->second == y->second;
  });
}

}  // namespace

Value::Value(const char* value) : data_(std::string(value ? value : "")) {}
Value::Value(std::string value) : data_(std::move(value)) {}
Value::Value(std::string_view value) : data_(std::string(value)) {}
Value::Value(Array value) : data_(std::move(value)) {}
Value::Value(Object value) : data_(std::move(value)) {}

Kind Value::kind() const {
  return static_cast<Kind>(data_.index());  // the variant lists its types in Kind's order
}

bool Value::as_bool() const { return expect<bool>(data_); }
int64_t Value::as_integer() const { return expect<int64_t>(data_); }

double Value::as_number() const {
  if (const auto* integer = std::get_if<int64_t>(&data_)) return static_cast<double>(*integer);
  return expect<double>(data_);
}

const std::string& Value::as_string() const { return expect<std::string>(data_); }
const Array& Value::as_array() const { return expect<Array>(data_); }
const Object& Value::as_object() const { return expect<Object>(data_); }
Array& Value::as_array() { return expect_mutable<Array>(data_); }
Object& Value::as_object() { return expect_mutable<Object>(data_); }

const Value* Value::get(std::string_view key) const {
  const auto* object = std::get_if<Object>(&data_);
  if (!object) return nullptr;
  for (const Member& member : *object) {
    if (member.first == key) return &member.second;
  }
  return nullptr;
}

Value* Value::get(std::string_view key) {
  return const_cast<Value*>(std::as_const(*this).get(key));
}

Value& Value::set(std::string_view key, Value value) {
  if (is_null()) data_ = Object{};
  if (Value* old = get(key)) {
    *old = std::move(value);
  } else {
    as_object().emplace_back(std::string(key), std::move(value));
  }
  return *this;
}

bool Value::erase(std::string_view key) {
  auto* object = std::get_if<Object>(&data_);
  return object && std::erase_if(*object, [&](const Member& m) { return m.first == key; }) > 0;
}

std::string Value::text(std::string_view key, std::string_view otherwise) const {
  const Value* found = get(key);
  return found && found->is_string() ? found->as_string() : std::string(otherwise);
}

double Value::number(std::string_view key, double otherwise) const {
  const Value* found = get(key);
  return found && found->is_number() ? found->as_number() : otherwise;
}

bool Value::flag(std::string_view key, bool otherwise) const {
  const Value* found = get(key);
  return found && found->is_bool() ? found->as_bool() : otherwise;
}

void Value::push_back(Value value) {
  if (is_null()) data_ = Array{};
  as_array().push_back(std::move(value));
}

size_t Value::size() const {
  if (const auto* array = std::get_if<Array>(&data_)) return array->size();
  if (const auto* object = std::get_if<Object>(&data_)) return object->size();
  return 0;
}

bool operator==(const Value& a, const Value& b) {
  if (a.kind() == Kind::integer && b.kind() == Kind::number) {
    return equal_numbers(a.as_integer(), b.as_number());
  }
  if (a.kind() == Kind::number && b.kind() == Kind::integer) return b == a;
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case Kind::null: return true;
    case Kind::boolean: return a.as_bool() == b.as_bool();
    case Kind::integer: return a.as_integer() == b.as_integer();
    case Kind::number: return a.as_number() == b.as_number();
    case Kind::string: return a.as_string() == b.as_string();
    case Kind::array: return a.as_array() == b.as_array();
    case Kind::object: return equal_objects(a.as_object(), b.as_object());
  }
  return false;
}

}  // namespace slipway::json
