#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "base/files.h"
#include "json/value.h"
#include "model/pull.h"
#include "model/weights.h"

namespace slipway::model {
namespace {

constexpr size_t buffer_bytes = 1 << 20;

std::string part_of(const std::string& path) { return path + ".part"; }
std::string state_of(const std::string& path) { return path + ".part.json"; }

Error failed(const std::string& doing, const std::string& path, int code) {
  const std::string message = "cannot " + doing + " '" + path + "': " + std::strerror(code);
  if (code == ENOSPC || code == EDQUOT) {
    return Error::exhausted(message, "free some disk space; the pull continues where it stopped");
  }
  return Error::unavailable(message, "check its permissions and the disk");
}

json::Value read_state(const std::string& path) {
  constexpr uint64_t max_state_bytes = 4096;
  const auto text = files::read(state_of(path), max_state_bytes);
  if (!text.ok()) return {};
  return json::parse(*text).value_or({});
}

}  // namespace

std::string begun_source(const std::string& path) { return read_state(path).text("source"); }

PartFile::PartFile(const Entry& entry, const Source& source, const PullOptions& options, int fd)
    : entry_(entry),
      source_(source),
      options_(options),
      path_(files::join(options.models_dir, entry.file)),
      fd_(fd) {}

PartFile::PartFile(PartFile&& other) noexcept
    : entry_(other.entry_),
      source_(other.source_),
      options_(other.options_),
      path_(std::move(other.path_)),
      fd_(std::exchange(other.fd_, -1)),
      hash_(std::move(other.hash_)),
      parts_(other.parts_),
      bytes_(other.bytes_),
      what_(std::move(other.what_)) {}

PartFile::~PartFile() {
  if (fd_ >= 0) ::close(fd_);
}

Result<PartFile> PartFile::open(const Entry& entry, const Source& source,
                                const PullOptions& options) {
  const std::string part = part_of(files::join(options.models_dir, entry.file));
  const int fd = ::open(part.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return failed("write", part, errno);
  PartFile file(entry, source, options, fd);
  SLIPWAY_CHECK(file.resume());
  return file;
}

// Nothing is trusted but what the state file says of this very source and hash.
Status PartFile::resume() {
  const json::Value state = read_state(path_);
  if (state.text("source") != source_.fingerprint() || state.text("sha256") != entry_.sha256)
    return restart();
  const double known_bytes = state.number("bytes", -1);
  const double known_parts = state.number("parts", -1);
  const off_t there = ::lseek(fd_, 0, SEEK_END);
  if (known_bytes < 0 || known_parts < 0 || known_bytes > static_cast<double>(there))
    return restart();
  SLIPWAY_CHECK(cut(static_cast<uint64_t>(known_bytes)));
  doing("checking what is there already");
  std::string buffer(buffer_bytes, '\0');
  while (true) {
    const ssize_t n = ::read(fd_, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed("read", part_of(path_), errno);
    if (n == 0) break;
    if (options_.cancel.cancelled()) return Error::cancelled();
    hash_.update(std::string_view(buffer).substr(0, static_cast<size_t>(n)));
    bytes_ += static_cast<uint64_t>(n);
    if (options_.progress) options_.progress(bytes_, entry_.bytes, what_);
  }
  parts_ = static_cast<size_t>(known_parts);
  return {};
}

Status PartFile::cut(uint64_t bytes) {
  if (::ftruncate(fd_, static_cast<off_t>(bytes)) != 0 || ::lseek(fd_, 0, SEEK_SET) < 0) {
    return failed("shorten", part_of(path_), errno);
  }
  return {};
}

Status PartFile::restart() {
  SLIPWAY_CHECK(cut(0));
  ::unlink(state_of(path_).c_str());
  hash_ = Sha256();
  parts_ = 0;
  bytes_ = 0;
  return {};
}

void PartFile::doing(std::string what) {
  what_ = std::move(what);
  if (options_.progress) options_.progress(bytes_, entry_.bytes, what_);
}

Status PartFile::append(std::string_view bytes) {
  if (options_.cancel.cancelled()) return Error::cancelled();
  if (bytes.size() > entry_.bytes - bytes_) {
    remove();
    return Error::corrupt(source_.describe() + " has more than the " +
                              std::to_string(entry_.bytes) + " bytes of '" + entry_.file + "'",
                          "it is another file than the catalog's; try another source");
  }
  for (std::string_view rest = bytes; !rest.empty();) {
    const ssize_t n = ::write(fd_, rest.data(), rest.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed("write", part_of(path_), errno);
    rest.remove_prefix(static_cast<size_t>(n));
  }
  hash_.update(bytes);
  bytes_ += bytes.size();
  if (options_.progress) options_.progress(bytes_, entry_.bytes, what_);
  return {};
}

Status PartFile::append_file(const std::string& path) {
  const int from = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (from < 0 && errno == ENOENT)
    return Error::not_found("no file '" + path + "'", "check the catalog's paths");
  if (from < 0) return failed("read", path, errno);
  std::string buffer(buffer_bytes, '\0');
  Status status;
  while (status.ok()) {
    const ssize_t n = ::read(from, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n == 0) break;
    status = n < 0 ? Status(failed("read", path, errno))
                   : append(std::string_view(buffer).substr(0, static_cast<size_t>(n)));
  }
  ::close(from);
  return status;
}

Status PartFile::commit(size_t parts) {
  if (::fdatasync(fd_) != 0) return failed("write", part_of(path_), errno);
  parts_ = parts;
  auto state = json::Value::object();
  state.set("source", source_.fingerprint()).set("sha256", entry_.sha256);
  state.set("parts", parts_).set("bytes", bytes_);
  return files::write_atomic(state_of(path_), state.dump() + "\n");
}

void PartFile::remove() {
  ::unlink(part_of(path_).c_str());
  ::unlink(state_of(path_).c_str());
}

Status PartFile::finish() {
  const std::string sha256 = hash_.hex();
  if (bytes_ != entry_.bytes || sha256 != entry_.sha256) {
    remove();
    const std::string which =
        bytes_ != entry_.bytes
            ? std::to_string(bytes_) + " bytes instead of " + std::to_string(entry_.bytes)
            : "SHA-256 " + short_id(sha256) + "... instead of " + short_id(entry_.sha256) + "...";
    return Error::corrupt("what " + source_.describe() + " sent has " + which + "; it was removed",
                          "try again, or another source");
  }
  if (::fsync(fd_) != 0) return failed("write", part_of(path_), errno);
  if (std::rename(part_of(path_).c_str(), path_.c_str()) != 0) return failed("write", path_, errno);
  ::unlink(state_of(path_).c_str());
  remember_sha256(path_, sha256);
  return {};
}

}  // namespace slipway::model
