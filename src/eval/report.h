// The figures of an evaluation, computed from its cases alone, so that whoever reads the store gets
// the same numbers.
//
//     SLIPWAY_TRY(cases, store.cases(run_id));
//     Report r = summarise(cases);     // r.exact = 98/100 in [0.93, 0.99]
//     r.calls->argument_f1();          // for datasets of calls
//     r.tags.front();                  // the tag with the worst exact match
//
// Latency is of answers computed in this run only: a remembered answer has none. Pure; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "eval/statistics.h"
#include "json/value.h"
#include "store/store.h"

namespace slipway::eval {

struct Proportion {
  int64_t passed = 0;
  int64_t total = 0;
  double rate() const {
    return total ? static_cast<double>(passed) / static_cast<double>(total) : 0;
  }
  Interval interval() const { return wilson(passed, total); }
};

// Of the cases whose scorer counts calls (eval/call_counts.h).
struct CallFigures {
  Proportion functions;          // the expected functions and no others
  Proportion no_call_precision;  // of the answers without a call, those where none was expected
  Proportion no_call_recall;     // of the rows that expect no call, those answered without one
  int64_t arguments_right = 0, arguments_given = 0, arguments_expected = 0;
  // Over all arguments of all cases, a `name=value` each (micro-averaged); 1 when there are none.
  double argument_f1() const;
};

struct TagFigures {
  std::string tag;
  Proportion exact;
};

struct Report {
  Proportion exact;           // passed the scorer
  Proportion valid;           // in the stated format: for calls, could be made
  int64_t cached = 0;         // answers remembered from an earlier run
  int64_t failures = 0;       // errors instead of answers
  double latency_p50_ms = 0;  // computed answers only; 0 when there are none
  double latency_p95_ms = 0;
  int64_t prompt_tokens = 0;  // of all cases
  int64_t cached_prompt_tokens = 0;
  int64_t completion_tokens = 0;
  std::optional<CallFigures> calls;
  std::vector<TagFigures> tags;  // worst first, then the larger
  int64_t computed() const { return exact.total - cached - failures; }
  double tokens_per_case() const;  // prompt and completion
  std::vector<store::Metric> metrics() const;
  json::Value to_json() const;
};

// The model gave an error instead of an answer; there is no latency then.
bool failed(const store::Case& c);
Report summarise(const std::vector<store::Case>& cases);

}  // namespace slipway::eval
