// AVX2 with FMA: the 16 rows as two registers of 8. Products of bytes are summed in 16 bits by
// maddubs, which must not saturate: where weights fill all 8 bits, their sign moves to the
// activation.
#include <immintrin.h>

#include "model/packed_kernel.h"

namespace slipway::model::packed {
namespace {

struct Weights {
  __m256i magnitude, sign;
};

template <bool Full>  // weights of 8 bits, offset 128
inline Weights load(const uint8_t* q) {
  const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(q));
  if (!Full) return {bytes, bytes};
  const __m256i value = _mm256_xor_si256(bytes, _mm256_set1_epi8(-128));
  return {_mm256_abs_epi8(value), value};
}

template <bool Full>
inline __m256i multiply_add(__m256i dot, const Weights& w, __m256i a) {
  const __m256i signed_a = Full ? _mm256_sign_epi8(a, w.sign) : a;
  const __m256i pairs = _mm256_maddubs_epi16(w.magnitude, signed_a);
  return _mm256_add_epi32(dot, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

inline __m256 load_scale(Scales scales, const uint8_t* w, int half, int side) {
  if (scales == Scales::half) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(w) + side));
  }
  return _mm256_loadu_ps(reinterpret_cast<const float*>(w) + 16 * half + 8 * side);
}

inline void store(float* out, __m256 low, __m256 high, int rows) {
  if (rows == 16) {
    _mm256_storeu_ps(out, low);
    _mm256_storeu_ps(out + 8, high);
    return;
  }
  float all[16];
  _mm256_storeu_ps(all, low);
  _mm256_storeu_ps(all + 8, high);
  for (int r = 0; r < rows; ++r) out[r] = all[r];
}

// Tokens [first, first + N) of a tile of T: 16 registers hold two tokens' sums and no more.
template <Scales S, bool Full, int T, int N>
inline void some_tokens(const Panel& p, const uint8_t* tile, int first, float* out) {
  __m256 sum[N][2];
  for (int t = 0; t < N; ++t) sum[t][0] = sum[t][1] = _mm256_setzero_ps();
  const uint8_t* w = p.weights;
  constexpr int halves = S == Scales::pair ? 2 : 1;
  for (int64_t b = 0; b < p.blocks; ++b) {
    const auto* scales = reinterpret_cast<const float*>(tile) + first;
    const auto* starts = reinterpret_cast<const int32_t*>(tile) + T + first;
    const auto* weighted = scales + 3 * T;
    const auto* groups = starts + 3 * T;
    const uint8_t* q = w + scale_bytes(S);
    for (int half = 0; half < halves; ++half) {
      __m256i dot[N][2];
      for (int t = 0; t < N; ++t) {
        dot[t][0] = dot[t][1] = _mm256_set1_epi32(Full ? 0 : starts[half * T + t]);
      }
      for (int g = 0; g < 8 / halves; ++g, q += 64, groups += T) {
        const Weights low = load<Full>(q), high = load<Full>(q + 32);
#pragma GCC unroll 2
        for (int t = 0; t < N; ++t) {
          const __m256i all = _mm256_set1_epi32(groups[t]);
          dot[t][0] = multiply_add<Full>(dot[t][0], low, all);
          dot[t][1] = multiply_add<Full>(dot[t][1], high, all);
        }
      }
      for (int side = 0; side < 2; ++side) {
        const __m256 scale = load_scale(S, w, half, side);
        for (int t = 0; t < N; ++t) {
          const __m256 both = _mm256_mul_ps(scale, _mm256_set1_ps(scales[t]));
          sum[t][side] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(dot[t][side]), both, sum[t][side]);
        }
      }
    }
    for (int t = 0; S == Scales::minimum && t < N; ++t) {
      const __m256 by = _mm256_set1_ps(weighted[t]);
      sum[t][0] = _mm256_fnmadd_ps(load_scale(S, w, 1, 0), by, sum[t][0]);
      sum[t][1] = _mm256_fnmadd_ps(load_scale(S, w, 1, 1), by, sum[t][1]);
    }
    w = q;
    tile += tile_block_bytes(T);
  }
  for (int t = 0; t < N; ++t) {
    store(out + (first + t) * p.out_stride, sum[t][0], sum[t][1], p.rows);
  }
}

template <Scales S, bool Full, int T>
inline void one_tile(const Panel& p, const uint8_t* tile, float* out) {
  constexpr int N = T == 1 ? 1 : 2;
  for (int first = 0; first < T; first += N) some_tokens<S, Full, T, N>(p, tile, first, out);
}

template <Scales S, bool Full>
void all_tiles(const Panel& p, int64_t tokens) {
  const uint8_t* tile = p.tiles;
  float* out = p.out;
  for (; tokens >= 8; tokens -= 8) {
    one_tile<S, Full, 8>(p, tile, out);
    tile += p.blocks * tile_block_bytes(8);
    out += 8 * p.out_stride;
  }
  if (tokens & 4) {
    one_tile<S, Full, 4>(p, tile, out);
    tile += p.blocks * tile_block_bytes(4);
    out += 4 * p.out_stride;
  }
  if (tokens & 2) {
    one_tile<S, Full, 2>(p, tile, out);
    tile += p.blocks * tile_block_bytes(2);
    out += 2 * p.out_stride;
  }
  if (tokens & 1) one_tile<S, Full, 1>(p, tile, out);
}

}  // namespace

void avx2_kernel(const Panel& panel, int64_t tokens) {
  switch (panel.scales) {
    case Scales::half:
      return panel.full ? all_tiles<Scales::half, true>(panel, tokens)
                        : all_tiles<Scales::half, false>(panel, tokens);
    case Scales::minimum:
      return all_tiles<Scales::minimum, false>(panel, tokens);
    case Scales::pair:
      return all_tiles<Scales::pair, false>(panel, tokens);
  }
}

}  // namespace slipway::model::packed
