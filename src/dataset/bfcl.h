// Cases of the Berkeley Function Calling Leaderboard as dataset rows: a folder of
// `<category>.jsonl` (question, function) with `possible_answer/<category>.jsonl` (ground_truth).
//
//     SLIPWAY_TRY(files, import_bfcl("bfcl"));     // files[0].name == "live_irrelevance"
//
// A row brings its functions in `context.functions` and has the accepted calls as its output, for
// the scorer `bfcl`; `none()` in a category named irrelevance, `any()` in one named relevance
// (docs/format/dataset.md#accepted-calls). Only single-turn cases. Reads files, nothing else;
// thread-safe. Errors: not_found, invalid_input with file and line.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "dataset/row.h"

namespace slipway::dataset {

struct ImportedFile {
  std::string name;  // of the dataset
  std::vector<Example> examples;
};

// Every category in the folder, by name.
Result<std::vector<ImportedFile>> import_bfcl(const std::string& folder);

// One row: `answer` is its ground_truth, null when the category has none.
Result<Example> bfcl_example(const std::string& category, const json::Value& row,
                             const json::Value& answer);

}  // namespace slipway::dataset
