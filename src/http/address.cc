// Ranges: the IANA IPv4 and IPv6 special-purpose address registries (RFC 6890 and successors).
#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "http/client.h"

namespace slipway::http {

namespace {

using Bytes16 = std::array<uint8_t, 16>;

struct Range4 {
  uint32_t base;
  int bits;
};

constexpr Range4 kSpecial4[] = {
    {0x00000000, 8},   // this network
    {0x0A000000, 8},   // private
    {0x64400000, 10},  // shared by carriers
    {0x7F000000, 8},   // loopback
    {0xA9FE0000, 16},  // link-local, cloud metadata
    {0xAC100000, 12},  // private
    {0xC0000000, 24},  // protocol assignments
    {0xC0A80000, 16},  // private
    {0xC6120000, 15},  // benchmarking
    {0xE0000000, 3},   // multicast, reserved, broadcast
};

bool is_special4(uint32_t address) {
  return std::any_of(std::begin(kSpecial4), std::end(kSpecial4), [&](const Range4& range) {
    return ((address ^ range.base) >> (32 - range.bits)) == 0;
  });
}

uint32_t ipv4_at(const Bytes16& bytes, size_t at) {
  return uint32_t{bytes[at]} << 24 | uint32_t{bytes[at + 1]} << 16 | uint32_t{bytes[at + 2]} << 8 |
         bytes[at + 3];
}

bool starts_with_bytes(const Bytes16& bytes, std::initializer_list<uint8_t> prefix) {
  return std::equal(prefix.begin(), prefix.end(), bytes.begin());
}

bool is_special6(const Bytes16& b) {
  if (starts_with_bytes(b, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF})) {  // mapped IPv4
    return is_special4(ipv4_at(b, 12));
  }
  if (starts_with_bytes(b, {0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0})) {  // NAT64
    return is_special4(ipv4_at(b, 12));
  }
  if (starts_with_bytes(b, {0x20, 0x02})) return is_special4(ipv4_at(b, 2));  // 6to4
  if (starts_with_bytes(b, {0x20, 0x01, 0, 0})) return true;                  // Teredo
  return (b[0] & 0xE0) != 0x20;  // outside 2000::/3 nothing is on the public internet
}

}  // namespace

bool is_private_address(const std::string& ip) {
  const std::string plain = ip.substr(0, ip.find('%'));  // without the zone of fe80::1%eth0
  in_addr four{};
  if (inet_pton(AF_INET, plain.c_str(), &four) == 1) return is_special4(ntohl(four.s_addr));
  Bytes16 six{};
  if (inet_pton(AF_INET6, plain.c_str(), six.data()) == 1) return is_special6(six);
  return true;  // unknown is not public
}

}  // namespace slipway::http
