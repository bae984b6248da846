#include "tune/adapter.h"

#include <algorithm>
#include <cmath>

#include "tune/philox.h"

namespace slipway::tune {
namespace {

constexpr uint64_t init_stream = 1;

std::string tensor_name(const AdaptedWeight& w) {
  return "blk." + std::to_string(w.layer) + "." + std::string(module_name(w.module)) + ".weight";
}

// from[rows, cols] -> to[cols, rows]
void transpose(const float* from, int rows, int cols, float* to) {
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < cols; ++c) to[c * rows + r] = from[r * cols + c];
  }
}

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

Status Adapter::save(const std::string& path, const std::string& architecture,
                     const Metadata& metadata) const {
  GgufWriter file;
  file.add("general.type", std::string_view("adapter"));
  file.add("general.architecture", architecture);
  file.add("adapter.type", std::string_view("lora"));
  // Readers know only alpha / rank, so the rank-stabilised scale is stated through alpha.
  file.add("adapter.lora.alpha", scale() * static_cast<float>(config_.rank));
  for (const auto& [key, value] : metadata) file.add(key, value);
  const int rank = config_.rank;
  std::vector<float> b;
  for (const AdaptedWeight& w : weights_) {
    const std::string name = tensor_name(w);
    const auto a_size = static_cast<size_t>(int64_t{rank} * w.in),
               b_size = static_cast<size_t>(int64_t{rank} * w.out);
    file.add_floats(name + ".lora_a", {w.in, rank}, {parameters.data() + w.a, a_size});
    b.resize(b_size);
    transpose(parameters.data() + w.b, rank, w.out, b.data());
    file.add_floats(name + ".lora_b", {rank, w.out}, b);
  }
  return file.write(path);
}

Status Adapter::load(const std::string& path) {
  SLIPWAY_TRY(file, GgufFile::open(path));
  std::vector<float> loaded(parameters.size());
  const int rank = config_.rank;
  for (const AdaptedWeight& w : weights_) {
    SLIPWAY_TRY(a, file->matrix(tensor_name(w) + ".lora_a"));
    SLIPWAY_TRY(b, file->matrix(tensor_name(w) + ".lora_b"));
    if (a.rows != rank || a.cols != w.in || b.rows != w.out || b.cols != rank) {
      return Error::invalid_input("'" + path + "' has another rank or is of another model",
                                  "start from an adapter of the same model and rank");
    }
    dequantize(a.type, a.data, int64_t{rank} * w.in, loaded.data() + w.a);
    std::vector<float> rows(static_cast<size_t>(rank) * static_cast<size_t>(w.out));
    dequantize(b.type, b.data, static_cast<int64_t>(rows.size()), rows.data());
    transpose(rows.data(), w.out, rank, loaded.data() + w.b);
  }
  // What the file's alpha asks for beyond ours goes into A: the product stays what it was.
  const double theirs = file->number("adapter.lora.alpha", double{scale()} * rank) / rank;
  const auto factor = static_cast<float>(theirs / double{scale()});
  for (const AdaptedWeight& w : weights_) {
    for (int64_t i = w.a; i < w.b && factor != 1.0f; ++i) loaded[static_cast<size_t>(i)] *= factor;
  }
  parameters = std::move(loaded);
  return {};
}

}  // namespace slipway::tune
