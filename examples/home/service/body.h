// Small helpers of the household's routes: texts out of bodies, objects and lists of words.
// Pure functions; thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/text.h"
#include "json/value.h"

namespace slipway::home {

inline constexpr size_t max_text_bytes = 500;

inline json::Value object_of(std::string_view key, json::Value value) {
  json::Value object = json::Value::object();
  object.set(key, std::move(value));
  return object;
}

// A text that must be there, of at most max_text_bytes. Errors: invalid_input.
inline Result<std::string> text_of(const json::Value& body, std::string_view key) {
  std::string text(trim(body.text(key)));
  if (text.empty()) return Error::invalid_input("no '" + std::string(key) + "'");
  if (text.size() > max_text_bytes) {
    return Error::invalid_input("'" + std::string(key) + "' is too long");
  }
  return text;
}

inline Error too_many(std::string_view what) {
  return Error::exhausted("too many " + std::string(what), "remove some first");
}

// A whole number from 0 to 100, also when it was sent as text. Errors: invalid_input.
Result<int> percent_of(const json::Value& body, std::string_view key);

// "a, b and c".
inline std::string listed(const std::vector<std::string>& parts) {
  if (parts.size() < 2) return parts.empty() ? "" : parts[0];
  const std::vector<std::string> first(parts.begin(), parts.end() - 1);
  return join(first, ", ") + " and " + parts.back();
}

}  // namespace slipway::home
