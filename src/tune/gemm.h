// Matrix products for training: C = Σ_t A_t · B_t, where every A is floats and a B may be quantised
// weights.
//
// One sum of several products lands in one C, because that is what LoRA is: Y = X·Wᵀ + (s·X·Aᵀ)·Bᵀ
// is a single product over a longer inner dimension, and so is dX = dQ·Wq + dK·Wk + dV·Wv + ...
// Weights are dequantised once per product, straight into the panels that the inner kernel reads,
// and reused by every row.
//
//     PackedRows x;  x.pack(pool, data, tokens, width, stride);
//     multiply(pool, {Product{.cols = 2048, .c = gate, .stride = 2048,
//                             .terms = {{&x, transposed(w_gate)}}}});
//
// A product's every element is summed in the same order whatever the threads, the tile it falls in
// or the other rows: results are bit-equal for any number of threads, and a row's result does not
// depend on its neighbours. With Precision::brain both factors are rounded to bfloat16 and the sums
// stay floats: twice the products a second where the processor has them, for noise far below that
// of a batch's gradient. Method: Goto & van de Geijn, "Anatomy of High-Performance Matrix
// Multiplication" (2008); the kernel holds a 6×16 tile of C in registers.
#pragma once

#include <span>
#include <vector>

#include "tune/buffer.h"
#include "tune/thread_pool.h"
#include "tune/weights.h"

namespace slipway::tune {

inline constexpr int tile_rows = 6;
inline constexpr int tile_cols = 16;

enum class Precision { single, brain };
// brain where the processor multiplies bfloat16, else single.
Precision fastest_precision();

// The left-hand matrix, [rows, depth], stored as panels of six rows: panel p holds [depth][6], or
// [depth / 2][6] pairs of bfloat16. Its precision is that of every product it takes part in.
class PackedRows {
 public:
  explicit PackedRows(Precision precision = Precision::single) : precision_(precision) {}
  Precision precision() const { return precision_; }
  void set_precision(Precision precision) { precision_ = precision; }  // of what is packed next
  // From x[rows, depth] with `stride` floats between rows, times `scale`.
  void pack(ThreadPool& pool, const float* x, int rows, int depth, int64_t stride, float scale = 1);
  // The same from the transposed: x[depth, rows].
  void pack_transposed(ThreadPool& pool, const float* x, int rows, int depth, int64_t stride,
                       float scale = 1);

  // On the calling thread alone.
  void pack_here(const float* x, int rows, int depth, int64_t stride, float scale = 1);
  void pack_transposed_here(const float* x, int rows, int depth, int64_t stride, float scale = 1);

  int rows() const { return rows_; }
  int depth() const { return depth_; }
  const float* panel(int p) const {
    return data_.data() + static_cast<int64_t>(p) * depth_ * tile_rows;
  }
  int pairs() const { return (depth_ + 1) / 2; }
  const uint32_t* pair_panel(int p) const {
    return pairs_.data() + static_cast<int64_t>(p) * pairs() * tile_rows;
  }
  size_t bytes() const { return data_.capacity_bytes() + pairs_.capacity_bytes(); }

 private:
  void set_shape(int rows, int depth);
  void pack_pairs(int p, const float* x, int64_t stride, float scale);
  void pack_panel(int p, const float* x, int64_t stride, float scale);
  void pack_panel_transposed(int p, const float* x, int64_t stride, float scale);

  Precision precision_;
  int rows_ = 0;
  int depth_ = 0;
  Buffer<float> data_;
  Buffer<uint32_t> pairs_;
};

// The right-hand matrix, [depth, cols]: a weight matrix as it lies (depth = its rows) or transposed
// (depth = its columns).
struct Operand {
  WeightMatrix matrix;
  bool is_transposed = false;
  int depth() const { return is_transposed ? matrix.cols : matrix.rows; }
  int cols() const { return is_transposed ? matrix.rows : matrix.cols; }
};
inline Operand plain(const WeightMatrix& m) { return {m, false}; }
inline Operand transposed(const WeightMatrix& m) { return {m, true}; }

struct Term {
  const PackedRows* a = nullptr;
  Operand b;
};

struct Product {
  int cols = 0;
  float* c = nullptr;       // [rows of the terms, cols]
  int64_t stride = 0;       // floats between rows of c
  std::vector<Term> terms;  // all with the same rows
  bool accumulate = false;  // c += instead of c =
};

// All products, their tiles dealt to the pool together.
void multiply(ThreadPool& pool, std::span<const Product> products);
// On the calling thread alone: for many small products, one per task.
void multiply_here(const Product& product);

// c[6, 16] (+)= a[depth][6] · b[depth][16 of b_stride]: the inner kernel, and its portable twin for
// tests and other machines.
using Kernel = void (*)(int depth, const float* a, const float* b, int64_t b_stride, float* c,
                        int64_t c_stride, bool accumulate);
void kernel_6x16(int depth, const float* a, const float* b, int64_t b_stride, float* c,
                 int64_t c_stride, bool accumulate);
// The same for two panels at once, c[12, 16], and pairs of bfloat16: a0, a1 [pairs][6], b
// [pairs][16]. Sums each pair's odd product before its even one, as the instruction does.
using BrainKernel = void (*)(int pairs, const uint32_t* a0, const uint32_t* a1, const uint32_t* b,
                             float* c, int64_t c_stride, bool accumulate);
BrainKernel brain_kernel();
namespace portable {
void brain_12x16(int pairs, const uint32_t* a0, const uint32_t* a1, const uint32_t* b, float* c,
                 int64_t c_stride, bool accumulate);
void kernel_6x16(int depth, const float* a, const float* b, int64_t b_stride, float* c,
                 int64_t c_stride, bool accumulate);
}  // namespace portable

}  // namespace slipway::tune
