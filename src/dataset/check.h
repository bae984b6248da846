// What is wrong with datasets before they are trusted: rows that cannot be read, duplicates within
// a split, leaks between splits, and what is missing.
//
//     options.read = [&](const Dataset&, const Example& e) { return scorer->expected(e); };
//     CheckReport report = check({&train, &dev, &test}, options);
//     report.leaks           // pairs of rows of two splits that are the same or nearly
//
// Two rows are duplicates when their words are the same (case and punctuation aside),
// near-duplicates when the Jaccard similarity of their four-byte shingles reaches the threshold.
// Rows whose contexts differ are pairs only when they expect the same output: "and tomorrow?" means
// another thing in another conversation. Pure; thread-safe. Memory: about 2 KB a row; at most
// `max_pairs` pairs are kept of each kind, all are counted.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "dataset/dataset.h"
#include "json/value.h"

namespace slipway::dataset {

struct CheckOptions {
  double threshold = 0.85;  // similarity of near-duplicates, above 0 up to 1
  size_t max_pairs = 1000;
  std::vector<std::string> functions;  // all there are; unused ones are named
  // The functions of a row's expected output (none: no call), or why it cannot be read.
  std::function<Result<std::vector<std::string>>(const Dataset&, const Example&)> read;
  // What of a row's expected output constrained decoding cannot write; empty: nothing.
  std::function<std::string(const Dataset&, const Example&)> undecodable;
};

struct Place {
  std::string dataset, split, id, text;
  size_t line = 0;
};

struct Pair {
  Place first, second;
  double similarity = 1;
  bool same_output = true;
};

// Of one dataset.
struct CheckedDataset {
  std::string name, split, path, sha256;
  size_t rows = 0;               // usable
  std::vector<RowError> broken;  // no rows at all, the first ones
  size_t broken_count = 0;
  std::vector<RowError> unreadable;  // rows whose expected output cannot be read, the first ones
  size_t unreadable_count = 0;
  std::vector<RowError> undecodable;  // read, but never to be written, the first ones
  size_t undecodable_count = 0;
  std::map<std::string, size_t> functions;  // rows by function; "none()": no call
  std::map<std::string, size_t> tags;
};

struct CheckReport {
  double threshold = 0;
  std::vector<CheckedDataset> datasets;
  std::vector<Pair> duplicates, leaks;  // within one dataset; between two
  size_t duplicate_count = 0, leak_count = 0;
  size_t conflict_count = 0;  // of the duplicates: same words and context, another output
  std::vector<std::string> unused;
  size_t broken() const;  // rows that are broken or unreadable
  json::Value to_json() const;
};

CheckReport check(const std::vector<const Dataset*>& datasets, const CheckOptions& options);

}  // namespace slipway::dataset
