// A LoRA adapter: for each adapted weight W[out, in] a pair A[rank, in], B[out, rank] with
// W' = W + scale · B·A.
//
//     Adapter adapter(base->shape, {.rank = 16, .alpha = 32}, seed);
//     write_gguf(file_of(adapter, "gemma3"), "lights.gguf", {});   // tune/adapter_file.h
//
// B is kept transposed, Bᵀ[rank, out]: then both are `rank` rows and the same products serve both.
// All parameters lie in one array, their gradients in another of the same order. LoRA: arXiv
// 2106.09685; rank-stabilised scale: arXiv 2312.03732. Not thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "tune/base_model.h"

namespace slipway::tune {

inline std::vector<Module> all_modules() {
  return {Module::q, Module::k, Module::v, Module::o, Module::gate, Module::up, Module::down};
}

struct LoraConfig {
  int rank = 16;
  float alpha = 32;
  bool rank_stabilised = false;  // scale alpha / sqrt(rank) instead of alpha / rank
  std::vector<Module> modules = all_modules();
  int first_layer = 0;  // layers below it are not adapted (and have no backward pass)
  int layer_end = 0;    // nor this one and those above; 0: all above are
};

struct AdaptedWeight {
  int layer = 0;
  Module module = Module::q;
  int in = 0, out = 0;
  int64_t a = 0, b = 0;  // where A[rank, in] and Bᵀ[rank, out] begin in the arrays
};

using Metadata = std::vector<std::pair<std::string, std::string>>;

class Adapter {
 public:
  // A uniform within ±1/sqrt(in) (as PEFT draws it), B zero: an adapter begins as the base model.
  Adapter(const Shape& shape, const LoraConfig& config, uint64_t seed);

  const LoraConfig& config() const { return config_; }
  float scale() const;
  const std::vector<AdaptedWeight>& weights() const { return weights_; }
  const AdaptedWeight* find(int layer, Module module) const;  // null: not adapted
  int lowest_layer() const { return config_.first_layer; }

  std::vector<float> parameters;
  std::vector<float> gradients;

 private:
  LoraConfig config_;
  std::vector<AdaptedWeight> weights_;
  std::vector<int> index_;  // [layer * module_count + module] -> weights_, or -1
};

}  // namespace slipway::tune
