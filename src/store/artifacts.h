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
#include "json/value.h"
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

// Files travel with what they belong to: by their paths below its folder, which is another where
// its experiment has another number.
struct KeptFile {
  std::string path;
  std::string sha256;
  json::Value to_json() const;
};
Result<std::vector<KeptFile>> files_below(const Store& store, const std::string& folder);
// The object is in the store. Errors: corrupt (it is not, or the path is none).
Status take_file(Store& store, const std::string& folder, const KeptFile& file);

// Where a run's files are; empty: its experiment keeps them elsewhere than in the store.
Result<std::string> folder_of_run(const Store& store, const std::string& run_id);

inline constexpr std::string_view own_artifacts = "mlflow-artifacts:/";
// Of an experiment `e`, in SQL.
inline constexpr std::string_view location_of_experiment =
    "iif(e.artifact_location = '', 'mlflow-artifacts:/' || e.number, e.artifact_location)";
// "mlflow-artifacts:/7" -> "7"; empty: elsewhere.
std::string own_folder(const std::string& location);

}  // namespace slipway::store
