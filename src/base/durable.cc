#include "base/durable.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/files.h"

namespace slipway {
namespace {

// Some file systems cannot sync a folder, and need not.
Status sync(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return cannot_write(path);
  const bool synced = ::fsync(descriptor) == 0 || errno == EINVAL;
  ::close(descriptor);
  if (!synced) return cannot_write(path);
  return {};
}

}  // namespace

Error cannot_write(const std::string& path) {
  const std::string message = "cannot write '" + path + "': " + std::strerror(errno);
  if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG)
    return Error::exhausted(message, "free some disk space and repeat");
  return Error::unavailable(message, "check the folder and its permissions");
}

Status name_durably(const std::string& written, const std::string& path) {
  SLIPWAY_CHECK(sync(written));
  if (std::rename(written.c_str(), path.c_str()) != 0) return cannot_write(path);
  return sync(files::parent(path));
}

}  // namespace slipway
