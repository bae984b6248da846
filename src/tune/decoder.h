// The decoder's trunk, forward and backward, layer by layer, with an adapter on any of its weights.
//
//     Decoder decoder(base, adapter, pool);
//     const float* hidden =
//         decoder.forward(batch, {.keep = true});   // [loss rows, width], after the final norm
//     decoder.backward(batch, d_hidden);            // adds to adapter.gradients
//
// Between the passes a layer keeps what a product made (x, q, k, v, attention, o, gate, up, down
// and the rank-wide X·Aᵀ); what a row kernel makes of them (norms, rope, act(gate)·up) is made
// again. Kept numbers are halves with a scale per row; products with the base's weights are in
// bfloat16 where the processor has it, but for the forward ones of the first half of the layers;
// all is floats when `exact`. The last layer computes only rows that predict something, apart from
// keys and values. Not thread-safe: one pass at a time.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "tune/adapter.h"
#include "tune/attention.h"
#include "tune/base_model.h"
#include "tune/batch.h"
#include "tune/frozen.h"
#include "tune/gemm.h"
#include "tune/kept.h"
#include "tune/kernels.h"

namespace slipway::tune {

struct PassOptions {
  bool keep = false;            // for a backward pass
  bool exact = false;           // floats everywhere
  float dropout = 0;            // of what adapters read; 0 when evaluating
  uint64_t seed = 0, step = 0;  // decide what is dropped
};

class Decoder {
 public:
  // With `frozen_bytes`, what the layers below the lowest adapted one make is remembered in at most
  // so many (tune/frozen.h).
  Decoder(const BaseModel& base, Adapter& adapter, ThreadPool& pool, size_t frozen_bytes = 0);

  const float* forward(const Packed& batch, const PassOptions& options);
  void backward(const Packed& batch, const float* d_hidden);
  size_t bytes() const;  // of all buffers
  int layers_computed() const { return layers_computed_; }  // by the last forward pass

 private:
  struct KeptLayer {
    Kept x, q, k, v, attention, o, gate, up, down;
    Buffer<float> lse;
    std::array<Buffer<float>, module_count> xa;  // X·Aᵀ, [rows, rank]
  };
  // A matrix of [rows, in] that several projections read.
  struct Input {
    const float* x = nullptr;
    int rows = 0, width = 0;
    int layer = 0;
    // Distinguishes what is dropped: 0 attention, 1 o, 2 ffn, 3 down, 4 q of the last layer.
    int kind = 0;
  };
  struct Projection {
    Module module;
    float* y;  // forward: [rows, out], written; backward: the gradient of that
  };

  void embed(const Packed& batch);
  int frozen_layers(const Packed& batch, int positions);
  void forward_layer(int layer, const Packed& batch);
  void forward_attention(int layer, const Packed& batch, KeptLayer& kept);
  void forward_ffn(int layer, int rows, KeptLayer& kept);
  void backward_layer(int layer, const Packed& batch);
  void backward_ffn(int layer, int rows, KeptLayer& kept);
  void backward_attention(int layer, const Packed& batch, KeptLayer& kept);
  void backward_qkv(int layer, const Packed& batch);

  void project(const Input& in, std::span<const Projection> out, KeptLayer& kept);
  void project_backward(const Input& in, std::span<const Projection> d_out, float* dx,
                        KeptLayer& kept);
  void adapter_gradients(const Input& in, const Projection& p, const float* dropped,
                         std::vector<Product>& products, KeptLayer& kept);
  const float* dropped_input(const Input& in);
  void add_dropped(const Input& in, const float* d, float* dx);

  Precision precision() const {  // of the products with the base's weights
    return options_.exact ? Precision::single : fastest_precision();
  }
  // What the first layers round goes through all the others (docs/decisions/0032).
  Precision forward_precision(int layer) const {
    return layer < base_.shape.layers / 2 ? Precision::single : precision();
  }
  bool last(int layer) const { return layer + 1 == base_.shape.layers; }
  int queries(int layer, const Packed& batch) const;
  const float* loss_rows(const Packed& batch, const float* x, int width, Buffer<float>& into);
  AttentionShape attention_shape(int layer) const;
  const RopeTable& rope(int layer) const;
  std::span<const int32_t> query_positions(int layer, const Packed& batch);
  void add_biases(int layer, int rows, std::span<const Projection> out);

  const BaseModel& base_;
  Adapter& adapter_;
  ThreadPool& pool_;
  PassOptions options_;
  RopeTable rope_all_, rope_window_;
  std::vector<KeptLayer> kept_;
  KeptLayer spare_;  // for passes that keep nothing
  Buffer<float> x_, x_loss_, middle_, h_, h_loss_, q_, k_, v_, q_turned_, k_turned_, attention_, o_,
      gate_, up_, act_, down_;
  Buffer<float> g_, g_rows_, d_h_, d_h_loss_, d_q_, d_k_, d_v_, d_wide_, hidden_, dropped_,
      d_dropped_;
  std::array<Buffer<float>, module_count> d_xa_;
  PackedRows packed_in_, packed_dropped_;
  std::array<PackedRows, module_count> packed_xa_, packed_dy_, packed_dxa_, packed_xa_across_,
      packed_dxa_across_;
  std::vector<int32_t> loss_positions_;
  std::optional<FrozenRows> frozen_;
  int layers_computed_ = 0;
};

}  // namespace slipway::tune
