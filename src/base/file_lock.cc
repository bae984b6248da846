#include "base/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/files.h"

namespace slipway {

Result<std::optional<FileLock>> FileLock::try_lock(const std::string& path) {
  SLIPWAY_CHECK(files::make_directories(files::parent(path)));
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor < 0) return Error::unavailable(path + ": " + std::strerror(errno));
  if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) {
    return std::optional<FileLock>(FileLock(descriptor));
  }
  const int reason = errno;
  ::close(descriptor);
  if (reason == EWOULDBLOCK) return std::optional<FileLock>();
  return Error::unavailable(path + ": " + std::strerror(reason));
}

FileLock::FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

FileLock::~FileLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace slipway
