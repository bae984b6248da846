#include <immintrin.h>

#include "tune/gemm.h"

namespace slipway::tune {

void brain_12x16_avx512(int pairs, const uint32_t* a0, const uint32_t* a1, const uint32_t* b,
                        float* c, int64_t c_stride, bool accumulate);

// Twelve accumulators of sixteen floats; an instruction adds 32 products to one of them.
void brain_12x16_avx512(int pairs, const uint32_t* a0, const uint32_t* a1, const uint32_t* b,
                        float* c, int64_t c_stride, bool accumulate) {
  __m512 sum[2 * tile_rows];
  for (int i = 0; i < 2 * tile_rows; ++i) {
    _mm_prefetch(reinterpret_cast<const char*>(c + i * c_stride), _MM_HINT_T0);
    sum[i] = _mm512_setzero_ps();
  }
  const auto word = [](const uint32_t* a) {
    return reinterpret_cast<__m512bh>(_mm512_set1_epi32(static_cast<int>(*a)));
  };
  for (int k = 0; k < pairs; ++k, a0 += tile_rows, a1 += tile_rows, b += tile_cols) {
    const auto bs = reinterpret_cast<__m512bh>(_mm512_loadu_si512(b));
#pragma GCC unroll 6
    for (int i = 0; i < tile_rows; ++i) {
      sum[i] = _mm512_dpbf16_ps(sum[i], word(a0 + i), bs);
      sum[i + tile_rows] = _mm512_dpbf16_ps(sum[i + tile_rows], word(a1 + i), bs);
    }
  }
#pragma GCC unroll 12
  for (int i = 0; i < 2 * tile_rows; ++i, c += c_stride) {
    if (accumulate) sum[i] = _mm512_add_ps(sum[i], _mm512_loadu_ps(c));
    _mm512_storeu_ps(c, sum[i]);
  }
}

}  // namespace slipway::tune
