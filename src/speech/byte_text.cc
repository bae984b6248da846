#include "speech/byte_text.h"

#include <array>

namespace slipway::speech {
namespace {

bool stands_for_itself(int byte) {
  return (byte >= '!' && byte <= '~') || (byte >= 0xa1 && byte <= 0xac) ||
         (byte >= 0xae && byte <= 0xff);
}

// Code point (below 0x180) -> byte; -1: none. The bytes that are not printable come after 0xff in
// their own order.
std::array<int, 0x180> make_table() {
  std::array<int, 0x180> table;
  table.fill(-1);
  size_t next = 0x100;
  for (int byte = 0; byte < 0x100; ++byte)
    table[stands_for_itself(byte) ? static_cast<size_t>(byte) : next++] = byte;
  return table;
}

}  // namespace

std::string decode_byte_text(std::string_view text) {
  static const auto table = make_table();
  std::string bytes;
  for (size_t i = 0; i < text.size();) {
    const auto first = static_cast<unsigned char>(text[i]);
    const bool two = (first & 0xe0) == 0xc0 && i + 1 < text.size();
    const size_t code =
        two ? size_t{first & 0x1fU} << 6 | (static_cast<unsigned char>(text[i + 1]) & 0x3f) : first;
    const size_t length = two ? 2 : 1;
    if ((two || first < 0x80) && code < table.size() && table[code] >= 0) {
      bytes += static_cast<char>(table[code]);
    } else {
      bytes += text.substr(i, length);
    }
    i += length;
  }
  return bytes;
}

}  // namespace slipway::speech
