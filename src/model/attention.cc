#include "model/attention.h"

#include <ggml-cpu.h>
#include <traits.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

#include "model/attention_kernel.h"
#include "model/packed_matrix.h"

namespace slipway::model {
namespace {

using attention::kCells;
using attention::kLanes;
using attention::kMaxRows;
using attention::Tile;

attention::Step best_step() {
#if defined(__x86_64__)
  if (can_run(PackedKernel::avx2)) return attention::avx2_step;
#endif
  return attention::portable_step;
}

const std::byte* at(const ggml_tensor* t, int64_t i1, int64_t i2, int64_t i3) {
  return static_cast<const std::byte*>(t->data) + static_cast<size_t>(i1) * t->nb[1] +
         static_cast<size_t>(i2) * t->nb[2] + static_cast<size_t>(i3) * t->nb[3];
}

// The operation's sizes, and how its rows are cut into tiles.
struct Attention {
  explicit Attention(const ggml_tensor* op, int threads)
      : q(op->src[0]), k(op->src[1]), v(op->src[2]), mask(op->src[3]), sinks(op->src[4]), out(op) {
    std::memcpy(&scale, op->op_params, sizeof scale);
    std::memcpy(&max_bias, op->op_params + 1, sizeof max_bias);
    std::memcpy(&softcap, op->op_params + 2, sizeof softcap);
    if (softcap != 0) scale /= softcap;
    group = q->ne[2] / k->ne[2];
    rows = q->ne[1] * group;  // that look at the same keys
    const int64_t places = k->ne[2] * q->ne[3];
    const int64_t tiles =
        std::max((rows + kMaxRows - 1) / kMaxRows, (threads + places - 1) / places);
    tile_rows = (rows + tiles - 1) / tiles;
    tiles_each = (rows + tile_rows - 1) / tile_rows;
    units = tiles_each * places;
  }

  // Rows are tokens, and for each token the query heads that share a key head.
  int64_t token(int64_t row) const { return row / group; }
  int64_t head(int64_t row, int64_t key_head) const { return key_head * group + row % group; }

  float slope(int64_t head) const {  // ALiBi's
    if (max_bias <= 0) return 1;
    const auto heads = static_cast<float>(q->ne[2]);
    const auto power = static_cast<int64_t>(std::exp2(std::floor(std::log2(heads))));
    const auto part = static_cast<float>(head < power ? head + 1 : 2 * (head - power) + 1);
    const float base = max_bias / static_cast<float>(power) / (head < power ? 1 : 2);
    return std::exp2(-base * part);
  }

  const ggml_tensor *q, *k, *v, *mask, *sinks, *out;
  float scale, max_bias, softcap;
  int64_t group, rows, tile_rows, tiles_each, units;
};

// What one thread works in.
struct Scratch {
  static size_t floats(int64_t key_size, int64_t value_size) {
    const auto cell = static_cast<size_t>(key_size + value_size);
    return kMaxRows * (cell + 2 * kCells + 1 + kLanes) + kCells * cell;
  }
  Scratch(float* memory, int64_t key_size, int64_t value_size)
      : queries(memory),
        keys(queries + kMaxRows * key_size),
        values(keys + kCells * key_size),
        sums(values + kCells * value_size),
        scores(sums + kMaxRows * value_size),
        bias(scores + kMaxRows * kCells),
        weight(bias + kMaxRows * kCells),
        peak(weight + kMaxRows * kLanes) {}
  float *queries, *keys, *values, *sums, *scores, *bias, *weight, *peak;
};

class TileOfRows {
 public:
  TileOfRows(const Attention& attention, int64_t unit, const Scratch& scratch)
      : a_(attention), s_(scratch) {
    first_ = unit % a_.tiles_each * a_.tile_rows;
    count_ = std::min(a_.tile_rows, a_.rows - first_);
    key_head_ = unit / a_.tiles_each % a_.k->ne[2];
    stream_ = unit / a_.tiles_each / a_.k->ne[2];
  }

  void compute(attention::Step step) {
    const auto k = a_.k->ne[0], v = a_.v->ne[0];
    read_queries();
    const Tile tile{static_cast<int>(count_), static_cast<int>(k), static_cast<int>(v), a_.softcap,
                    s_.queries,               s_.scores,           s_.sums,             s_.peak,
                    s_.weight};
    std::fill_n(s_.peak, count_, -std::numeric_limits<float>::infinity());
    std::fill_n(s_.weight, count_ * kLanes, 0.0f);
    std::fill_n(s_.sums, count_ * v, 0.0f);
    for (int64_t cell = 0; cell < a_.k->ne[1]; cell += kCells) {
      if (!read_bias(cell)) continue;  // nobody sees these
      read(a_.k, cell, s_.keys);
      read(a_.v, cell, s_.values);
      step(tile, s_.keys, s_.values, s_.bias);
    }
    write();
  }

 private:
  void read_queries() {
    const int64_t size = a_.q->ne[0];
    for (int64_t i = 0; i < count_; ++i) {
      const auto row = first_ + i;
      const auto* q = reinterpret_cast<const float*>(
          at(a_.q, a_.token(row), a_.head(row, key_head_), stream_));
      for (int64_t d = 0; d < size; ++d) s_.queries[i * size + d] = q[d] * a_.scale;
    }
  }

  // False when every row's is minus infinity.
  bool read_bias(int64_t cell) {
    const int64_t cells = std::min<int64_t>(kCells, a_.k->ne[1] - cell);
    bool seen = false;
    for (int64_t i = 0; i < count_; ++i) {
      float* bias = s_.bias + i * kCells;
      const auto row = first_ + i;
      std::fill(bias + cells, bias + kCells, -std::numeric_limits<float>::infinity());
      if (!a_.mask) {
        std::fill_n(bias, cells, 0.0f);
        seen = true;
        continue;
      }
      if (i > 0 && a_.token(row) == a_.token(row - 1) && one_mask()) {
        std::memcpy(bias, bias - kCells, static_cast<size_t>(cells) * sizeof(float));
        continue;
      }
      const auto head = a_.head(row, key_head_);
      const auto* mask = reinterpret_cast<const ggml_fp16_t*>(
          at(a_.mask, a_.token(row), head % a_.mask->ne[2], stream_ % a_.mask->ne[3]));
      ggml_cpu_fp16_to_fp32(mask + cell, bias, cells);
      const float slope = a_.slope(head);
      for (int64_t c = 0; c < cells; ++c) {
        seen |= bias[c] > -std::numeric_limits<float>::infinity();
        bias[c] *= slope;
      }
    }
    return seen;
  }

  bool one_mask() const { return a_.mask->ne[2] == 1 && a_.max_bias <= 0; }

  void read(const ggml_tensor* t, int64_t cell, float* to) const {
    const int64_t size = t->ne[0], cells = std::min<int64_t>(kCells, t->ne[1] - cell);
    for (int64_t c = 0; c < cells; ++c) {
      const auto* from = at(t, cell + c, key_head_, stream_);
      const auto* soon = from + kCells * t->nb[1];  // a hint, which may point behind the end
      for (int64_t b = 0; b < size * 2; b += 64) __builtin_prefetch(soon + b);
      ggml_cpu_fp16_to_fp32(reinterpret_cast<const ggml_fp16_t*>(from), to + c * size, size);
    }
    std::fill(to + cells * size, to + kCells * size, 0.0f);
  }

  void write() const {
    const int64_t size = a_.v->ne[0];
    for (int64_t i = 0; i < count_; ++i) {
      const auto row = first_ + i, head = a_.head(row, key_head_);
      float total = 0;
      for (int64_t l = 0; l < kLanes; ++l) total += s_.weight[i * kLanes + l];
      float shrink = 1;
      if (a_.sinks) {  // one more score, of nothing
        const float sink = static_cast<const float*>(a_.sinks->data)[head];
        const float peak = std::max(s_.peak[i], sink);
        shrink = std::exp(s_.peak[i] - peak);
        total = total * shrink + std::exp(sink - peak);
      }
      const float factor = total == 0 ? 0 : shrink / total;
      auto* to = static_cast<float*>(a_.out->data) +
                 ((stream_ * a_.q->ne[1] + a_.token(row)) * a_.q->ne[2] + head) * size;
      for (int64_t d = 0; d < size; ++d) to[d] = s_.sums[i * size + d] * factor;
    }
  }

  const Attention& a_;
  const Scratch& s_;
  int64_t first_, count_, key_head_, stream_;
};

class FlashAttention : public ggml::cpu::tensor_traits {
 public:
  bool work_size(int threads, const ggml_tensor* op, size_t& size) override {
    size = bytes_each(op) * static_cast<size_t>(threads);
    return true;
  }

  // Called by every thread of ggml's pool with its own `ith`.
  bool compute_forward(ggml_compute_params* params, ggml_tensor* op) override {
    static const attention::Step step = best_step();
    const Attention attention(op, params->nth);
    if (params->ith == 0) ggml_threadpool_chunk_set(params->threadpool, params->nth);
    ggml_barrier(params->threadpool);
    auto* memory = static_cast<std::byte*>(params->wdata) +
                   static_cast<size_t>(params->ith) * bytes_each(op);
    const Scratch scratch(reinterpret_cast<float*>(memory), op->src[1]->ne[0], op->src[2]->ne[0]);
    for (int64_t unit = params->ith; unit < attention.units;
         unit = ggml_threadpool_chunk_add(params->threadpool, 1)) {
      TileOfRows(attention, unit, scratch).compute(step);
    }
    return true;
  }

 private:
  static size_t bytes_each(const ggml_tensor* op) {
    const size_t bytes = sizeof(float) * Scratch::floats(op->src[1]->ne[0], op->src[2]->ne[0]);
    return (bytes + 127) / 64 * 64;
  }
};

bool fits(const ggml_tensor* t) {
  return t->type == GGML_TYPE_F16 && t->ne[0] % 16 == 0 && t->nb[0] == sizeof(ggml_fp16_t);
}

}  // namespace

ggml::cpu::tensor_traits* attention_traits(const ggml_tensor* op) {
  static FlashAttention instance;
  if (op->op != GGML_OP_FLASH_ATTN_EXT || op->src[0]->type != GGML_TYPE_F32) return nullptr;
  const ggml_tensor *k = op->src[1], *v = op->src[2];
  const bool ours = fits(k) && fits(v) && k->ne[2] == v->ne[2] && k->ne[3] == v->ne[3] &&
                    k->ne[3] == op->src[0]->ne[3] && op->src[0]->ne[2] % k->ne[2] == 0;
  return ours ? &instance : nullptr;
}

}  // namespace slipway::model
