#include "model/kept_prefixes.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <utime.h>

#include <filesystem>
#include <numeric>

#include "base/files.h"
#include "base/ids.h"

using namespace slipway;
using namespace slipway::model;

namespace {

struct Folder {
  std::string path =
      files::join(std::filesystem::temp_directory_path().string(), "kept-" + new_trace_id());
  ~Folder() { (void)files::remove_all(path); }
};

std::vector<int32_t> counting(int32_t first, size_t count) {
  std::vector<int32_t> tokens(count);
  std::iota(tokens.begin(), tokens.end(), first);
  return tokens;
}

}  // namespace

TEST_CASE("kept prefixes: found again by another process with the same key only") {
  Folder folder;
  const auto tokens = counting(7, 300);
  KeptPrefixes first(folder.path, "model a");
  CHECK(first.longest(tokens).length == 0);
  REQUIRE(first.keep(tokens, "the state").ok());

  KeptPrefixes second(folder.path, "model a");
  auto longer = tokens;
  longer.push_back(1);
  auto match = second.longest(longer);
  CHECK(match.length == 300);
  CHECK(second.load(match.file).value() == "the state");
  longer[100] = -5;
  CHECK(second.longest(longer).length == 0);  // only whole files
  CHECK(KeptPrefixes(folder.path, "model b").longest(tokens).length == 0);
  struct stat info{};
  REQUIRE(::stat(folder.path.c_str(), &info) == 0);
  CHECK((info.st_mode & 0077) == 0);
}

TEST_CASE("kept prefixes: a changed, cut or foreign file is refused and goes") {
  Folder folder;
  const auto tokens = counting(1, 256);
  REQUIRE(KeptPrefixes(folder.path, "m").keep(tokens, std::string(1000, 'x')).ok());
  const auto path = files::join(folder.path, files::list(folder.path).front());
  auto bytes = files::read(path).value();
  for (size_t at : {size_t{20}, size_t{80}, bytes.size() - 1}) {
    auto changed = bytes;
    changed[at] ^= 1;
    REQUIRE(files::write_atomic(path, changed).ok());
    KeptPrefixes kept(folder.path, "m");
    const auto match = kept.longest(tokens);
    if (match.length == 0) continue;
    CHECK(kept.load(match.file).error().code() == ErrorCode::corrupt);
    CHECK_FALSE(files::exists(path));
  }
  for (size_t size = 0; size < 1200; size += 37) {
    REQUIRE(files::write_atomic(path, bytes.substr(0, size)).ok());
    KeptPrefixes kept(folder.path, "m");
    const auto match = kept.longest(tokens);
    if (match.length > 0) CHECK_FALSE(kept.load(match.file).ok());
  }
}

TEST_CASE("kept prefixes: the folder does not grow without end") {
  Folder folder;
  KeptPrefixes kept(folder.path, "m");
  REQUIRE(files::make_directories(folder.path).ok());
  const auto rest = files::join(folder.path, "x.kv.1234.tmp");
  REQUIRE(files::write_atomic(rest, "of a killed process").ok());
  const utimbuf long_ago{1, 1};
  REQUIRE(::utime(rest.c_str(), &long_ago) == 0);
  for (int32_t i = 0; i < 20; ++i) REQUIRE(kept.keep(counting(i, 256), "s").ok());
  CHECK(files::list(folder.path).size() == KeptPrefixes::kFiles);
  size_t known = 0;
  for (int32_t i = 0; i < 20; ++i) known += kept.longest(counting(i, 256)).length > 0;
  CHECK(known == KeptPrefixes::kFiles);
}
