#include "tune/optimizer.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace slipway::tune {

double learning_rate(const OptimizerConfig& c, int64_t step) {
  if (step < c.warmup_steps) {
    return c.learning_rate * static_cast<double>(step + 1) /
           static_cast<double>(c.warmup_steps + 1);
  }
  if (c.total_steps <= c.warmup_steps || c.schedule == Schedule::constant) return c.learning_rate;
  const double done = std::min(1.0, static_cast<double>(step - c.warmup_steps) /
                                        static_cast<double>(c.total_steps - c.warmup_steps));
  const double left =
      c.schedule == Schedule::linear ? 1 - done : 0.5 * (1 + std::cos(std::numbers::pi * done));
  return c.learning_rate * (c.final_fraction + (1 - c.final_fraction) * left);
}

double global_norm(const std::vector<float>& gradients) {
  double lane[8] = {};
  for (size_t i = 0; i < gradients.size(); ++i)
    lane[i % 8] += double{gradients[i]} * double{gradients[i]};
  double sum = 0;
  for (const double part : lane) sum += part;
  return std::sqrt(sum);
}

Optimizer::Optimizer(const Adapter& adapter, const OptimizerConfig& config)
    : first(adapter.parameters.size()), second(adapter.parameters.size()), config_(config) {}

void Optimizer::step(Adapter& adapter, double norm, ThreadPool& pool) {
  const OptimizerConfig& c = config_;
  const double rate = learning_rate(c, steps);
  ++steps;
  const auto clip =
      static_cast<float>(c.clip_norm > 0 && norm > c.clip_norm ? c.clip_norm / (norm + 1e-6) : 1.0);
  const double correction1 = 1 - std::pow(c.beta1, static_cast<double>(steps));
  const double correction2 = 1 - std::pow(c.beta2, static_cast<double>(steps));
  const auto beta1 = static_cast<float>(c.beta1), beta2 = static_cast<float>(c.beta2);
  const auto inverse_root2 = static_cast<float>(1 / std::sqrt(correction2)),
             epsilon = static_cast<float>(c.epsilon);
  const auto update = [&](int64_t begin, int64_t end, double part_rate) {
    const auto step_size = static_cast<float>(part_rate / correction1);
    const auto decay = static_cast<float>(1 - part_rate * c.weight_decay);
    float* p = adapter.parameters.data();
    const float* gradient = adapter.gradients.data();
    for (int64_t i = begin; i < end; ++i) {
      const float g = gradient[i] * clip;
      float& m = first[static_cast<size_t>(i)];
      float& v = second[static_cast<size_t>(i)];
      m = beta1 * m + (1 - beta1) * g;
      v = beta2 * v + (1 - beta2) * g * g;
      p[i] = p[i] * decay - step_size * m / (std::sqrt(v) * inverse_root2 + epsilon);
    }
  };
  pool.run(static_cast<int>(adapter.weights().size()), [&](int i, int) {
    const AdaptedWeight& w = adapter.weights()[static_cast<size_t>(i)];
    update(w.a, w.b, rate);
    update(w.b, w.b + int64_t{adapter.config().rank} * w.out, rate * c.b_ratio);
  });
}

}  // namespace slipway::tune
