// The frames of a bundle (docs/format/bundle.md#frames), for who writes and who reads one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace slipway::store {

inline constexpr std::string_view bundle_magic = "SLIPWAY BUNDLE 1\n";
inline constexpr char frame_records = 'R', frame_object = 'O', frame_file = 'F', frame_part = 'P',
                      frame_end = 'E';
inline constexpr size_t frame_head_bytes = 5;
inline constexpr uint64_t most_part_bytes = uint64_t{16} << 20;

// Kind and size of what follows, little-endian.
inline std::string frame_head(char kind, uint64_t bytes) {
  std::string head(1, kind);
  for (int shift = 0; shift < 32; shift += 8) head += static_cast<char>((bytes >> shift) & 0xFF);
  return head;
}

// The 32 bytes of a hash in hexadecimal.
inline std::string sha256_bytes_of(std::string_view hex) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(digit(hex[i]) * 16 + digit(hex[i + 1]));
  return bytes;
}

}  // namespace slipway::store
