// Trains a LoRA adapter on the weights of a GGUF file, on the CPU.
//
//     tune::TrainConfig config;                      // rank 16 on all seven modules, AdamW
//     config.optimizer.total_steps = 180;
//     SLIPWAY_TRY(trainer, tune::Trainer::open("gemma-3-270m.gguf", config));
//     SLIPWAY_TRY(result, trainer->step(batch));     // examples of {prompt, completion} tokens
//     SLIPWAY_CHECK(trainer->save_checkpoint("run.ckpt", cursor));
//     SLIPWAY_CHECK(trainer->save_adapter("lights.gguf", {{"general.name", "lights"}}));
//
// The adapter is a file that llama.cpp loads.
// The loss is the mean over all completion tokens of a batch that leave a choice (tune/losses.h). A
// batch is divided into passes of at most `max_rows` rows whose gradients add up, so memory does
// not depend on the batch's size. Prompts that several examples begin with are computed once.
//
// Deterministic: the same calls give the same bits for any number of threads, and after a restart
// from a checkpoint (on one CPU level: AVX2, bfloat16 and portable code round differently). `exact`
// keeps floats and the whole softmax gradient; the default keeps halves, multiplies bfloat16 where
// the processor does, and leaves out gradient entries below `epsilon` (tune/loss_head.h states the
// error).
//
// Threads: one trainer is used by one thread at a time; several trainers may share one BaseModel.
// Errors: those of BaseModel; invalid_input (an example that cannot be trained, settings out of
// range), exhausted (the loss or gradient became infinite or not a number: parameters stay as they
// were before that step), corrupt (checkpoint).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "tune/adapter.h"
#include "tune/base_model.h"
#include "tune/batch.h"
#include "tune/optimizer.h"

namespace slipway::tune {

struct TrainConfig {
  LoraConfig lora;
  OptimizerConfig optimizer;
  float dropout = 0;
  uint64_t seed = 1;
  int threads = 0;  // 0: those that may be used; never changes a bit
  bool exact = false;
  float epsilon = 5e-7f;  // of the sparse softmax gradient; 0: dense
  bool share_prefixes = true;
  int max_rows = 640;     // per pass: what memory is spent on
  int max_tokens = 2048;  // per example; longer ones are refused
  // For what layers below `lora.first_layer` make of the rows, when epochs repeat them
  // (tune/frozen.h); 0: none.
  size_t frozen_bytes = 0;
};

struct StepResult {
  int64_t step = 0;          // 1 for the first
  double loss = 0;           // mean over the learnt tokens, before the update
  double gradient_norm = 0;  // before clipping
  double learning_rate = 0;
  int tokens = 0;  // of the batch, prompt and completion
  int learnt_tokens = 0;  // of the completions, those with a choice
  int rows = 0;       // computed: fewer than tokens when prefixes are shared
  int loss_rows = 0;  // of these, rows that predict something
  int layers = 0;     // computed for them: fewer when those below the adapter are remembered
  int64_t head_entries = 0;  // of their softmax gradients, as many as were computed
  double milliseconds = 0;
};

class Trainer {
 public:
  static Result<std::unique_ptr<Trainer>> open(const std::string& gguf_path,
                                               const TrainConfig& config);
  static Result<std::unique_ptr<Trainer>> open(std::shared_ptr<const BaseModel> base,
                                               const TrainConfig& config);
  ~Trainer();
  Trainer(const Trainer&) = delete;
  Trainer& operator=(const Trainer&) = delete;

  // What `step` would refuse in an example: empty, too long, tokens outside the vocabulary.
  Status check(const Example& example) const;

  Result<StepResult> step(std::span<const Example> batch);
  // Mean loss over the learnt tokens of a set, no dropout, nothing changed.
  Result<double> loss(std::span<const Example> examples);
  // Loss and adapter().gradients of a batch without an update (tests, curves).
  Result<double> gradients(std::span<const Example> batch);

  const BaseModel& base() const;
  const TrainConfig& config() const;
  Adapter& adapter();
  int64_t steps() const;
  size_t buffer_bytes() const;  // activations and scratch, without weights and optimizer

  Status save_adapter(const std::string& path, const Metadata& metadata) const;
  // Parameters, moments and step, and the caller's own place in its data. Atomic: the old file or
  // the new one.
  Status save_checkpoint(const std::string& path, std::string_view cursor) const;
  // Returns the cursor. Errors: corrupt, invalid_input (made by other settings or for another
  // model).
  Result<std::string> load_checkpoint(const std::string& path);

 private:
  struct Impl;
  explicit Trainer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipway::tune
