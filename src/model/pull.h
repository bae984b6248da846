// Inside Catalog::pull: the half-finished file, and one function per kind of source that fills it.
//
//     SLIPWAY_TRY(file, PartFile::open(entry, source, options));  // continues an earlier pull
//     SLIPWAY_CHECK(fetch_file(source, file));
//     SLIPWAY_CHECK(file.finish());
//
// "<file>.part" holds the bytes so far; "<file>.part.json" says which source they are of and how
// many bytes and parts are known to be on disk; what lies behind them is cut off. One thread and
// one process at a time (Catalog::pull holds a lock).
#pragma once

#include <string>

#include "base/hash.h"
#include "model/catalog.h"

namespace slipway::model {

class PartFile {
 public:
  static Result<PartFile> open(const Entry& entry, const Source& source,
                               const PullOptions& options);
  ~PartFile();
  PartFile(PartFile&& other) noexcept;
  PartFile& operator=(PartFile&&) = delete;

  size_t parts() const { return parts_; }
  uint64_t bytes() const { return bytes_; }
  uint64_t wanted_bytes() const { return entry_.bytes; }
  const PullOptions& options() const { return options_; }

  void doing(std::string what);  // what the progress says from now on
  // Errors: cancelled, corrupt (more bytes than the file has), exhausted, unavailable.
  Status append(std::string_view bytes);
  Status append_file(const std::string& path);
  // All bytes so far are on disk, and `parts` parts are whole.
  Status commit(size_t parts);
  Status restart();
  // Checks size and hash and gives the file its name; wrong bytes are removed.
  Status finish();

 private:
  PartFile(const Entry& entry, const Source& source, const PullOptions& options, int fd);
  void remove();
  Status resume();
  Status cut(uint64_t bytes);

  const Entry& entry_;
  const Source& source_;
  const PullOptions& options_;
  std::string path_;  // of the finished file
  int fd_ = -1;
  Sha256 hash_;
  size_t parts_ = 0;
  uint64_t bytes_ = 0;
  std::string what_;
};

// The fingerprint of the source whose bytes lie beside `path` (the finished file's), or nothing.
std::string begun_source(const std::string& path);

// `scratch`: an empty folder for wheels and what is unpacked.
Status fetch_pypi(const Source& source, PartFile& file, const std::string& scratch);
Status fetch_url(const Source& source, PartFile& file);
Status fetch_file(const Source& source, PartFile& file);

}  // namespace slipway::model
