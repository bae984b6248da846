#include "tune/losses.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "tune/kernels.h"

namespace slipway::tune {
namespace {

// The loss rows (as places in batch.loss_rows) and targets that see the whole vocabulary.
Packed whole_part(const Packed& batch) {
  Packed part;
  for (const Target& target : batch.targets) {
    if (!target.choices.empty()) continue;
    if (part.loss_rows.empty() || part.loss_rows.back() != target.loss_row)
      part.loss_rows.push_back(target.loss_row);
    part.targets.push_back({static_cast<int>(part.loss_rows.size()) - 1, target.token, {}});
  }
  return part;
}

// dh += scale · (Σ_j p_j E_j - E_target) over the target's choices; returns its loss.
double choose(const WeightMatrix& head, const Target& target, const float* hidden,
              const HeadOptions& options, float* d_hidden) {
  const int width = head.cols;
  const size_t count = target.choices.size();
  static thread_local Buffer<float> embeddings;
  static thread_local std::vector<double> logits;
  float* e = embeddings.resize(count * static_cast<size_t>(width));
  logits.resize(count);
  double most = -INFINITY, of_target = 0;
  for (size_t j = 0; j < count; ++j) {
    float* row = e + j * static_cast<size_t>(width);
    dequantize(head.type, head.row(target.choices[j]), width, row);
    logits[j] = double{dot(hidden, row, width)};
    most = std::max(most, logits[j]);
    if (target.choices[j] == target.token) of_target = logits[j];
  }
  double sum = 0;
  for (const double x : logits) sum += std::exp(x - most);
  for (size_t j = 0; options.gradient && j < count; ++j) {
    const double p = std::exp(logits[j] - most) / sum;
    const auto weight = options.gradient_scale *
                        static_cast<float>(p - (target.choices[j] == target.token ? 1 : 0));
    const float* row = e + j * static_cast<size_t>(width);
    for (int i = 0; i < width; ++i) d_hidden[i] += weight * row[i];
  }
  return most + std::log(sum) - of_target;
}

}  // namespace

double Losses::run(const Packed& batch, const float* hidden, const HeadOptions& options,
                   float* d_hidden) {
  return whole(batch, hidden, options, d_hidden) + chosen(batch, hidden, options, d_hidden);
}

// Writes d_hidden: zero where no target sees the whole vocabulary.
double Losses::whole(const Packed& batch, const float* hidden, const HeadOptions& options,
                     float* d_hidden) {
  const auto width = static_cast<size_t>(head_.cols);
  const Packed part = whole_part(batch);
  entries_ = 0;
  if (options.gradient) std::memset(d_hidden, 0, batch.loss_rows.size() * width * sizeof(float));
  if (part.targets.empty()) return 0;
  float* some = some_.resize(part.loss_rows.size() * width);
  float* d_some = d_some_.resize(part.loss_rows.size() * width);
  for (size_t i = 0; i < part.loss_rows.size(); ++i) {
    std::memcpy(some + i * width, hidden + static_cast<size_t>(part.loss_rows[i]) * width,
                width * sizeof(float));
  }
  const double loss = vocabulary_.run(part, some, options, d_some);
  entries_ = vocabulary_.entries();
  for (size_t i = 0; options.gradient && i < part.loss_rows.size(); ++i) {
    std::memcpy(d_hidden + static_cast<size_t>(part.loss_rows[i]) * width, d_some + i * width,
                width * sizeof(float));
  }
  return loss;
}

// One task per loss row: its targets, in their order, add to its gradient.
double Losses::chosen(const Packed& batch, const float* hidden, const HeadOptions& options,
                      float* d_hidden) {
  const auto& targets = batch.targets;
  std::vector<double> losses(batch.loss_rows.size(), 0);
  pool_.run(static_cast<int>(losses.size()), [&](int row, int) {
    const int64_t at = int64_t{row} * head_.cols;
    auto target = std::lower_bound(targets.begin(), targets.end(), row,
                                   [](const Target& t, int r) { return t.loss_row < r; });
    for (; target != targets.end() && target->loss_row == row; ++target) {
      if (target->choices.empty()) continue;
      losses[static_cast<size_t>(row)] +=
          choose(head_, *target, hidden + at, options, d_hidden + at);
    }
  });
  for (const Target& target : targets)
    entries_ += static_cast<int64_t>(target.choices.size());
  return std::accumulate(losses.begin(), losses.end(), 0.0);
}

}  // namespace slipway::tune
