#include "tune/gemm.h"

#ifdef __AVX2__
#include <immintrin.h>
#endif

namespace slipway::tune {
namespace portable {

void kernel_6x16(int depth, const float* a, const float* b, int64_t b_stride, float* c,
                 int64_t c_stride, bool accumulate) {
  float sum[tile_rows][tile_cols] = {};
  for (int k = 0; k < depth; ++k, a += tile_rows, b += b_stride) {
    for (int i = 0; i < tile_rows; ++i) {
      for (int j = 0; j < tile_cols; ++j) sum[i][j] += a[i] * b[j];
    }
  }
  for (int i = 0; i < tile_rows; ++i, c += c_stride) {
    for (int j = 0; j < tile_cols; ++j) c[j] = accumulate ? c[j] + sum[i][j] : sum[i][j];
  }
}

}  // namespace portable

#ifdef __AVX2__

// Twelve accumulators, two registers of b, two broadcasts of a: all sixteen registers are in use,
// and twelve independent chains cover the latency of two fused multiply-adds per cycle.
void kernel_6x16(int depth, const float* a, const float* b, int64_t b_stride, float* c,
                 int64_t c_stride, bool accumulate) {
  __m256 sum[tile_rows][2];
  for (int i = 0; i < tile_rows; ++i) {
    _mm_prefetch(reinterpret_cast<const char*>(c + i * c_stride), _MM_HINT_T0);
    sum[i][0] = sum[i][1] = _mm256_setzero_ps();
  }
  for (int k = 0; k < depth; ++k, a += tile_rows, b += b_stride) {
    const __m256 b0 = _mm256_loadu_ps(b), b1 = _mm256_loadu_ps(b + 8);
#pragma GCC unroll 6
    for (int i = 0; i < tile_rows; ++i) {
      const __m256 ai = _mm256_broadcast_ss(a + i);
      sum[i][0] = _mm256_fmadd_ps(ai, b0, sum[i][0]);
      sum[i][1] = _mm256_fmadd_ps(ai, b1, sum[i][1]);
    }
  }
#pragma GCC unroll 6
  for (int i = 0; i < tile_rows; ++i, c += c_stride) {
    if (accumulate) {
      sum[i][0] = _mm256_add_ps(sum[i][0], _mm256_loadu_ps(c));
      sum[i][1] = _mm256_add_ps(sum[i][1], _mm256_loadu_ps(c + 8));
    }
    _mm256_storeu_ps(c, sum[i][0]);
    _mm256_storeu_ps(c + 8, sum[i][1]);
  }
}

#else

void kernel_6x16(int depth, const float* a, const float* b, int64_t b_stride, float* c,
                 int64_t c_stride, bool accumulate) {
  portable::kernel_6x16(depth, a, b, b_stride, c, c_stride, accumulate);
}

#endif

}  // namespace slipway::tune
