#include "tune/loss_head.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "tune/kernels.h"

namespace slipway::tune {
namespace {

constexpr int tile = 4096;             // vocabulary rows at a time
constexpr size_t most_entries = 8192;  // per row; a row with more is done densely

size_t size_of(int rows, int width) {
  return static_cast<size_t>(rows) * static_cast<size_t>(width);
}

float largest(const float* x, int count) {
  float lane[16];
  std::fill(lane, lane + 16, -std::numeric_limits<float>::infinity());
  int i = 0;
  for (; i + 16 <= count; i += 16) {
    for (int j = 0; j < 16; ++j) lane[j] = x[i + j] > lane[j] ? x[i + j] : lane[j];
  }
  for (; i < count; ++i) lane[0] = std::max(lane[0], x[i]);
  return *std::max_element(lane, lane + 16);
}

// Σ exp(x - most); when `in_place`, x becomes exp(x - most).
template <bool in_place>
double sum_of_exponentials(std::conditional_t<in_place, float, const float>* x, int count,
                           float most) {
  float lane[16] = {};
  int i = 0;
  for (; i + 16 <= count; i += 16) {
    for (int j = 0; j < 16; ++j) {
      const float e = fast_exp(x[i + j] - most);
      lane[j] += e;
      if constexpr (in_place) x[i + j] = e;
    }
  }
  for (int j = 0; i < count; ++i, ++j) {
    const float e = fast_exp(x[i] - most);
    lane[j] += e;
    if constexpr (in_place) x[i] = e;
  }
  return std::accumulate(lane, lane + 16, 0.0);
}

}  // namespace

int64_t LossHead::entries() const {
  const auto sparse = static_cast<double>(rows_.size() - static_cast<size_t>(dense_rows_));
  return std::llround(kept_per_row_ * sparse) + int64_t{dense_rows_} * head_.rows;
}

double LossHead::Row::log_sum() const { return double{most} + std::log(sum); }

void LossHead::start(const Packed& batch) {
  const size_t count = batch.loss_rows.size();
  rows_.resize(count);
  for (Row& row : rows_) {
    row.most = -std::numeric_limits<float>::infinity();
    row.sum = 0;
    row.dense = false;
    row.entries.clear();
  }
  target_logits_.assign(batch.targets.size(), 0);
  first_target_.assign(count + 1, 0);
  for (const Target& t : batch.targets) ++first_target_[static_cast<size_t>(t.loss_row) + 1];
  std::partial_sum(first_target_.begin(), first_target_.end(), first_target_.begin());
  kept_per_row_ = 0;
  dense_rows_ = 0;
}

// logits_[rows, count] of vocabulary rows [first, first + count).
void LossHead::logits_of_tile(const PackedRows& rows, int first, int count) {
  WeightMatrix part = head_;
  part.data = head_.row(first);
  part.rows = count;
  const Product product{count, logits_.data(), count, {{&rows, transposed(part)}}, false};
  multiply(pool_, std::span(&product, 1));
}

void LossHead::take_row(Row& row, const float* logits, int first, int count,
                        const HeadOptions& options) {
  const float most = largest(logits, count);
  // Also when not a number: then the loss is none either, and the trainer stops.
  if (!(most <= row.most)) {
    row.sum *= row.sum > 0 ? std::exp(double{row.most} - double{most}) : 0;
    row.most = most;
  }
  row.sum += sum_of_exponentials<false>(logits, count, row.most);
  if (!options.gradient || options.dense || row.dense) return;
  const auto reach = static_cast<float>(row.log_sum() + std::log(double{options.epsilon}));
  if (!(most > reach)) return;
  for (int i = 0; i < count; i += 16) {
    const int end = std::min(i + 16, count);
    bool any = false;
    for (int j = i; j < end; ++j) any |= logits[j] > reach;
    for (int j = i; any && j < end; ++j) {
      if (logits[j] > reach) row.entries.push_back({first + j, logits[j]});
    }
  }
  if (row.entries.size() <= most_entries) return;
  std::erase_if(row.entries, [&](const Entry& e) { return e.logit <= reach; });
  if (row.entries.size() <= most_entries) return;
  row.dense = true;
  row.entries.clear();
}

void LossHead::take_targets(const Packed& batch, int first, int count) {
  for (size_t t = 0; t < batch.targets.size(); ++t) {
    const Target& target = batch.targets[t];
    if (target.token < first || target.token >= first + count) continue;
    target_logits_[t] =
        logits_[size_of(target.loss_row, count) + static_cast<size_t>(target.token - first)];
  }
}

void LossHead::sparse_pass(const Packed& batch, const HeadOptions& options) {
  const int rows = packed_.rows();
  logits_.resize(size_of(rows, std::min(tile, head_.rows)));
  for (int first = 0; first < head_.rows; first += tile) {
    const int count = std::min(tile, head_.rows - first);
    logits_of_tile(packed_, first, count);
    take_targets(batch, first, count);
    pool_.run_ranges(rows, 4, [&](int begin, int end) {
      for (int r = begin; r < end; ++r) {
        take_row(rows_[static_cast<size_t>(r)], logits_.data() + size_of(r, count), first, count,
                 options);
      }
    });
  }
}

// dh = Σ_j p_j E_j over the entries that were kept; rows where that leaves out too much are named
// in `dense`. Logits of rounded numbers chose the entries; what enters is computed again.
void LossHead::sparse_gradient(const float* hidden, const HeadOptions& options, float* d_hidden,
                               std::vector<int>& dense) {
  const int width = head_.cols;
  std::vector<char> again(rows_.size(), 0);
  pool_.run(static_cast<int>(rows_.size()), [&](int r, int) {
    Row& row = rows_[static_cast<size_t>(r)];
    const double log_sum = row.log_sum();
    double kept = 0;
    std::erase_if(row.entries, [&](const Entry& entry) {
      const double p = std::exp(double{entry.logit} - log_sum);
      if (p > double{options.epsilon}) kept += p;
      return !(p > double{options.epsilon});
    });
    if (row.dense || !(1 - kept <= double{options.most_left_out})) {
      again[static_cast<size_t>(r)] = 1;
      return;
    }
    sum_entries(row, hidden + int64_t{r} * width, options, d_hidden + int64_t{r} * width);
    const auto factor =
        static_cast<float>(double{options.gradient_scale} * target_count(r) / row.sum);
    for (int i = 0; i < width; ++i) d_hidden[int64_t{r} * width + i] *= factor;
  });
  size_t entries = 0;
  for (size_t r = 0; r < rows_.size(); ++r) {
    if (again[r]) dense.push_back(static_cast<int>(r));
    if (!again[r]) entries += rows_[r].entries.size();
  }
  const size_t sparse = rows_.size() - dense.size();
  kept_per_row_ = sparse > 0 ? static_cast<double>(entries) / static_cast<double>(sparse) : 0;
}

// d = Σ_j exp(x_j - most) E_j; the row's sum becomes that of the logits that were computed again.
void LossHead::sum_entries(Row& row, const float* hidden, const HeadOptions& options, float* d) {
  const int width = head_.cols;
  static thread_local Buffer<float> embedding;
  float* e = embedding.resize(static_cast<size_t>(width));
  std::memset(d, 0, static_cast<size_t>(width) * sizeof(float));
  for (const Entry& entry : row.entries) {
    dequantize(head_.type, head_.row(entry.token), width, e);
    double weight = std::exp(double{entry.logit} - double{row.most});
    if (options.precision != Precision::single) {
      const double exact = std::exp(double{dot(hidden, e, width)} - double{row.most});
      row.sum += exact - weight;
      weight = exact;
    }
    const auto w = static_cast<float>(weight);
    for (int i = 0; i < width; ++i) d[i] += w * e[i];
  }
}

// For the rows named: Σ_j exp(x_j) E_j with a running maximum, divided by Σ_j exp(x_j) at the end.
void LossHead::dense_pass(const Packed& batch, const float* hidden, const HeadOptions& options,
                          float* d_hidden, const std::vector<int>& rows, bool take_loss) {
  const int count = static_cast<int>(rows.size()), width = head_.cols;
  float* some = some_.resize(size_of(count, width));
  for (int64_t i = 0; i < count; ++i) {
    std::memcpy(some + i * width, hidden + int64_t{rows[static_cast<size_t>(i)]} * width,
                static_cast<size_t>(width) * 4);
    Row& row = rows_[static_cast<size_t>(rows[static_cast<size_t>(i)])];
    row.most = -std::numeric_limits<float>::infinity();
    row.sum = 0;
  }
  packed_.set_precision(Precision::single);
  packed_.pack(pool_, some, count, width, width);
  float* sums = sums_.resize(size_of(count, width));
  std::memset(sums, 0, size_of(count, width) * sizeof(float));
  logits_.resize(size_of(count, std::min(tile, head_.rows)));
  for (int first = 0; first < head_.rows; first += tile) {
    const int part = std::min(tile, head_.rows - first);
    logits_of_tile(packed_, first, part);
    if (take_loss) take_targets(batch, first, part);  // only when all rows are here, in order
    pool_.run_ranges(count, 4, [&](int begin, int end) {
      for (int i = begin; i < end; ++i) {
        Row& row = rows_[static_cast<size_t>(rows[static_cast<size_t>(i)])];
        float* x = logits_.data() + size_of(i, part);
        const float most = largest(x, part);
        if (!(most <= row.most)) {
          const auto factor =
              static_cast<float>(row.sum > 0 ? std::exp(double{row.most} - double{most}) : 0);
          row.sum *= double{factor};
          row.most = most;
          for (int k = 0; k < width; ++k)
            sums[size_of(i, width) + static_cast<size_t>(k)] *= factor;
        }
        row.sum += sum_of_exponentials<true>(x, part, row.most);
      }
    });
    packed_p_.pack(pool_, logits_.data(), count, part, part);
    WeightMatrix embeddings = head_;
    embeddings.data = head_.row(first);
    embeddings.rows = part;
    const Product product{width, sums, width, {{&packed_p_, plain(embeddings)}}, true};
    multiply(pool_, std::span(&product, 1));
  }
  for (int64_t i = 0; i < count; ++i) {
    const int r = rows[static_cast<size_t>(i)];
    const float scale = options.gradient_scale * static_cast<float>(target_count(r)) /
                        static_cast<float>(rows_[static_cast<size_t>(r)].sum);
    for (int k = 0; k < width; ++k) d_hidden[int64_t{r} * width + k] = scale * sums[i * width + k];
  }
}

void LossHead::exact_targets(const Packed& batch, const float* hidden) {
  const int width = head_.cols;
  Buffer<float> embedding(static_cast<size_t>(width));
  for (size_t t = 0; t < batch.targets.size(); ++t) {
    const Target& target = batch.targets[t];
    dequantize(head_.type, head_.row(target.token), width, embedding.data());
    target_logits_[t] = dot(hidden + int64_t{target.loss_row} * width, embedding.data(), width);
  }
}

void LossHead::subtract_targets(const Packed& batch, const HeadOptions& options, float* d_hidden) {
  const int width = head_.cols;
  Buffer<float> embedding(static_cast<size_t>(width));
  for (const Target& t : batch.targets) {
    dequantize(head_.type, head_.row(t.token), width, embedding.data());
    float* d = d_hidden + int64_t{t.loss_row} * width;
    for (int i = 0; i < width; ++i)
      d[i] -= options.gradient_scale * embedding[static_cast<size_t>(i)];
  }
}

double LossHead::run(const Packed& batch, const float* hidden, const HeadOptions& options,
                     float* d_hidden) {
  start(batch);
  const int rows = static_cast<int>(batch.loss_rows.size());
  std::vector<int> dense;
  if (options.gradient && options.dense) {
    dense.resize(rows_.size());
    std::iota(dense.begin(), dense.end(), 0);
    dense_pass(batch, hidden, options, d_hidden, dense, true);
  } else {
    packed_.set_precision(options.precision);
    packed_.pack(pool_, hidden, rows, head_.cols, head_.cols);
    sparse_pass(batch, options);
    if (options.gradient) sparse_gradient(hidden, options, d_hidden, dense);
    if (options.precision != Precision::single) exact_targets(batch, hidden);
  }
  double loss = 0;
  for (size_t t = 0; t < batch.targets.size(); ++t) {
    loss +=
        rows_[static_cast<size_t>(batch.targets[t].loss_row)].log_sum() - double{target_logits_[t]};
  }
  if (options.gradient && !options.dense && !dense.empty())
    dense_pass(batch, hidden, options, d_hidden, dense, false);
  dense_rows_ = static_cast<int>(dense.size());
  if (options.gradient) subtract_targets(batch, options, d_hidden);
  return loss;
}

}  // namespace slipway::tune
