// AVX-512 VNNI: one instruction multiplies and adds four columns of 16 rows.
#include <immintrin.h>

#include "model/packed_kernel.h"

namespace slipway::model::packed {
namespace {

template <Scales S, int N>
inline void some_tokens(const Panel& p, int64_t first) {
  const int8_t* a[N];
  const BlockInfo* info[N];
  __m512 sum[N];
#pragma GCC unroll 8
  for (int t = 0; t < N; ++t) {
    a[t] = p.tokens + (first + t) * p.token_stride;
    info[t] = reinterpret_cast<const BlockInfo*>(a[t] + p.info_offset);
    sum[t] = _mm512_setzero_ps();
  }
  const uint8_t* w = p.weights;
  constexpr int halves = S == Scales::pair ? 2 : 1;
  for (int64_t b = 0; b < p.blocks; ++b) {
    const uint8_t* q = w + scale_bytes(S);
    for (int half = 0; half < halves; ++half) {
      const __m512 scale =
          S == Scales::half
              ? _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(w)))
              : _mm512_loadu_ps(reinterpret_cast<const float*>(w) + 16 * half);
      __m512i dot[N];
#pragma GCC unroll 8
      for (int t = 0; t < N; ++t) {
        const int32_t total =
            halves == 2 ? info[t][b].sums[half] : info[t][b].sums[0] + info[t][b].sums[1];
        dot[t] = _mm512_set1_epi32(-p.offset * total);
      }
#pragma GCC unroll 8
      for (int g = 0; g < 8 / halves; ++g) {
        const __m512i weights = _mm512_loadu_si512(q);
#pragma GCC unroll 8
        for (int t = 0; t < N; ++t) {
          int32_t four;
          __builtin_memcpy(&four, a[t] + b * 32 + half * 16 + g * 4, 4);
          dot[t] = _mm512_dpbusd_epi32(dot[t], weights, _mm512_set1_epi32(four));
        }
        q += 64;
      }
#pragma GCC unroll 8
      for (int t = 0; t < N; ++t) {
        const __m512 both = _mm512_mul_ps(scale, _mm512_set1_ps(info[t][b].scale));
        sum[t] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dot[t]), both, sum[t]);
      }
    }
    if (S == Scales::minimum) {
      const __m512 minimum = _mm512_loadu_ps(reinterpret_cast<const float*>(w) + 16);
#pragma GCC unroll 8
      for (int t = 0; t < N; ++t) {
        const float total = static_cast<float>(info[t][b].sums[0] + info[t][b].sums[1]);
        sum[t] = _mm512_fnmadd_ps(minimum, _mm512_set1_ps(info[t][b].scale * total), sum[t]);
      }
    }
    w = q;
  }
  const auto rows = static_cast<__mmask16>((1u << p.rows) - 1);
#pragma GCC unroll 8
  for (int t = 0; t < N; ++t) {
    _mm512_mask_storeu_ps(p.out + (first + t) * p.out_stride, rows, sum[t]);
  }
}

template <Scales S>
void all_tokens(const Panel& p, int64_t tokens) {
  int64_t t = 0;
  for (; t + 8 <= tokens; t += 8) some_tokens<S, 8>(p, t);
  if (tokens - t >= 4) {
    some_tokens<S, 4>(p, t);
    t += 4;
  }
  if (tokens - t >= 2) {
    some_tokens<S, 2>(p, t);
    t += 2;
  }
  if (tokens - t >= 1) some_tokens<S, 1>(p, t);
}

}  // namespace

void avx512_vnni_kernel(const Panel& panel, int64_t tokens) {
  switch (panel.scales) {
    case Scales::half:
      return all_tokens<Scales::half>(panel, tokens);
    case Scales::minimum:
      return all_tokens<Scales::minimum>(panel, tokens);
    case Scales::pair:
      return all_tokens<Scales::pair>(panel, tokens);
  }
}

}  // namespace slipway::model::packed
