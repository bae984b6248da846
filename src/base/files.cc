#include "base/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/ids.h"

namespace slipway::files {
namespace {

namespace fs = std::filesystem;

Error failed(const std::string& doing, const std::string& path, int code) {
  const std::string message = "cannot " + doing + " '" + path + "': " + std::strerror(code);
  if (code == ENOENT || code == ENOTDIR) return Error::not_found(message, "check the path");
  if (code == ENOSPC || code == EDQUOT) return Error::exhausted(message, "free some disk space");
  return Error::unavailable(message, "check its permissions and the disk");
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  int close() {
    const int result = fd_ >= 0 ? ::close(fd_) : 0;
    fd_ = -1;
    return result;
  }

 private:
  int fd_;
};

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

// Writes and fsyncs a new file; keeps the mode of the file it is going to replace.
Status write_new(const std::string& temporary, const std::string& target, std::string_view bytes) {
  Descriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (file.get() < 0) return failed("write", target, errno);
  struct stat old {};
  const bool mode_kept = ::stat(target.c_str(), &old) != 0 ||
                         ::fchmod(file.get(), old.st_mode & 07777) == 0;
  if (!mode_kept || !write_all(file.get(), bytes) || ::fsync(file.get()) != 0 ||
      file.close() != 0) {
    return failed("write", target, errno);
  }
  return {};
}

}  // namespace

bool exists(const std::string& path) {
  std::error_code code;
  return fs::exists(path, code);
}

bool is_directory(const std::string& path) {
  std::error_code code;
  return fs::is_directory(path, code);
}

Result<std::string> read(const std::string& path, uint64_t max_bytes) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return failed("read", path, errno);
  struct stat info {};
  const bool sized = ::fstat(file.get(), &info) == 0 && S_ISREG(info.st_mode);
  std::string out;
  if (sized) out.reserve(std::min(static_cast<uint64_t>(info.st_size), max_bytes));
  std::string chunk(size_t{64} << 10, '\0');  // not the size alone: /proc files say 0
  while (true) {
    const ssize_t n = ::read(file.get(), chunk.data(), chunk.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed("read", path, errno);
    if (n == 0) return out;
    if (out.size() + static_cast<size_t>(n) > max_bytes) {
      return Error::exhausted(
          "'" + path + "' is larger than " + std::to_string(max_bytes) + " bytes",
          "use a smaller file");
    }
    out.append(chunk, 0, static_cast<size_t>(n));
  }
}

Status write_atomic(const std::string& path, std::string_view bytes) {
  const std::string folder = parent(path);
  SLIPWAY_CHECK(make_directories(folder));
  const std::string temporary = path + "." + new_span_id() + ".tmp";
  Status status = write_new(temporary, path, bytes);
  if (status.ok() && ::rename(temporary.c_str(), path.c_str()) != 0) {
    status = failed("replace", path, errno);
  }
  if (!status.ok()) {
    ::unlink(temporary.c_str());
    return status;
  }
  // Without this the rename itself may be lost by a power cut. Some file systems cannot: no error.
  Descriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() >= 0 && ::fsync(directory.get()) != 0 && errno != EINVAL) {
    return failed("flush", folder, errno);
  }
  return {};
}

Status make_directories(const std::string& path) {
  std::error_code code;
  fs::create_directories(path, code);
  if (code) return failed("create folder", path, code.value());
  return {};
}

Status remove_all(const std::string& path) {
  std::error_code code;
  fs::remove_all(path, code);
  if (code) return failed("remove", path, code.value());
  return {};
}

std::vector<std::string> list(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code code;
  for (fs::directory_iterator it(folder, code), end; !code && it != end; it.increment(code)) {
    names.push_back(it->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<uint64_t> size(const std::string& path) {
  std::error_code code;
  const auto bytes = fs::file_size(path, code);
  if (code) return failed("measure", path, code.value());
  return uint64_t{bytes};
}

std::string join(std::string_view folder, std::string_view name) {
  if (folder.empty() || name.starts_with('/')) return std::string(name);
  std::string out(folder);
  if (out.back() != '/' && !name.empty()) out += '/';
  return out.append(name);
}

std::string parent(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  const size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  path = path.substr(0, slash);
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  return path.empty() ? "/" : std::string(path);
}

std::string filename(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  const size_t slash = path.rfind('/');
  const bool whole = slash == std::string_view::npos || path == "/";
  return std::string(whole ? path : path.substr(slash + 1));
}

std::string absolute(const std::string& path) {
  std::error_code code;
  const fs::path full = fs::absolute(path, code);
  if (code) return path;
  std::string out = full.lexically_normal().string();
  while (out.size() > 1 && out.back() == '/') out.pop_back();
  return out;
}

}  // namespace slipway::files
