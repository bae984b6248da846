// Files that clients keep beside their runs: a path names an object.
//
//     Artifacts artifacts(store);
//     SLIPWAY_CHECK(artifacts.put("1/8c6.../artifacts/plots/loss.png", bytes));
//     SLIPWAY_TRY(entries, artifacts.list("1/8c6.../artifacts"));   // plots/
//
// Paths are names joined by '/', at most 4,096 bytes, none of the names empty, "." or "..". They
// are keys of a table and never paths of a file. Thread-safe; the store outlives it. A file is on
// disk before its path is. Errors: invalid_input (a path), not_found, exhausted (above 1 GiB).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/store.h"

namespace slipway::store {

struct ArtifactEntry {
  std::string name;  // the last of the path's names
  bool is_folder = false;
  int64_t bytes = 0;
};

class Artifacts {
 public:
  explicit Artifacts(Store& store) : store_(store) {}
  Status put(const std::string& path, std::string_view bytes);  // the last write stands
  Result<std::string> get(const std::string& path) const;
  Result<std::vector<ArtifactEntry>> list(const std::string& folder) const;  // sorted by name
  // A file, or a folder with all that is in it; the objects stay.
  Status remove(const std::string& path);

 private:
  Store& store_;
};

// A run's files travel with it: their paths below its own folder, which is another where the run's
// experiment has another number. A run whose experiment keeps its files elsewhere has none here.
struct RunFile {
  std::string path;
  std::string sha256;
};
Result<std::vector<RunFile>> files_of_run(const Store& store, const std::string& run_id);
// The object is in the store. Errors: corrupt (it is not, or the path is none).
Status take_file_of_run(Store& store, const std::string& run_id, const RunFile& file);

}  // namespace slipway::store
