#include "model/kept_prefixes.h"

#include <sys/stat.h>
#include <utime.h>

#include <algorithm>
#include <cstring>
#include <fstream>

#include "base/files.h"
#include "base/hash.h"

namespace slipway::model {
namespace {

constexpr std::string_view kMagic = "SLPKV003";
constexpr std::string_view kEnding = ".kv";
constexpr uint32_t kMaxTokens = 1 << 20;
constexpr uint64_t kMaxBytes = uint64_t{4} << 30;
constexpr time_t kWriting = 3600;  // seconds that no write takes

// Magic, number of tokens, SHA-256 of all that follows (64 hex digits); then tokens and state.
constexpr size_t kHeader = 8 + 4 + 64;

std::string_view bytes_of(std::span<const int32_t> tokens) {
  return {reinterpret_cast<const char*>(tokens.data()), tokens.size_bytes()};
}

std::vector<int32_t> read_tokens(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  char header[kHeader];
  uint32_t count = 0;
  if (!file.read(header, kHeader) || std::string_view(header, 8) != kMagic) return {};
  std::memcpy(&count, header + 8, 4);
  if (count == 0 || count > kMaxTokens) return {};
  std::vector<int32_t> tokens(count);
  file.read(reinterpret_cast<char*>(tokens.data()), static_cast<std::streamsize>(count * 4));
  return file ? tokens : std::vector<int32_t>();
}

}  // namespace

KeptPrefixes::KeptPrefixes(std::string folder, const std::string& key)
    : folder_(std::move(folder)), key_(sha256_hex(key).substr(0, 32)) {
  for (const auto& name : files::list(folder_)) {
    if (!name.starts_with(key_) || !name.ends_with(kEnding)) continue;
    File file{files::join(folder_, name), {}};
    file.tokens = read_tokens(file.path);
    if (!file.tokens.empty()) files_.push_back(std::move(file));
  }
}

KeptPrefixes::Match KeptPrefixes::longest(Tokens prompt) const {
  Match best;
  for (size_t i = 0; i < files_.size(); ++i) {
    const auto& tokens = files_[i].tokens;
    const bool begins = tokens.size() <= prompt.size() &&
                        std::equal(tokens.begin(), tokens.end(), prompt.begin());
    if (begins && tokens.size() > best.length) best = {i, tokens.size()};
  }
  return best;
}

Result<std::string> KeptPrefixes::load(size_t file) {
  const auto path = files_[file].path;
  auto bytes = files::read(path, kMaxBytes);
  const size_t skipped = kHeader + files_[file].tokens.size() * 4;
  if (!bytes.ok() || bytes->size() <= skipped ||
      sha256_hex(std::string_view(*bytes).substr(kHeader)) != bytes->substr(12, 64)) {
    files_.erase(files_.begin() + static_cast<std::ptrdiff_t>(file));
    if (!bytes.ok()) return bytes.error();
    SLIPWAY_CHECK(files::remove_all(path));
    return Error::corrupt("'" + path + "' is not a kept prefix");
  }
  ::utime(path.c_str(), nullptr);  // recently used
  return bytes->substr(skipped);
}

Status KeptPrefixes::keep(Tokens tokens, std::string_view state) {
  std::string body(bytes_of(tokens));
  body += state;
  const auto hash = sha256_hex(body);
  const auto count = static_cast<uint32_t>(tokens.size());
  std::string bytes(kMagic);
  bytes.append(reinterpret_cast<const char*>(&count), 4);
  bytes += hash;
  bytes += body;
  const auto name = key_ + "-" + sha256_hex(bytes_of(tokens)).substr(0, 16) + std::string(kEnding);
  const auto path = files::join(folder_, name);
  SLIPWAY_CHECK(files::make_directories(folder_));
  ::chmod(folder_.c_str(), 0700);
  SLIPWAY_CHECK(files::write_atomic(path, bytes));
  files_.push_back({path, std::vector<int32_t>(tokens.begin(), tokens.end())});
  drop_oldest();
  std::erase_if(files_, [](const File& file) { return !files::exists(file.path); });
  return {};
}

void KeptPrefixes::drop_oldest() const {
  const auto long_ago = ::time(nullptr) - kWriting;
  std::vector<std::pair<int64_t, std::string>> all;
  for (const auto& name : files::list(folder_)) {
    struct stat info{};
    const auto path = files::join(folder_, name);
    if (::stat(path.c_str(), &info) != 0) continue;
    // What a killed process was writing.
    if (name.ends_with(".tmp") && info.st_mtim.tv_sec < long_ago) (void)files::remove_all(path);
    if (!name.ends_with(kEnding)) continue;
    all.emplace_back(int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec, path);
  }
  std::sort(all.begin(), all.end());
  for (size_t i = 0; i + kFiles < all.size(); ++i) (void)files::remove_all(all[i].second);
}

}  // namespace slipway::model
