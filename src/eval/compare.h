// Two runs over the same examples, side by side and paired.
//
//     Comparison c = compare(cases_a, cases_b);
//     c.p_value           // McNemar's exact test
//     c.difference        // interval of (second - first)
//     c.flips             // the examples on which they disagree
//     summarise(shared_cases(cases_a, cases_b))    // the first's figures on the same rows
//
// Rows are matched by example id; what only one run has is counted apart. Pure; thread-safe.
#pragma once

#include <string>
#include <vector>

#include "eval/statistics.h"
#include "json/value.h"
#include "store/store.h"

namespace slipway::eval {

struct Flip {
  std::string example_id;
  bool first_passed = false;  // the second did the opposite
  std::string expected, first_output, second_output;
};

struct Comparison {
  Pairs pairs;
  int64_t unmatched = 0;
  Interval difference;
  double p_value = 1;
  std::vector<Flip> flips;
  json::Value to_json() const;
};

Comparison compare(const std::vector<store::Case>& first, const std::vector<store::Case>& second);

// Those whose rows the other run has, too: a difference is one on the same rows.
std::vector<store::Case> shared_cases(std::vector<store::Case> cases,
                                      const std::vector<store::Case>& others);

}  // namespace slipway::eval
