// The vocabulary head: cross-entropy of the rows that predict something, and its gradient, without
// ever holding rows × vocabulary logits.
//
//     LossHead head(base->head, pool);
//     double loss = head.run(batch, hidden, {.gradient_scale = 1.0f / targets},
//                            d_hidden);   // the sum over targets
//
// For hidden h and the head's rows E, loss = log Σ_j exp(h·E_j) - h·E_target and
// dh = Σ_j p_j E_j - E_target: attention of h over the vocabulary. It runs over tiles of the
// vocabulary with an online softmax.
//
// Dense: both products per tile, exact. Sparse: one product; while the tiles pass, logits within
// reach of the running log Σ are kept, and only entries with p_j > epsilon enter dh. A row's error
// is at most its left-out probability times the longest E_j; that probability is known exactly, and
// rows where it exceeds `most_left_out` are done densely. (The observation that most of a softmax
// gradient is nothing: Cut Cross-Entropy, arXiv 2411.09009.) Not thread-safe.
#pragma once

#include <vector>

#include "tune/batch.h"
#include "tune/buffer.h"
#include "tune/gemm.h"
#include "tune/thread_pool.h"
#include "tune/weights.h"

namespace slipway::tune {

struct HeadOptions {
  bool gradient = true;
  bool dense = false;
  float epsilon = 5e-7f;
  float most_left_out = 0.05f;
  float gradient_scale = 1;                 // of the sum over targets
  Precision precision = Precision::single;  // of the logits; the dense pass is always single
};

class LossHead {
 public:
  LossHead(const WeightMatrix& head, ThreadPool& pool) : head_(head), pool_(pool) {}

  // hidden, d_hidden: [loss rows, width]; d_hidden is written when options.gradient.
  double run(const Packed& batch, const float* hidden, const HeadOptions& options, float* d_hidden);

  // Of the last run: entries per row in the sparse gradient, and rows done densely.
  double kept_per_row() const { return kept_per_row_; }
  int dense_rows() const { return dense_rows_; }
  // Entries of all rows that entered the gradient.
  int64_t entries() const;
  size_t bytes() const {
    return logits_.capacity_bytes() + sums_.capacity_bytes() + some_.capacity_bytes();
  }

 private:
  struct Entry {
    int32_t token;
    float logit;
  };
  struct Row {
    float most = 0;      // the largest logit so far
    double sum = 0;      // Σ exp(logit - most)
    bool dense = false;  // too many entries to keep
    std::vector<Entry> entries;
    double log_sum() const;
  };

  void start(const Packed& batch);
  void logits_of_tile(const PackedRows& rows, int first, int count);
  void take_row(Row& row, const float* logits, int first, int count, const HeadOptions& options);
  void take_targets(const Packed& batch, int first, int count);
  void sparse_pass(const Packed& batch, const HeadOptions& options);
  void dense_pass(const Packed& batch, const float* hidden, const HeadOptions& options,
                  float* d_hidden, const std::vector<int>& rows, bool take_loss);
  void sparse_gradient(const float* hidden, const HeadOptions& options, float* d_hidden,
                       std::vector<int>& dense);
  void sum_entries(Row& row, const float* hidden, const HeadOptions& options, float* d);
  void exact_targets(const Packed& batch, const float* hidden);
  void subtract_targets(const Packed& batch, const HeadOptions& options, float* d_hidden);
  int target_count(int loss_row) const {
    return first_target_[static_cast<size_t>(loss_row) + 1] -
           first_target_[static_cast<size_t>(loss_row)];
  }

  WeightMatrix head_;
  ThreadPool& pool_;
  PackedRows packed_, packed_p_;
  Buffer<float> logits_, sums_, some_;
  std::vector<Row> rows_;
  std::vector<float> target_logits_;  // per target
  std::vector<int> first_target_;     // per loss row, and one more
  double kept_per_row_ = 0;
  int dense_rows_ = 0;
};

}  // namespace slipway::tune
