#include "tune/adapter.h"

#include <algorithm>
#include <cmath>

#include "tune/philox.h"

namespace slipway::tune {
namespace {

constexpr uint64_t init_stream = 1;

std::pair<int, int> in_and_out(const Shape& s, Module m) {
  switch (m) {
    case Module::q:
      return {s.width, s.q_width()};
    case Module::k:
    case Module::v:
      return {s.width, s.kv_width()};
    case Module::o:
      return {s.q_width(), s.width};
    case Module::gate:
    case Module::up:
      return {s.width, s.ff};
    case Module::down:
      return {s.ff, s.width};
  }
  return {0, 0};
}

}  // namespace

Adapter::Adapter(const Shape& shape, const LoraConfig& config, uint64_t seed) : config_(config) {
  index_.assign(static_cast<size_t>(shape.layers) * module_count, -1);
  int64_t size = 0;
  const int end = config.layer_end > 0 ? std::min(config.layer_end, shape.layers) : shape.layers;
  for (int layer = config.first_layer; layer < end; ++layer) {
    for (const Module m : config.modules) {
      int& index = index_[static_cast<size_t>(layer) * module_count + static_cast<size_t>(m)];
      if (index >= 0) continue;
      index = static_cast<int>(weights_.size());
      const auto [in, out] = in_and_out(shape, m);
      weights_.push_back({layer, m, in, out, size, size + int64_t{config.rank} * in});
      size += int64_t{config.rank} * (in + out);
    }
  }
  parameters.assign(static_cast<size_t>(size), 0.0f);
  gradients.assign(static_cast<size_t>(size), 0.0f);
  for (const AdaptedWeight& w : weights_) {
    const float bound = 1.0f / std::sqrt(static_cast<float>(w.in));
    for (int64_t i = w.a; i < w.b; ++i) {
      const float u = uniform(philox(seed, init_stream, static_cast<uint64_t>(i))[0]);
      parameters[static_cast<size_t>(i)] = bound * (2 * u - 1);
    }
  }
}

float Adapter::scale() const {
  const auto rank = static_cast<float>(config_.rank);
  return config_.alpha / (config_.rank_stabilised ? std::sqrt(rank) : rank);
}

const AdaptedWeight* Adapter::find(int layer, Module module) const {
  const int index = index_[static_cast<size_t>(layer) * module_count + static_cast<size_t>(module)];
  return index < 0 ? nullptr : &weights_[static_cast<size_t>(index)];
}

}  // namespace slipway::tune
