// SHA-256 (FIPS 180-4), by OpenSSL: the identity of every object, candidate and file.
//
//     sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace slipway {

// Incremental. Not thread-safe; one hasher, one thread.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  Sha256& update(std::string_view bytes);
  std::string hex();  // 64 lower-case characters; finishes the hash

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

std::string sha256_hex(std::string_view bytes);

// Called with the bytes done so far and in total; return false to cancel.
using ByteProgress = std::function<bool(uint64_t done, uint64_t total)>;

// Errors: not_found, unavailable (read failed), cancelled.
Result<std::string> sha256_file(const std::string& path, const ByteProgress& progress = {});

// First 12 characters: what people see.
std::string short_id(std::string_view hex);

}  // namespace slipway
