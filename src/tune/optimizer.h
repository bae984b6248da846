// AdamW (arXiv 1711.05101), as PyTorch computes it, with a schedule of the learning rate and
// clipping by the global norm.
//
//     Optimizer optimizer(adapter, config);
//     optimizer.step(adapter, gradient_norm)     // applies adapter.gradients; they are not cleared
//
// LoRA+ (arXiv 2402.12354): B learns `b_ratio` times faster than A. Deterministic; element by
// element, so bits do not depend on threads. Not thread-safe.
#pragma once

#include <cstdint>
#include <vector>

#include "tune/adapter.h"
#include "tune/thread_pool.h"

namespace slipway::tune {

enum class Schedule { constant, linear, cosine };

struct OptimizerConfig {
  double learning_rate = 5e-4;
  Schedule schedule = Schedule::cosine;
  int64_t total_steps = 0;  // 0: the rate stays after warm-up
  int64_t warmup_steps = 0;
  double final_fraction = 0;  // of the learning rate, at the last step
  double b_ratio = 1;         // LoRA+
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weight_decay = 0;
  double clip_norm = 1;  // 0: off
};

// For step 0, 1, ...: rises to the full rate over the warm-up, then falls to its final fraction at
// total_steps.
double learning_rate(const OptimizerConfig& config, int64_t step);

// sqrt(Σ g²), summed in a fixed order.
double global_norm(const std::vector<float>& gradients);

class Optimizer {
 public:
  Optimizer(const Adapter& adapter, const OptimizerConfig& config);
  // `norm` is the global norm of adapter.gradients.
  void step(Adapter& adapter, double norm, ThreadPool& pool);

  int64_t steps = 0;                 // taken so far
  std::vector<float> first, second;  // the moments
  const OptimizerConfig& config() const { return config_; }

 private:
  OptimizerConfig config_;
};

}  // namespace slipway::tune
