#include "body.h"

#include <charconv>
#include <cmath>

namespace slipway::home {

Result<int> percent_of(const json::Value& body, std::string_view key) {
  double number = body.number(key, -1);
  if (const std::string text = body.text(key); !text.empty()) {
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) number = -1;
  }
  if (number < 0 || number > 100 || number != std::floor(number)) {
    return Error::invalid_input("'" + std::string(key) + "' must be a whole number from 0 to 100");
  }
  return static_cast<int>(number);
}

}  // namespace slipway::home
