// Result<T>: a value or an Error; Status: success or an Error. Nothing in Slipway throws across a
// function of ours.
//
//     Result<Model> load(...);
//     SLIPWAY_TRY(model, load(path));   // declares `model`, or returns the error from here
//     SLIPWAY_CHECK(store.flush());     // returns the error, if any
#pragma once

#include <cassert>
#include <optional>
#include <utility>
#include <variant>

#include "base/error.h"

namespace slipway {

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & {
    assert(ok());
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    assert(ok());
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    assert(ok());
    return std::move(*std::get_if<0>(&state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& error() const {
    assert(!ok());
    return *std::get_if<1>(&state_);
  }
  T value_or(T other) && { return ok() ? std::move(*this).value() : std::move(other); }

 private:
  std::variant<T, Error> state_;
};

class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Error error) : error_(std::move(error)) {}
  static Status success() { return {}; }

  bool ok() const { return !error_; }
  explicit operator bool() const { return ok(); }
  const Error& error() const {
    assert(error_);
    return *error_;
  }

 private:
  std::optional<Error> error_;
};

}  // namespace slipway

#define SLIPWAY_CONCAT_(a, b) a##b
#define SLIPWAY_CONCAT(a, b) SLIPWAY_CONCAT_(a, b)
#define SLIPWAY_TRY_(temporary, name, ...)       \
  auto temporary = (__VA_ARGS__);                \
  if (!temporary.ok()) return temporary.error(); \
  auto name = std::move(temporary).value()
#define SLIPWAY_TRY(name, ...) SLIPWAY_TRY_(SLIPWAY_CONCAT(try_, __LINE__), name, __VA_ARGS__)
#define SLIPWAY_CHECK(...)                                                                  \
  do {                                                                                      \
    if (auto check_status = (__VA_ARGS__); !check_status.ok()) return check_status.error(); \
  } while (false)
