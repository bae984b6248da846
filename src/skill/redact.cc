#include "skill/redact.h"

#include <algorithm>

#include "base/text.h"
#include "http/client.h"

namespace slipway::skill {
namespace {

constexpr size_t max_line_bytes = 200;

}  // namespace

std::vector<std::string> values_of(const std::map<std::string, std::string>& secrets) {
  std::vector<std::string> values;
  for (const auto& [name, value] : secrets) values.push_back(value);
  std::sort(values.begin(), values.end(),
            [](const auto& a, const auto& b) { return a.size() > b.size(); });
  return values;
}

std::string without_secrets(std::string text, const std::vector<std::string>& secrets) {
  for (const auto& secret : secrets) {
    text = replace_all(text, secret, "***");
    text = replace_all(text, http::percent_encode(secret), "***");
  }
  return text;
}

json::Value without_secrets(json::Value value, const std::vector<std::string>& secrets) {
  if (value.is_string()) return without_secrets(value.as_string(), secrets);
  if (value.is_array()) {
    for (auto& element : value.as_array()) element = without_secrets(std::move(element), secrets);
  }
  if (value.is_object()) {
    for (auto& [key, member] : value.as_object()) {
      key = without_secrets(key, secrets);
      member = without_secrets(std::move(member), secrets);
    }
  }
  return value;
}

std::string bounded_line(std::string text, const std::vector<std::string>& secrets) {
  return one_line(without_secrets(std::move(text), secrets), max_line_bytes);
}

}  // namespace slipway::skill
