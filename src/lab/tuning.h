// `slipway tune` as a function: a dataset becomes an adapter, and model, adapter, prompt and skills
// a candidate that can be evaluated at once.
//
//     TuneSpec spec{.dataset = "train", .model = "gemma-3-270m", .prompt = "prompts/short.jinja"};
//     SLIPWAY_TRY(tuned, tune_candidate(bench, spec, hooks));
//     tuned.fitted.adapter_path, tuned.spec          // slipway.toml: to_toml(tuned.spec)
//
// Rows become tokens by lab/tuning_data.h, training is lab/fit.h. Datasets of the project whose
// split is dev or test are held out: rows equal to theirs are not learnt. After each epoch the
// candidate is evaluated on dev as a run of its own, below the tuning's. The adapter is written to
// the project and kept as an object of the store. One thread. Errors: not_found (model, dataset),
// invalid_input, unsupported (an endpoint; weights the trainer does not know), those of fit.h.
#pragma once

#include <functional>
#include <string>

#include "eval/runner.h"
#include "lab/fit.h"
#include "lab/tuning_data.h"
#include "lab/workbench.h"

namespace slipway::lab {

struct TuneSpec {
  std::string name = "tuned";  // of the candidate
  std::string dataset;         // of the project, or a path
  std::string dev;             // the same; empty: no evaluation between epochs
  std::string model;
  std::string prompt;  // path; "none": the request and nothing else
  std::string out;     // the adapter; empty: adapters/NAME.gguf
  FitSettings settings;
  size_t limit = 0;  // only the first rows; 0: all
  int copies = 0;    // of each row, varied by the training's seed (dataset/vary.h)
  bool whole_vocabulary = false;  // learn each token of a call among all, not among its choices
  int checkpoint_steps = 50;
  bool resume = false;
  std::string parent_run_id;  // of the sweep it belongs to
};

struct TuneHooks {
  std::function<void(const TuningData&)> on_data;  // before the first step
  std::function<void(const std::string& run_id)> on_run;  // it is open
  std::function<void(const FitProgress&)> on_progress;
  std::function<void(const FitEpoch&)> on_epoch;
  std::function<void(const eval::Progress&)> on_dev;
  std::function<void(int member, int members)> on_member;  // of a candidate made of several
  CancelToken cancel;
};

struct Tuned {
  Fitted fitted;
  CandidateSpec spec;
  size_t examples = 0;
  std::vector<SkippedRow> skipped;
};

// What `--prompt none` trains and asks with.
inline constexpr std::string_view minimal_prompt = "{{ input }}\n=>\n";

Result<Tuned> tune_candidate(Workbench& bench, const TuneSpec& spec, const TuneHooks& hooks);

// What each learnt token is chosen from, as the run's inputs name it.
inline std::string chosen_from(bool choices) { return choices ? "choices" : "vocabulary"; }

}  // namespace slipway::lab
