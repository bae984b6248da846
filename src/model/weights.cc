#include "model/weights.h"

#include <sys/stat.h>

#include "base/files.h"
#include "json/value.h"

namespace slipway::model {
namespace {

struct Stamp {
  int64_t bytes = 0;
  int64_t mtime_ns = 0;
  bool operator==(const Stamp&) const = default;
};

std::optional<Stamp> stamp_of(const std::string& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
  return Stamp{info.st_size, int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec};
}

std::string sidecar_of(const std::string& path) { return path + ".sha256"; }

bool is_sha256(const std::string& text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

void write_sidecar(const std::string& path, const Stamp& stamp, const std::string& sha256) {
  auto line = json::Value::object();
  line.set("bytes", stamp.bytes).set("mtime_ns", stamp.mtime_ns).set("sha256", sha256);
  // A folder that we may not write is no reason to fail: the next opening hashes again.
  static_cast<void>(files::write_atomic(sidecar_of(path), line.dump() + "\n").ok());
}

}  // namespace

std::optional<std::string> remembered_sha256(const std::string& path) {
  constexpr uint64_t max_sidecar_bytes = 4096;
  const auto stamp = stamp_of(path);
  if (!stamp) return std::nullopt;
  const auto text = files::read(sidecar_of(path), max_sidecar_bytes);
  if (!text.ok()) return std::nullopt;
  const auto line = json::parse(*text);
  if (!line.ok()) return std::nullopt;
  const json::Value* bytes = line->get("bytes");
  const json::Value* mtime = line->get("mtime_ns");
  if (!bytes || !bytes->is_integer() || !mtime || !mtime->is_integer()) return std::nullopt;
  if (Stamp{bytes->as_integer(), mtime->as_integer()} != *stamp) return std::nullopt;
  std::string sha256 = line->text("sha256");
  if (!is_sha256(sha256)) return std::nullopt;
  return sha256;
}

void remember_sha256(const std::string& path, const std::string& sha256) {
  if (const auto stamp = stamp_of(path)) write_sidecar(path, *stamp, sha256);
}

Result<std::string> rehash_weights(const std::string& path, const ByteProgress& progress) {
  const auto before = stamp_of(path);
  SLIPWAY_TRY(sha256, sha256_file(path, progress));
  // Written to while we read: this hash is of neither state.
  if (before && stamp_of(path) == before) write_sidecar(path, *before, sha256);
  return sha256;
}

Result<std::string> weights_sha256(const std::string& path, const ByteProgress& progress) {
  if (auto known = remembered_sha256(path)) return *known;
  return rehash_weights(path, progress);
}

}  // namespace slipway::model
