#include "base/ids.h"

#include <openssl/rand.h>

#include <algorithm>
#include <cstdint>
#include <random>

namespace slipway {
namespace {

uint64_t random_64() {
  uint64_t value = 0;
  if (RAND_bytes(reinterpret_cast<unsigned char*>(&value), sizeof value) == 1) return value;
  std::random_device device;  // OpenSSL without entropy: the kernel's own
  return (uint64_t{device()} << 32) | device();
}

std::string hex_64(uint64_t value) {
  std::string out(16, '0');
  for (auto at = out.rbegin(); at != out.rend(); ++at, value >>= 4) {
    *at = "0123456789abcdef"[value & 15];
  }
  return out;
}

std::string random_id() { return hex_64(std::max<uint64_t>(random_64(), 1)) + hex_64(random_64()); }

}  // namespace

std::string new_run_id() { return random_id(); }
std::string new_trace_id() { return random_id(); }
std::string new_span_id() { return hex_64(std::max<uint64_t>(random_64(), 1)); }  // 0 is "no span"

}  // namespace slipway
