// The loss of a pass and its gradient: targets chosen from few tokens by the softmax over these
// tokens alone, all others by the head over the whole vocabulary (tune/loss_head.h).
//
//     Losses losses(base->head, pool);
//     double loss = losses.run(batch, hidden, {.gradient_scale = 1.0f / targets},
//                              d_hidden);   // the sum over targets
//
// For choices C: loss = log Σ_{j∈C} exp(h·E_j) - h·E_target and dh = Σ_{j∈C} p_j E_j - E_target, in
// floats and whole. A model that answers inside a language chooses from nothing else, so nothing
// else is learnt, and the vocabulary's product is saved. Not thread-safe.
#pragma once

#include <vector>

#include "tune/batch.h"
#include "tune/buffer.h"
#include "tune/loss_head.h"
#include "tune/thread_pool.h"
#include "tune/weights.h"

namespace slipway::tune {

class Losses {
 public:
  Losses(const WeightMatrix& head, ThreadPool& pool)
      : head_(head), pool_(pool), vocabulary_(head, pool) {}

  // hidden, d_hidden: [loss rows, width]; d_hidden is written when options.gradient.
  double run(const Packed& batch, const float* hidden, const HeadOptions& options, float* d_hidden);

  // Entries of the vocabulary that entered the last run's gradient.
  int64_t entries() const { return entries_; }
  size_t bytes() const {
    return vocabulary_.bytes() + some_.capacity_bytes() + d_some_.capacity_bytes();
  }

 private:
  double whole(const Packed& batch, const float* hidden, const HeadOptions& options,
               float* d_hidden);
  double chosen(const Packed& batch, const float* hidden, const HeadOptions& options,
                float* d_hidden);

  WeightMatrix head_;
  ThreadPool& pool_;
  LossHead vocabulary_;
  Buffer<float> some_, d_some_;  // the rows among all that see the whole vocabulary
  int64_t entries_ = 0;
};

}  // namespace slipway::tune
