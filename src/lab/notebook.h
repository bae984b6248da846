// The lab notebook: what was tried, in order; what changed against the candidate before; what that
// did to the figures. Written by nobody: it is read from the store.
//
//     SLIPWAY_TRY(notebook, read_notebook(*store, {.limit = 100}));
//     for (const auto& entry : notebook.entries) use(entry.title, entry.changed, entry.effect);
//
// An evaluation is compared with the one before it on the same rows (of the same candidate, when it
// was there before): paired, with an interval and McNemar's exact test. Evaluations inside a
// training, a gate or a reproduction belong to that entry and have none of their own. Pure reading;
// thread-safe. Errors: the store's.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "eval/statistics.h"
#include "json/value.h"
#include "store/store.h"

namespace slipway::lab {

// One part of a candidate that is not what it was: "prompt", "adapters", "decoding", ...
struct Change {
  std::string part;
  std::string before, after;  // texts for people; of a prompt the whole of it
};

// Between two candidates as Candidate::to_json describes them.
std::vector<Change> candidate_changes(const json::Value& before, const json::Value& after);

struct Effect {
  eval::Pairs pairs;          // first: the run before; second: this one
  eval::Interval difference;  // 95 %
  double p_value = 1;         // McNemar's exact test
  double change() const;      // share of the rows, second - first
};

struct NotebookEntry {
  int64_t unix_ms = 0;
  std::string kind;   // eval, tune, gate, ..., or release
  std::string title;  // "evaluated 'tuned' on test"
  std::string note;   // a verdict and its reasons, why something was forced, why a run failed
  std::string run_id;
  std::string status;  // of the run
  std::string candidate, candidate_name, dataset, dataset_sha256;
  std::vector<Change> changed;
  std::string against_run, against_name;  // what `changed` and `effect` are relative to
  std::optional<Effect> effect;
  std::map<std::string, double> figures;
};

struct NotebookQuery {
  int limit = 100;                   // entries, the newest
  int64_t before_ms = 0;             // only what began earlier; 0: all
  std::set<std::string> kinds = {};  // of runs, and "release"; empty: all
};

struct Notebook {
  std::vector<NotebookEntry> entries;  // oldest first
  bool more = false;                   // there are older ones
};

inline constexpr int most_notebook_runs = 10'000;  // looked at, the newest; of each kind asked for

// Newest first, at most `limit` of each kind.
Result<std::vector<store::Run>> newest_of_kinds(const store::Store& store,
                                                const std::set<std::string>& kinds, int limit);

Result<Notebook> read_notebook(const store::Store& store, const NotebookQuery& query);

json::Value notebook_json(const Notebook& notebook);

}  // namespace slipway::lab
