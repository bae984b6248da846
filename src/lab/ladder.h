// The ladder: candidates evaluated one after the other on the same rows, the talk's climb from a
// naive prompt upwards.
//
//     SLIPWAY_TRY(steps, climb(bench, {.on_rung = show}));
//
// Everything is a run of kind `eval` under one parent of kind `ladder`. A rung whose candidate says
// `tune` is trained first, once (lab/tuned_candidate.h).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/result.h"
#include "eval/runner.h"
#include "lab/tuning.h"
#include "lab/workbench.h"

namespace slipway::lab {

struct Rung {
  CandidateSpec spec;
  std::string candidate_id;
  eval::EvaluationResult result;
};

struct ClimbOptions {
  bool fresh = false;  // neither remembered answers nor unfinished runs
  std::function<void(const CandidateSpec&, const eval::Progress&)> on_progress;
  std::function<void(const Rung&)> on_rung;  // as each is done
  TuneHooks tune_hooks;                      // of rungs that are trained first
  CancelToken cancel;
};

struct Climb {
  std::string run_id;  // the parent
  std::vector<Rung> rungs;
};

Result<Climb> climb(Workbench& bench, const ClimbOptions& options);

}  // namespace slipway::lab
