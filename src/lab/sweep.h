// A sweep: many trainings of one dataset that differ in rank, rate, epochs, layers or rows, each a
// run of kind `tune` below one run of kind `sweep`.
//
//     SweepSpec sweep{.name = "swept", .arms = {{"rank 4", tune_a}, {"rank 16", tune_b}}};
//     SLIPWAY_TRY(swept, run_sweep(bench, sweep, hooks));
//     swept.best, swept.arms      // by their score on dev
//
// With `halve` the arms race (successive halving, Jamieson and Talwalkar 2016): all learn from the
// first rows, the better half from twice as many, until one has learnt from all. Without it all
// learn from what they name, and when they name different numbers of rows the best score of each is
// a point of the metric `scaling.dev_exact_match`, whose step is the number of examples: the
// data-scaling curve. The weights are mapped from their file, so that all runs share their pages. A
// sweep that was killed continues with the same call: finished trainings are not made again. One
// thread. Errors: invalid_input (no dev, one arm), exhausted (every
// arm diverged), those of tuning.h.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "lab/tuning.h"

namespace slipway::lab {

struct SweepArm {
  std::string label;  // what differs, for people
  TuneSpec tune;      // its name, out and resume are the sweep's to set
  // Filled in.
  std::string run_id;   // of its last training
  size_t examples = 0;  // of that
  double score = 0;     // on dev, the best of its epochs
  double train_s = 0;
  bool raced = true;      // false: it left the race
  bool diverged = false;  // its loss left all bounds: there is no adapter, and no score
};

struct SweepSpec {
  std::string name = "swept";  // of the candidate that is best
  std::vector<SweepArm> arms;
  bool halve = true;
};

struct Swept {
  std::string run_id;
  bool resumed = false;
  std::vector<SweepArm> arms;  // in the order given
  size_t best = 0;
  std::vector<std::pair<size_t, double>> curve;  // examples, score; without `halve`
  CandidateSpec adopted;                         // the best one's adapter at adapters/NAME.gguf
  json::Value to_json() const;
};

struct SweepHooks {
  std::function<void(const SweepArm&)> on_arm;  // trained and scored
  TuneHooks tune;
};

Result<Swept> run_sweep(Workbench& bench, const SweepSpec& spec, const SweepHooks& hooks);

// Rows of each round that end with `all`; at least `fewest` in the first.
std::vector<size_t> race_rows(size_t arms, size_t all, size_t fewest);

}  // namespace slipway::lab
