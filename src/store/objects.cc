#include "store/objects.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/clock.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/ids.h"

namespace slipway::store {
namespace {

constexpr int kLevel = 3;
constexpr int64_t kStaleAfterMs = 3'600'000;

Error failed(const std::string& path, int code) {
  const std::string message = "cannot write '" + path + "': " + std::strerror(code);
  if (code == ENOSPC || code == EDQUOT || code == EFBIG) {
    return Error::exhausted(message,
                            "free some disk space and repeat; everything acknowledged is kept");
  }
  return Error::unavailable(message, "check the disk and the permissions of the store's folder");
}

bool write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(descriptor, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

Status write_synced(const std::string& path, std::string_view bytes) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
  if (descriptor < 0) return failed(path, errno);
  const bool written = write_all(descriptor, bytes) && ::fsync(descriptor) == 0;
  const int code = errno;
  const bool closed = ::close(descriptor) == 0;
  if (!written) return failed(path, code);
  if (!closed) return failed(path, errno);
  return {};
}

// Makes the names in a folder durable. Some file systems cannot, and need not.
Status sync_folder(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return failed(path, errno);
  const bool synced = ::fsync(descriptor) == 0 || errno == EINVAL;
  const int code = errno;
  ::close(descriptor);
  if (!synced) return failed(path, code);
  return {};
}

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

Error damaged(std::string_view sha256) {
  return Error::corrupt("object " + std::string(sha256) + " does not match its hash",
                        "restore it from a backup, or put the same bytes again");
}

}  // namespace

bool is_sha256(std::string_view text) { return text.size() == 64 && is_hex(text); }

std::string compress(std::string_view bytes) {
  std::string frame(ZSTD_compressBound(bytes.size()), '\0');
  const size_t size = ZSTD_compress(frame.data(), frame.size(), bytes.data(), bytes.size(), kLevel);
  // No error is possible within the bound; an empty frame is none.
  frame.resize(ZSTD_isError(size) ? 0 : size);
  return frame;
}

Result<std::string> expand(std::string_view frame, uint64_t most_bytes) {
  const unsigned long long size = ZSTD_getFrameContentSize(frame.data(), frame.size());
  if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN) {
    return Error::corrupt("no zstd frame with a content size", "restore it from a backup");
  }
  if (size > most_bytes) {
    return Error::corrupt("a zstd frame of " + std::to_string(size) +
                              " bytes, above the limit of " + std::to_string(most_bytes),
                          "restore it from a backup");
  }
  std::string bytes(static_cast<size_t>(size), '\0');
  const size_t expanded = ZSTD_decompress(bytes.data(), bytes.size(), frame.data(), frame.size());
  if (ZSTD_isError(expanded) || expanded != bytes.size()) {
    return Error::corrupt("a damaged zstd frame", "restore it from a backup");
  }
  return bytes;
}

std::string ObjectFolder::path_of(std::string_view sha256) const {
  return folder_ + "/" + std::string(sha256.substr(0, 2)) + "/" + std::string(sha256);
}

Status ObjectFolder::create() {
  const std::string temporary = files::join(folder_, "tmp");
  SLIPWAY_CHECK(files::make_directories(temporary));
  for (const auto& name : files::list(temporary)) {
    const std::string path = files::join(temporary, name);
    struct stat info{};
    if (::stat(path.c_str(), &info) != 0) continue;
    if (now_unix_ms() - int64_t{info.st_mtime} * 1000 > kStaleAfterMs) ::unlink(path.c_str());
  }
  return {};
}

Result<std::string> ObjectFolder::put(std::string_view bytes) {
  if (bytes.size() > most_bytes) {
    return Error::exhausted(
        "an object of " + std::to_string(bytes.size()) + " bytes is above the limit of 1 GiB",
        "split it");
  }
  const std::string sha256 = sha256_hex(bytes);
  if (!get(sha256).ok()) {
    SLIPWAY_CHECK(write_object(sha256, compress(bytes)));
  } else {
    // Another process may have renamed it a moment ago; its name must be durable for us too.
    SLIPWAY_CHECK(sync_folder(files::parent(path_of(sha256))));
  }
  return sha256;
}

Status ObjectFolder::write_object(const std::string& sha256, std::string_view frame) {
  const std::string path = path_of(sha256);
  const std::string shelf = files::parent(path);
  if (!files::is_directory(shelf)) {
    SLIPWAY_CHECK(files::make_directories(shelf));
    SLIPWAY_CHECK(sync_folder(folder_));
  }
  const std::string temporary = files::join(folder_, "tmp/" + new_span_id());
  Status status = write_synced(temporary, frame);
  if (status.ok() && ::rename(temporary.c_str(), path.c_str()) != 0) status = failed(path, errno);
  if (!status.ok()) {
    ::unlink(temporary.c_str());
    return status;
  }
  return sync_folder(shelf);
}

Result<std::string> ObjectFolder::get(std::string_view sha256) const {
  if (!is_sha256(sha256)) {
    return Error::invalid_input("'" + std::string(sha256) + "' is no SHA-256",
                                "name an object by 64 hex characters");
  }
  const std::string path = path_of(sha256);
  auto frame = files::read(path, most_bytes + (most_bytes >> 7));  // zstd adds less than that
  if (!frame.ok()) {
    if (frame.error().code() != ErrorCode::not_found) return frame.error();
    return Error::not_found("no object " + std::string(sha256) + " in the store",
                            "it was never put here, or its file was removed");
  }
  auto bytes = expand(*frame, most_bytes);
  if (!bytes.ok() || sha256_hex(*bytes) != sha256) return damaged(sha256);
  return bytes;
}

bool ObjectFolder::has(std::string_view sha256) const {
  return is_sha256(sha256) && files::exists(path_of(sha256));
}

void ObjectFolder::for_each(const std::function<void(const std::string& name)>& use) const {
  for (const auto& shelf : files::list(folder_)) {
    if (shelf == "tmp") continue;
    for (const auto& name : files::list(files::join(folder_, shelf))) use(name);
  }
}

}  // namespace slipway::store
