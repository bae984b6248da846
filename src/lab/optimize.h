// Searches worked examples and instructions for a prompt within a budget of minutes.
//
//     OptimizeSpec spec{.candidate = formatted, .minutes = 10};
//     SLIPWAY_TRY(found, optimize(bench, spec, hooks));
//     found.best.source      // the prompt; written to found.path
//     found.comparison       // with the prompt it began with, on the same rows of dev
//
// Attempts are made in generations from the best prompt so far: worked examples drawn from train
// (of many functions, or of those on which the best fails), instructions less a sentence or others
// that were given. A generation is decided by successive halving (Jamieson and Talwalkar 2016): all
// attempts answer the first rows of dev, the better half twice as many, until one has answered all;
// who is shown to be worse than the leader (McNemar's exact test, alpha) leaves earlier. Each
// attempt on so many rows is a run of kind `eval` below the run of kind `optimize`.
//
// The search is a function of its seed and what was measured, so that the same call continues a run
// that was killed: what was measured is not measured again, and the minutes spent stay spent. The
// test split is never answered; rows of train that are equal to a row of dev or test are no worked
// examples. One thread. Errors: unsupported (a prompt of another form), invalid_input (a test
// split, too few rows), cancelled, those of eval::evaluate.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "eval/compare.h"
#include "lab/prompt_parts.h"
#include "lab/workbench.h"

namespace slipway::lab {

struct OptimizeSpec {
  CandidateSpec candidate;
  std::string train = "train", dev = "dev";
  std::vector<std::string> instructions;  // others to try
  double minutes = 10;
  int attempts = 8;  // in a generation
  double alpha = 0.05;
  uint64_t seed = 0;
  std::string name = "optimized";  // prompts/NAME.jinja
};

// One prompt, as far as it got.
struct Attempt {
  int number = 0;    // 0: the prompt it began with
  std::string what;  // was changed, for people
  PromptParts parts;
  std::string candidate_id, run_id;  // of the most rows it answered
  int64_t rows = 0, passed = 0;
};

struct Optimized {
  std::string run_id;
  bool resumed = false;
  int generations = 0;            // that were decided
  std::vector<Attempt> attempts;  // by number
  Attempt best;                   // number 0: nothing better was found
  eval::Comparison comparison;    // first: the prompt it began with; second: the best
  std::string path;               // of the best prompt; empty: nothing better was found
  double spent_ms = 0;            // over all sittings
  CandidateSpec adopted;          // as it would stand in slipway.toml
  json::Value to_json() const;
};

struct OptimizeHooks {
  std::function<void(const Attempt&)> on_attempt;  // answered its rows
  std::function<void(const Attempt&, const eval::Progress&, double spent_ms)> on_progress;
  CancelToken cancel;
};

Result<Optimized> optimize(Workbench& bench, const OptimizeSpec& spec, const OptimizeHooks& hooks);

}  // namespace slipway::lab
