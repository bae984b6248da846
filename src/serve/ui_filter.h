// The filter over the runs table: words that all must fit.
//
//     SLIPWAY_TRY(filter, parse_run_filter("kind:eval candidate:tuned exact_match>=0.9 gemma"));
//     filter.fits(row)
//
// `field:text` looks for the text in kind, status, name, candidate, dataset, split, model,
// experiment or id (its beginning); kind and status must be equal. `figure>0.9` (< > <= >= = !=)
// compares a figure, which the run must have. Any other word is looked for in all the fields.
// "two words" belong together, and a leading `-` turns a condition round. Letters of either case
// fit. Pure; thread-safe. Errors: invalid_input, with what would be right.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace slipway::serve {

// What a run shows in the table, in lower case.
struct RunRow {
  std::map<std::string, std::string> fields;
  std::map<std::string, double> figures;
};

struct RunCondition {
  enum class Test { contains, equals, starts, less, at_most, more, at_least, is, is_not };
  std::string key;  // empty: any field
  Test test = Test::contains;
  std::string text;  // lower case
  double number = 0;
  bool turned = false;  // must not fit
};

struct RunFilter {
  std::vector<RunCondition> conditions;
  bool needs_figures() const;
  bool fits(const RunRow& row) const;
};

inline constexpr size_t most_filter_bytes = 1000;
inline constexpr size_t most_filter_conditions = 20;

Result<RunFilter> parse_run_filter(std::string_view text);

}  // namespace slipway::serve
