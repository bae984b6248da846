// Training as a recorded run that survives: epochs over examples in a shuffled order, metrics in
// the store, a judgement after each epoch, the best adapter kept, checkpoints to continue from.
//
//     Fit fit{.weights_path = gguf, .examples = &data.examples, .store = store};
//     fit.judge = [&](const FitEpoch& epoch) { return exact_match(epoch.adapter_path); };
//     SLIPWAY_TRY(fitted, run_fit(fit));       // fitted.adapter_sha256, fitted.best_score
//
// The same inputs and settings give the same adapter, byte by byte, whatever the number of threads
// and however often the training was killed and resumed: the order of examples is a function of
// seed and epoch, and everything else lies in the checkpoint. State: <store>/tune/<run>/, removed
// when the run is finished. One call, one thread (and the trainer's own).
//
// Errors: cancelled (a checkpoint was written), exhausted (diverged: the last good checkpoint is
// kept; disk full), not_found (nothing to resume), those of Trainer, Store and judge. A run that
// ended so can be resumed.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/result.h"
#include "json/value.h"
#include "store/store.h"
#include "tune/trainer.h"

namespace slipway::lab {

inline constexpr const char* diverged_tag = "diverged";  // 1: the run's loss left all bounds

struct FitSettings {
  FitSettings() {
    train.optimizer.schedule = tune::Schedule::linear;
    train.seed = 0;
  }
  tune::TrainConfig train;  // its schedule's steps are filled in from the figures below
  double epochs = 3;            // 0.75: three quarters of the examples, drawn by the seed
  int batch = 16;               // examples per step; the last step of an epoch takes what is left
  int64_t warmup_steps = -1;    // -1: a tenth of all steps
  int patience = 0;             // end after so many epochs without a better score; 0: off
  json::Value to_json() const;  // what decides the adapter
};

struct FitProgress {
  int64_t step = 0, total_steps = 0;
  const std::vector<double>* losses;  // of each step so far
  double tokens_per_s = 0;            // lately
  double eta_ms = 0;
};

struct FitEpoch {
  std::string run_id;
  int epoch = 0;
  std::string adapter_path;
  double loss = 0;              // mean over its steps
  std::optional<double> score;  // once judged
  bool best = false;            // so far
};

struct Fit {
  std::string weights_path;
  const std::vector<tune::Example>* examples = nullptr;
  FitSettings settings;
  std::shared_ptr<store::Store> store;
  std::string experiment = "default";
  std::string name;
  std::string parent_run_id;  // empty: it is part of nothing
  json::Value inputs;         // what else decides the result: hashes of weights, data, prompt
  json::Value environment;    // who ran it, where
  std::string adapter_path;   // where the adapter is put at the end
  tune::Metadata metadata;    // into the adapter; a part of its bytes
  int checkpoint_steps = 50;  // and after each epoch
  bool resume = false;        // continue the newest unfinished run of the same inputs
  // The score of an epoch's adapter, higher is better; empty: the last epoch is the best.
  std::function<Result<double>(const FitEpoch& epoch)> judge;
  std::function<void(const std::string& run_id)> on_run;  // it is open: new, or continued
  std::function<void(const FitProgress&)> on_progress;
  std::function<void(const FitEpoch&)> on_epoch;  // judged
  CancelToken cancel;
};

struct Fitted {
  std::string run_id;
  bool resumed = false;
  int64_t resumed_at = 0;  // step
  int64_t steps = 0;
  int best_epoch = 0;
  std::optional<double> best_score;
  std::vector<double> losses;
  int64_t tokens = 0;      // read, prompt and answer
  double train_ms = 0;     // of the steps alone, over all sittings
  double peak_rss_mb = 0;  // of this process
  std::string adapter_path;
  std::string adapter_sha256;
};

Result<Fitted> run_fit(const Fit& fit);

}  // namespace slipway::lab
