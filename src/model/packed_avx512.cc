// AVX-512 VNNI: one instruction multiplies and adds four columns of 16 rows.
#include <immintrin.h>

#include "model/packed_kernel.h"

namespace slipway::model::packed {
namespace {

template <Scales S, int T>
inline void one_tile(const Panel& p, const uint8_t* tile, float* out) {
  __m512 sum[T];
#pragma GCC unroll 8
  for (int t = 0; t < T; ++t) sum[t] = _mm512_setzero_ps();
  const uint8_t* w = p.weights;
  constexpr int halves = S == Scales::pair ? 2 : 1;
  for (int64_t b = 0; b < p.blocks; ++b) {
    const auto* scales = reinterpret_cast<const float*>(tile);
    const auto* starts = reinterpret_cast<const int32_t*>(tile) + T;
    const auto* weighted = scales + 3 * T;
    const auto* groups = starts + 3 * T;
    const uint8_t* q = w + scale_bytes(S);
#pragma GCC unroll 2
    for (int half = 0; half < halves; ++half) {
      __m512i dot[T];
#pragma GCC unroll 8
      for (int t = 0; t < T; ++t) dot[t] = _mm512_set1_epi32(starts[half * T + t]);
#pragma GCC unroll 8
      for (int g = 0; g < 8 / halves; ++g) {
        const __m512i weights = _mm512_loadu_si512(q);
#pragma GCC unroll 8
        for (int t = 0; t < T; ++t) {
          dot[t] = _mm512_dpbusd_epi32(dot[t], weights, _mm512_set1_epi32(groups[t]));
        }
        q += 64;
        groups += T;
      }
      const __m512 scale =
          S == Scales::half
              ? _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(w)))
              : _mm512_loadu_ps(reinterpret_cast<const float*>(w) + 16 * half);
#pragma GCC unroll 8
      for (int t = 0; t < T; ++t) {
        const __m512 both = _mm512_mul_ps(scale, _mm512_set1_ps(scales[t]));
        sum[t] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dot[t]), both, sum[t]);
      }
    }
    if (S == Scales::minimum) {
      const __m512 minimum = _mm512_loadu_ps(reinterpret_cast<const float*>(w) + 16);
#pragma GCC unroll 8
      for (int t = 0; t < T; ++t) {
        sum[t] = _mm512_fnmadd_ps(minimum, _mm512_set1_ps(weighted[t]), sum[t]);
      }
    }
    w = q;
    tile += tile_block_bytes(T);
  }
  const auto rows = static_cast<__mmask16>((1u << p.rows) - 1);
#pragma GCC unroll 8
  for (int t = 0; t < T; ++t) _mm512_mask_storeu_ps(out + t * p.out_stride, rows, sum[t]);
}

template <Scales S>
void all_tiles(const Panel& p, int64_t tokens) {
  const uint8_t* tile = p.tiles;
  float* out = p.out;
  for (; tokens >= 8; tokens -= 8) {
    one_tile<S, 8>(p, tile, out);
    tile += p.blocks * tile_block_bytes(8);
    out += 8 * p.out_stride;
  }
  if (tokens & 4) {
    one_tile<S, 4>(p, tile, out);
    tile += p.blocks * tile_block_bytes(4);
    out += 4 * p.out_stride;
  }
  if (tokens & 2) {
    one_tile<S, 2>(p, tile, out);
    tile += p.blocks * tile_block_bytes(2);
    out += 2 * p.out_stride;
  }
  if (tokens & 1) one_tile<S, 1>(p, tile, out);
}

}  // namespace

void avx512_vnni_kernel(const Panel& panel, int64_t tokens) {
  switch (panel.scales) {
    case Scales::half:
      return all_tiles<Scales::half>(panel, tokens);
    case Scales::minimum:
      return all_tiles<Scales::minimum>(panel, tokens);
    case Scales::pair:
      return all_tiles<Scales::pair>(panel, tokens);
  }
}

}  // namespace slipway::model::packed
