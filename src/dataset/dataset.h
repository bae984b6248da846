// A dataset: examples read from JSON Lines (docs/format/dataset.md), one row a line.
//
//     SLIPWAY_TRY(test, load_dataset("data/test.jsonl"));   // the first broken row is an error
//     SLIPWAY_TRY(all, load_dataset("data/logs.jsonl",
//                                   {.strict = false}));    // broken rows are in all.errors
//
// The file is streamed: memory is bounded by the rows kept (`max_bytes`), the errors kept
// (`max_errors`) and one line (`max_line_bytes`), whatever the file holds. A Dataset is a plain
// value; const access is thread-safe. Errors: not_found, unavailable, invalid_input
// ("data/test.jsonl line 17: 'output' is missing"), exhausted.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "base/result.h"
#include "dataset/row.h"

namespace slipway::dataset {

struct RowError {
  size_t line = 0;  // 1-based
  std::string message;
};

struct Dataset {
  std::string name;   // "home" of data/home-test.jsonl; "test" of data/test.jsonl
  std::string split;  // train, dev or test; empty when the file's name tells none
  std::string path;
  // Of the canonical rows: spacing, key order, BOM and line ends do not change it.
  std::string sha256;
  std::vector<Example> examples;  // in file order
  // Of the broken rows, the first `max_errors`; empty after a strict load.
  std::vector<RowError> errors;
  size_t error_count = 0;  // of all broken rows
};

struct LoadOptions {
  size_t max_rows = 0;  // take only the first rows; 0: all
  bool strict = true;
  size_t max_errors = 1000;
  size_t max_line_bytes = 1 << 20;  // a longer line is a broken row
  size_t max_bytes = 1 << 30;       // of the rows kept; exhausted beyond
};

Result<Dataset> load_dataset(const std::string& path, const LoadOptions& options = {});

// "test" of data/test.jsonl and data/home-test.jsonl; train, dev, or empty.
std::string split_of(const std::string& path);

// The same from any stream; `path` names it in messages and gives name and split.
Result<Dataset> read_dataset(std::istream& stream, const std::string& path,
                             const LoadOptions& options = {});

// The rows as a JSON Lines file, each with its id.
std::string to_jsonl(const std::vector<Example>& examples);

}  // namespace slipway::dataset
