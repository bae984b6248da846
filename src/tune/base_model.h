// The frozen weights a LoRA is trained on: the shape of a decoder as its GGUF metadata states it,
// and its matrices in place.
//
//     SLIPWAY_TRY(base, BaseModel::open("gemma-3-270m.gguf"));
//     base->shape.layers, base->layers[0].weight[size_t(Module::q)]
//
// One decoder layer, for all architectures here (gemma3, llama, qwen2, qwen3):
//
//     h  = rmsnorm(x, attention_norm);              q, k, v = h·Wqᵀ + bq, h·Wkᵀ + bk, h·Wvᵀ + bv
//     q, k = rope(rmsnorm(q)), rope(rmsnorm(k))     qwen3 and gemma3 norm each head
//     o  = attention(q, k, v)·Woᵀ;                  x = x + o            gemma3: x + rmsnorm(o)
//     h  = rmsnorm(x, ffn_norm)
//     f  = (act(h·Wgᵀ) * (h·Wuᵀ))·Wdᵀ;              x = x + f            gemma3: x + rmsnorm(f)
//
// Immutable after open, so any number of trainers share one. Errors: not_found, corrupt,
// unsupported (architecture, tensor type or rope scaling, by name).
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tune/gguf.h"
#include "tune/weights.h"

namespace slipway::tune {

enum class Module : uint8_t { q, k, v, o, gate, up, down };
inline constexpr int module_count = 7;
std::string_view module_name(Module m);  // "attn_q", as GGUF names its tensor
std::string_view short_name(Module m);   // "q"

struct Shape {
  std::string architecture;  // "gemma3"
  int layers = 0, width = 0, ff = 0, heads = 0, kv_heads = 0, head = 0, vocabulary = 0;
  int context = 0;  // tokens the model was made for
  float norm_epsilon = 1e-6f;
  float attention_scale = 0;  // of q·k
  float embedding_scale = 1;
  bool gelu = false;              // else SiLU
  bool interleaved_rope = false;  // pairs (2i, 2i+1) as llama has them; else (i, i + head/2)
  float rope_base = 10000, rope_base_window = 10000;
  float rope_scale = 1;        // positions times this, in layers that see everything
  int window = 0;              // tokens a windowed layer sees; 0: all
  std::vector<bool> windowed;  // per layer
  int q_width() const { return heads * head; }
  int kv_width() const { return kv_heads * head; }
};

struct LayerWeights {
  std::array<WeightMatrix, module_count> weight;          // [out, in]
  std::array<std::vector<float>, module_count> bias;      // empty: none
  std::vector<float> attention_norm, ffn_norm;            // [width]
  std::vector<float> q_norm, k_norm;                      // [head]; empty: none
  std::vector<float> post_attention_norm, post_ffn_norm;  // [width]; empty: none
  const WeightMatrix& operator[](Module m) const { return weight[static_cast<size_t>(m)]; }
};

struct BaseModel {
  static Result<std::shared_ptr<const BaseModel>> open(const std::string& path);

  std::shared_ptr<const GgufFile> file;
  Shape shape;
  std::vector<LayerWeights> layers;
  WeightMatrix embedding;           // [vocabulary, width]
  WeightMatrix head;                // the same matrix when the model ties them
  std::vector<float> final_norm;    // [width]
  std::vector<float> rope_factors;  // [head / 2]; empty: none (llama 3)
};

}  // namespace slipway::tune
