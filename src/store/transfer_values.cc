#include <array>
#include <bit>
#include <charconv>
#include <cmath>

#include "base/text.h"
#include "store/transfer.h"

namespace slipway::store {
namespace {

constexpr char kDigits[] = "0123456789abcdef";

std::string hex_of(std::string_view bytes) {
  std::string hex;
  for (const unsigned char byte : bytes) hex.append({kDigits[byte >> 4], kDigits[byte & 15]});
  return hex;
}

Result<std::string> bytes_of(const std::string& hex) {
  const auto digit = [](char c) { return std::string_view(kDigits).find(c); };
  if (hex.size() % 2 != 0) return Error::corrupt("a record with half a byte");
  std::string bytes;
  for (size_t i = 0; i < hex.size(); i += 2) {
    const size_t high = digit(hex[i]), low = digit(hex[i + 1]);
    if (high > 15 || low > 15) return Error::corrupt("a record with bytes that are none");
    bytes += static_cast<char>(high * 16 + low);
  }
  return bytes;
}

}  // namespace

json::Value text_json(const std::string& text) {
  if (is_valid_utf8(text)) return text;
  auto value = json::Value::object();
  value.set("hex", hex_of(text));
  return value;
}

Result<std::string> text_member(const json::Value& record, std::string_view key) {
  const auto* value = record.get(key);
  if (value && value->is_string()) return value->as_string();
  const auto* hex = value ? value->get("hex") : nullptr;
  if (hex && hex->is_string()) return bytes_of(hex->as_string());
  return Error::corrupt("a record without '" + std::string(key) + "'");
}

json::Value double_json(double value) {
  const bool plain = std::isfinite(value) && !(value == 0 && std::signbit(value));
  if (plain) return value;
  std::string hex;
  const auto bits = std::bit_cast<uint64_t>(value);
  for (int shift = 60; shift >= 0; shift -= 4) hex += kDigits[(bits >> shift) & 15];
  auto wrapped = json::Value::object();
  wrapped.set("bits", hex);
  return wrapped;
}

Result<double> double_of_json(const json::Value& value) {
  if (value.is_number()) return value.as_number();
  const auto hex = value.text("bits");
  uint64_t bits = 0;
  const auto [end, error] = std::from_chars(hex.data(), hex.data() + hex.size(), bits, 16);
  if (hex.size() == 16 && error == std::errc() && end == hex.data() + hex.size())
    return std::bit_cast<double>(bits);
  return Error::corrupt("a record with a value that is no number");
}

}  // namespace slipway::store
