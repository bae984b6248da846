#include "tune/gemm.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "tune/brain.h"

#ifdef __AVX2__
#include <immintrin.h>
#endif

namespace slipway::tune {
namespace {

// Columns of B that one task packs: depth × 64 floats stay in the L2 cache.
constexpr int task_cols = 64;
// The same where 256 columns are one block of weights, to be read once.
constexpr int wide_task_cols = 256;
constexpr int block_rows = 240;  // rows of A per pass: × block_depth floats, half of an L2 cache
// 16 columns of B (20 KB) and 6 rows of A (8 KB) share the L1 cache.
constexpr int block_depth = 320;
constexpr int rows_ahead = 24;  // when columns of quantised rows are packed
constexpr int chunk = 256;      // numbers dequantised at a time; every block size divides it

// 8 rows of 8 floats (row r at source + r * stride) to columns: out + k * 16.
void transpose_8x8(const float* source, int64_t stride, float* out) {
#ifdef __AVX2__
  __m256 r[8], t[8];
  for (int i = 0; i < 8; ++i) r[i] = _mm256_loadu_ps(source + i * stride);
  for (int i = 0; i < 8; i += 2) {
    t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
    t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
  }
  for (int i = 0; i < 8; i += 4) {
    r[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
    r[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xee);
    r[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
    r[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xee);
  }
  for (int i = 0; i < 4; ++i) {
    _mm256_storeu_ps(out + i * tile_cols, _mm256_permute2f128_ps(r[i], r[i + 4], 0x20));
    _mm256_storeu_ps(out + (i + 4) * tile_cols, _mm256_permute2f128_ps(r[i], r[i + 4], 0x31));
  }
#else
  for (int k = 0; k < 8; ++k) {
    for (int i = 0; i < 8; ++i) out[k * tile_cols + i] = source[i * stride + k];
  }
#endif
}

// `count` numbers of row r from column c on, where c starts a block: in place for floats, else
// through `scratch`.
const float* read_row(const WeightMatrix& m, int64_t r, int c, int count, float* scratch) {
  if (m.type == WeightType::f32) return reinterpret_cast<const float*>(m.row(r)) + c;
  dequantize(m.type, m.at(r, c), count, scratch);
  return scratch;
}

// Asks for numbers [c, c + count) of row r before they are needed: weights come from memory once
// per product, and waiting for them cost more than turning them into floats.
void fetch_ahead(const WeightMatrix& m, int64_t r, int c, int count) {
  if (r >= m.rows) return;
  const TypeTraits& t = traits(m.type);
  const auto* p =
      reinterpret_cast<const char*>(m.row(r)) + int64_t{c} * t.block_bytes / t.block_size;
  for (int64_t i = 0; i < int64_t{count} * t.block_bytes / t.block_size; i += 64)
    __builtin_prefetch(p + i, 0, 2);
}

// Sixteen rows of m, from row r0 on, become one strip [depth = m.cols][16]; rows beyond the matrix
// are zero.
void pack_strip_transposed(const WeightMatrix& m, int r0, float* strip) {
  alignas(64) float rows[tile_cols][chunk];
  const int live = std::min(tile_cols, m.rows - r0);
  if (live < tile_cols) std::memset(rows, 0, sizeof rows);
  for (int c = 0; c < m.cols; c += chunk) {
    const int count = std::min(chunk, m.cols - c);
    for (int i = 0; i < live; ++i) {
      fetch_ahead(m, r0 + tile_cols + i, c, count);
      if (m.type == WeightType::f32) {
        std::memcpy(rows[i], read_row(m, r0 + i, c, count, nullptr),
                    static_cast<size_t>(count) * sizeof(float));
      } else {
        dequantize(m.type, m.at(r0 + i, c), count, rows[i]);
      }
    }
    float* out = strip + static_cast<int64_t>(c) * tile_cols;
    int k = 0;
    for (; k + 8 <= count; k += 8) {
      transpose_8x8(&rows[0][k], chunk, out + k * tile_cols);
      transpose_8x8(&rows[8][k], chunk, out + k * tile_cols + 8);
    }
    for (; k < count; ++k) {
      for (int i = 0; i < tile_cols; ++i) out[k * tile_cols + i] = rows[i][k];
    }
  }
}

// Columns [c0, c1) of m become strips [depth = m.rows][16], `strip_stride` floats apart; the last
// is filled with zeros.
void pack_strips_plain(const WeightMatrix& m, int c0, int c1, float* strips, int64_t strip_stride) {
  alignas(64) float scratch[wide_task_cols + 2 * chunk];
  const int block = traits(m.type).block_size;
  const int first = c0 / block * block;
  const int last = std::min(m.cols, (c1 + block - 1) / block * block);
  for (int k = 0; k < m.rows; ++k) {
    fetch_ahead(m, k + rows_ahead, first, last - first);
    const float* row = read_row(m, k, first, last - first, scratch) + (c0 - first);
    for (int c = c0; c < c1; c += tile_cols, row += tile_cols) {
      float* out =
          strips + (c - c0) / tile_cols * strip_stride + static_cast<int64_t>(k) * tile_cols;
      const int live = std::min(tile_cols, c1 - c);
      std::memcpy(out, row, static_cast<size_t>(live) * sizeof(float));
      std::memset(out + live, 0, static_cast<size_t>(tile_cols - live) * sizeof(float));
    }
  }
}

// Where the kernel finds one term's columns: packed strips, or the floats themselves when they lie
// as it wants them.
struct Strips {
  const float* data = nullptr;
  const uint32_t* pairs = nullptr;  // instead, strips [depth / 2][16]
  int64_t strip_stride = 0;         // from one group of 16 columns to the next
  int64_t row_stride = 0;           // from one k to the next
};

// The floats of packed strips, two depths at a time, to pairs.
Strips pair_strips(const Strips& strips, int depth, int count, uint32_t* out) {
  const int pairs = (depth + 1) / 2;
  static constexpr float zeros[tile_cols] = {};
  for (int s = 0; s < count; ++s) {
    const float* row = strips.data + s * strips.strip_stride;
    uint32_t* pair = out + static_cast<int64_t>(s) * pairs * tile_cols;
    for (int k = 0; k < depth; k += 2, row += 2 * tile_cols, pair += tile_cols)
      to_pairs(row, k + 1 < depth ? row + tile_cols : zeros, tile_cols, pair);
  }
  return {nullptr, out, static_cast<int64_t>(pairs) * tile_cols, tile_cols};
}

Strips prepare(const Operand& b, int c0, int c1, bool in_place, float* scratch) {
  const WeightMatrix& m = b.matrix;
  const int64_t strip_stride = static_cast<int64_t>(b.depth()) * tile_cols;
  if (in_place && !b.is_transposed && m.type == WeightType::f32 && (c1 - c0) % tile_cols == 0) {
    return {reinterpret_cast<const float*>(m.data) + c0, nullptr, tile_cols,
            m.row_bytes / int64_t{sizeof(float)}};
  }
  if (b.is_transposed) {
    for (int c = c0; c < c1; c += tile_cols)
      pack_strip_transposed(m, c, scratch + (c - c0) / tile_cols * strip_stride);
  } else {
    pack_strips_plain(m, c0, c1, scratch, strip_stride);
  }
  return {scratch, nullptr, strip_stride, tile_cols};
}

// c[rows, cols] (+)= that part of a whole tile.
void take_part(const float* whole, float* c, int64_t c_stride, int rows, int cols,
               bool accumulate) {
  for (int i = 0; i < rows; ++i) {
    for (int j = 0; j < cols; ++j) {
      float& out = c[i * c_stride + j];
      out = accumulate ? out + whole[i * tile_cols + j] : whole[i * tile_cols + j];
    }
  }
}

// One 6×16 tile, of which `rows` × `cols` exist.
void tile(int depth, const float* a, const float* b, int64_t b_stride, float* c, int64_t c_stride,
          int rows, int cols, bool accumulate) {
  if (rows == tile_rows && cols == tile_cols)
    return kernel_6x16(depth, a, b, b_stride, c, c_stride, accumulate);
  alignas(64) float whole[tile_rows * tile_cols];
  kernel_6x16(depth, a, b, b_stride, whole, tile_cols, false);
  take_part(whole, c, c_stride, rows, cols, accumulate);
}

// One 12×16 tile of two panels, of which `rows` × `cols` exist; the second may be missing.
void brain_tile(int pairs, const uint32_t* a, int64_t panel, const uint32_t* b, float* c,
                int64_t c_stride, int rows, int cols, bool accumulate) {
  static const BrainKernel kernel = brain_kernel();
  const uint32_t* second = rows > tile_rows ? a + panel : a;
  if (rows == 2 * tile_rows && cols == tile_cols)
    return kernel(pairs, a, second, b, c, c_stride, accumulate);
  alignas(64) float whole[2 * tile_rows * tile_cols];
  kernel(pairs, a, second, b, whole, tile_cols, false);
  take_part(whole, c, c_stride, rows, cols, accumulate);
}

// Visits a result by tiles in the order that keeps panels and strips in the caches:
// f(k0, k1, r, rows, c, cols). `depth` is counted in what the kernel steps over, floats or pairs.
template <typename F>
void for_tiles(int depth, int r0, int r1, int c0, int c1, int step, F&& f) {
  const int parts = (depth + block_depth - 1) / block_depth;
  for (int part = 0; part < parts; ++part) {
    const int k0 = static_cast<int>(int64_t{depth} * part / parts);
    const int k1 = static_cast<int>(int64_t{depth} * (part + 1) / parts);
    for (int block = r0; block < r1; block += block_rows) {
      const int block_end = std::min(r1, block + block_rows);
      for (int c = c0; c < c1; c += tile_cols) {
        for (int r = block; r < block_end; r += step) {
          f(k0, k1, r, std::min(step, block_end - r), c, std::min(tile_cols, c1 - c));
        }
      }
    }
  }
}

// Rows [r0, r1) × columns [c0, c1) of one term; r0 is a multiple of two panels.
void multiply_term(const Product& product, const PackedRows& a, const Strips& b, int r0, int r1,
                   int c0, int c1, bool accumulate) {
  const auto one = [&](int k0, int k1, int r, int rows, int c, int cols) {
    tile(k1 - k0, a.panel(r / tile_rows) + int64_t{k0} * tile_rows,
         b.data + (c - c0) / tile_cols * b.strip_stride + k0 * b.row_stride, b.row_stride,
         product.c + r * product.stride + c, product.stride, rows, cols, accumulate || k0 > 0);
  };
  for_tiles(a.depth(), r0, r1, c0, c1, tile_rows, one);
}

void multiply_brain_term(const Product& product, const PackedRows& a, const Strips& b, int r0,
                         int r1, int c0, int c1, bool accumulate) {
  const int64_t panel = int64_t{a.pairs()} * tile_rows;
  const auto one = [&](int k0, int k1, int r, int rows, int c, int cols) {
    brain_tile(k1 - k0, a.pair_panel(r / tile_rows) + int64_t{k0} * tile_rows, panel,
               b.pairs + (c - c0) / tile_cols * b.strip_stride + int64_t{k0} * tile_cols,
               product.c + r * product.stride + c, product.stride, rows, cols,
               accumulate || k0 > 0);
  };
  for_tiles(a.pairs(), r0, r1, c0, c1, 2 * tile_rows, one);
}

int columns_per_task(const Product& product) {
  int cols = task_cols;
  for (const Term& t : product.terms) {
    if (!t.b.is_transposed && traits(t.b.matrix.type).block_size > task_cols) cols = wide_task_cols;
  }
  return cols;
}

struct StripScratch {
  Buffer<float> floats;
  Buffer<uint32_t> pairs;
};
StripScratch& strip_scratch() {
  static thread_local StripScratch scratch;
  return scratch;
}

void multiply_tile(const Product& product, int r0, int r1, int c0, int c1) {
  bool accumulate = product.accumulate;
  for (const Term& term : product.terms) {
    assert(term.a->depth() == term.b.depth() && term.b.cols() == product.cols);
    const int padded = (c1 - c0 + tile_cols - 1) / tile_cols * tile_cols;
    const size_t size = static_cast<size_t>(term.b.depth()) * static_cast<size_t>(padded);
    const bool brain = term.a->precision() == Precision::brain;
    const Strips strips = prepare(term.b, c0, c1, !brain, strip_scratch().floats.resize(size));
    if (brain) {
      const int count = padded / tile_cols;
      const size_t pairs = static_cast<size_t>(term.a->pairs()) * static_cast<size_t>(padded);
      multiply_brain_term(
          product, *term.a,
          pair_strips(strips, term.b.depth(), count, strip_scratch().pairs.resize(pairs)), r0, r1,
          c0, c1, accumulate);
    } else {
      multiply_term(product, *term.a, strips, r0, r1, c0, c1, accumulate);
    }
    accumulate = true;
  }
}

struct Task {
  const Product* product;
  int r0, r1, c0, c1;
};

// Column tasks over all rows, so that weights are dequantised once; rows are divided too when there
// are few columns.
std::vector<Task> divide(std::span<const Product> products, int threads) {
  int column_tasks = 0;
  for (const Product& p : products)
    column_tasks += (p.cols + columns_per_task(p) - 1) / columns_per_task(p);
  const int row_parts = column_tasks >= 4 * threads || threads == 1
                            ? 1
                            : (4 * threads + column_tasks - 1) / column_tasks;
  std::vector<Task> tasks;
  for (const Product& p : products) {
    const int rows = p.terms.front().a->rows();
    const int panels = (rows + tile_rows - 1) / tile_rows;
    const int step = std::max(8, (panels + row_parts - 1) / row_parts) * tile_rows;
    const int width = columns_per_task(p);
    for (int c = 0; c < p.cols; c += width) {
      for (int r = 0; r < rows; r += step) {
        tasks.push_back({&p, r, std::min(rows, r + step), c, std::min(p.cols, c + width)});
      }
    }
  }
  return tasks;
}

}  // namespace

void PackedRows::set_shape(int rows, int depth) {
  rows_ = rows;
  depth_ = depth;
  const size_t padded = static_cast<size_t>((rows + tile_rows - 1) / tile_rows) * tile_rows;
  if (precision_ == Precision::brain) {
    pairs_.resize(padded * static_cast<size_t>(pairs()));
  } else {
    data_.resize(padded * static_cast<size_t>(depth));
  }
}

void PackedRows::pack_pairs(int p, const float* x, int64_t stride, float scale) {
  static thread_local Buffer<float> scratch;
  static thread_local Buffer<uint32_t> rows;
  const int live = std::min(tile_rows, rows_ - p * tile_rows), count = pairs();
  float* scaled = scratch.resize(static_cast<size_t>(2 * count));
  uint32_t* row = rows.resize(static_cast<size_t>(tile_rows * count));
  std::memset(row, 0, static_cast<size_t>(tile_rows * count) * sizeof(uint32_t));
  x += static_cast<int64_t>(p) * tile_rows * stride;
  for (int i = 0; i < live; ++i, x += stride) {
    for (int k = 0; k < depth_; ++k) scaled[k] = x[k] * scale;
    if (depth_ % 2 != 0) scaled[depth_] = 0;
    neighbours_to_pairs(scaled, count, row + int64_t{i} * count);
  }
  uint32_t* out = pairs_.data() + static_cast<int64_t>(p) * count * tile_rows;
  for (int k = 0; k < count; ++k, out += tile_rows) {
    for (int i = 0; i < tile_rows; ++i) out[i] = row[int64_t{i} * count + k];
  }
}

void PackedRows::pack_panel(int p, const float* x, int64_t stride, float scale) {
  if (precision_ == Precision::brain) return pack_pairs(p, x, stride, scale);
  float* out = data_.data() + static_cast<int64_t>(p) * depth_ * tile_rows;
  const int live = std::min(tile_rows, rows_ - p * tile_rows);
  x += static_cast<int64_t>(p) * tile_rows * stride;
  int k = 0;
#ifdef __AVX2__
  const __m128 factor = _mm_set1_ps(scale);
  for (; live == tile_rows && k + 4 <= depth_; k += 4) {
    __m128 r[tile_rows];
    for (int i = 0; i < tile_rows; ++i) r[i] = _mm_mul_ps(_mm_loadu_ps(x + i * stride + k), factor);
    _MM_TRANSPOSE4_PS(r[0], r[1], r[2], r[3]);
    const __m128 low = _mm_unpacklo_ps(r[4], r[5]), high = _mm_unpackhi_ps(r[4], r[5]);
    float* o = out + k * tile_rows;
    for (int i = 0; i < 4; ++i) {
      _mm_storeu_ps(o + i * tile_rows, r[i]);
      const __m128 pair = i < 2 ? low : high;
      if (i % 2 == 0) {
        _mm_storel_pi(reinterpret_cast<__m64*>(o + i * tile_rows + 4), pair);
      } else {
        _mm_storeh_pi(reinterpret_cast<__m64*>(o + i * tile_rows + 4), pair);
      }
    }
  }
#endif
  for (; k < depth_; ++k) {
    for (int i = 0; i < tile_rows; ++i)
      out[k * tile_rows + i] = i < live ? x[i * stride + k] * scale : 0;
  }
}

void PackedRows::pack_panel_transposed(int p, const float* x, int64_t stride, float scale) {
  float* out = data_.data() + static_cast<int64_t>(p) * depth_ * tile_rows;
  const int live = std::min(tile_rows, rows_ - p * tile_rows);
  x += static_cast<int64_t>(p) * tile_rows;
  for (int k = 0; k < depth_; ++k, x += stride, out += tile_rows) {
    for (int i = 0; i < tile_rows; ++i) out[i] = i < live ? x[i] * scale : 0;
  }
}

void PackedRows::pack(ThreadPool& pool, const float* x, int rows, int depth, int64_t stride,
                      float scale) {
  set_shape(rows, depth);
  pool.run_ranges((rows + tile_rows - 1) / tile_rows, 8, [&](int begin, int end) {
    for (int p = begin; p < end; ++p) pack_panel(p, x, stride, scale);
  });
}

void PackedRows::pack_transposed(ThreadPool& pool, const float* x, int rows, int depth,
                                 int64_t stride, float scale) {
  assert(precision_ == Precision::single);
  set_shape(rows, depth);
  pool.run_ranges((rows + tile_rows - 1) / tile_rows, 1, [&](int begin, int end) {
    for (int p = begin; p < end; ++p) pack_panel_transposed(p, x, stride, scale);
  });
}

void PackedRows::pack_here(const float* x, int rows, int depth, int64_t stride, float scale) {
  set_shape(rows, depth);
  for (int p = 0; p * tile_rows < rows; ++p) pack_panel(p, x, stride, scale);
}

void PackedRows::pack_transposed_here(const float* x, int rows, int depth, int64_t stride,
                                      float scale) {
  assert(precision_ == Precision::single);
  set_shape(rows, depth);
  for (int p = 0; p * tile_rows < rows; ++p) pack_panel_transposed(p, x, stride, scale);
}

void multiply(ThreadPool& pool, std::span<const Product> products) {
  if (products.empty()) return;
  const std::vector<Task> tasks = divide(products, pool.threads());
  pool.run(static_cast<int>(tasks.size()), [&](int i, int) {
    const Task& t = tasks[static_cast<size_t>(i)];
    multiply_tile(*t.product, t.r0, t.r1, t.c0, t.c1);
  });
}

void multiply_here(const Product& product) {
  const int rows = product.terms.front().a->rows();
  const int width = columns_per_task(product);
  for (int c = 0; c < product.cols; c += width) {
    multiply_tile(product, 0, rows, c, std::min(product.cols, c + width));
  }
}

}  // namespace slipway::tune
