#include "base/hash.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "base/files.h"
#include "base/ids.h"

using namespace slipway;

namespace {
const std::string abc_hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
}

TEST_CASE("sha256: the vectors of FIPS 180-4") {
  CHECK(sha256_hex("abc") == abc_hash);
  CHECK(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256_hex(std::string(1'000'000, 'a')) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("sha256: pieces give the hash of the whole; a hasher can be moved") {
  Sha256 first;
  first.update("a");
  Sha256 second = std::move(first);
  CHECK(second.update("b").update("").update("c").hex() == abc_hash);
  CHECK(short_id(abc_hash) == "ba7816bf8f01");
  CHECK(short_id("ab") == "ab");
}

TEST_CASE("sha256_file: content, progress, cancellation and a missing file") {
  const auto folder = (std::filesystem::temp_directory_path() / ("hash-" + new_run_id())).string();
  const auto path = files::join(folder, "f");
  REQUIRE(files::write_atomic(path, std::string(3'000'000, 'x')).ok());
  uint64_t done = 0;
  uint64_t total = 0;
  const auto hash = sha256_file(path, [&](uint64_t d, uint64_t t) {
    done = d;
    total = t;
    return true;
  });
  REQUIRE(hash.ok());
  CHECK(*hash == sha256_hex(std::string(3'000'000, 'x')));
  CHECK(done == 3'000'000);
  CHECK(total == 3'000'000);
  const auto stopped = sha256_file(path, [](uint64_t, uint64_t) { return false; });
  CHECK(stopped.error().code() == ErrorCode::cancelled);
  CHECK(sha256_file(path + "?").error().code() == ErrorCode::not_found);
  CHECK(sha256_file(folder).error().code() == ErrorCode::unavailable);
  CHECK(files::remove_all(folder).ok());
}
