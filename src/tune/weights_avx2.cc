// dequantize for AVX2 + F16C: 32 numbers at a time, from bytes to floats through 32 signed bytes in
// one register.
#ifdef __AVX2__

#include <immintrin.h>

#include <cstring>

#include "tune/weights.h"

namespace slipway::tune {
namespace {

const uint8_t* bytes(const std::byte* p) { return reinterpret_cast<const uint8_t*>(p); }

uint16_t load_u16(const uint8_t* p) {
  uint16_t value;
  std::memcpy(&value, p, sizeof value);
  return value;
}
float load_half(const uint8_t* p) { return _cvtsh_ss(load_u16(p)); }

// y[0..32) = scale * q - minimum, q being 32 signed bytes.
template <bool with_minimum>
void store_32(__m256i q, __m256 scale, __m256 minimum, float* y) {
  const __m128i low = _mm256_castsi256_si128(q), high = _mm256_extracti128_si256(q, 1);
  const __m128i parts[4] = {low, _mm_srli_si128(low, 8), high, _mm_srli_si128(high, 8)};
  for (int i = 0; i < 4; ++i) {
    const __m256 f = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(parts[i]));
    _mm256_storeu_ps(y + 8 * i,
                     with_minimum ? _mm256_fmsub_ps(f, scale, minimum) : _mm256_mul_ps(f, scale));
  }
}

// 16 bytes -> their low nibbles (bytes 0..15), then their high nibbles (bytes 16..31).
__m256i nibbles(const uint8_t* q) {
  const __m128i raw = _mm_loadu_si128(reinterpret_cast<const __m128i*>(q));
  const __m256i both = _mm256_set_m128i(_mm_srli_epi16(raw, 4), raw);
  return _mm256_and_si256(both, _mm256_set1_epi8(15));
}

// 0xff where bit i of `bits` is set.
__m256i spread_bits(const uint8_t* bits) {
  int32_t word;
  std::memcpy(&word, bits, sizeof word);
  const __m256i shuffle =
      _mm256_set_epi64x(0x0303030303030303, 0x0202020202020202, 0x0101010101010101, 0);
  const __m256i spread = _mm256_shuffle_epi8(_mm256_set1_epi32(word), shuffle);
  const __m256i others = _mm256_set1_epi64x(0x7fbfdfeff7fbfdfe);
  return _mm256_cmpeq_epi8(_mm256_or_si256(spread, others), _mm256_set1_epi64x(-1));
}

void block_q4_0(const uint8_t* b, float* y) {
  const __m256i q = _mm256_sub_epi8(nibbles(b + 2), _mm256_set1_epi8(8));
  store_32<false>(q, _mm256_set1_ps(load_half(b)), _mm256_setzero_ps(), y);
}

void block_q5_0(const uint8_t* b, float* y) {
  // A missing fifth bit means q - 16: as a signed byte that is q | 0xf0; a present one cancels
  // the 16.
  const __m256i missing =
      _mm256_andnot_si256(spread_bits(b + 2), _mm256_set1_epi8(static_cast<char>(0xf0)));
  store_32<false>(_mm256_or_si256(nibbles(b + 6), missing), _mm256_set1_ps(load_half(b)),
                  _mm256_setzero_ps(), y);
}

void block_q8_0(const uint8_t* b, float* y) {
  const __m256i q = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(b + 2));
  store_32<false>(q, _mm256_set1_ps(load_half(b)), _mm256_setzero_ps(), y);
}

// The eight six-bit scales, then the eight minimums, of a Q4_K or Q5_K block as bytes.
void unpack_scales(const uint8_t* q, uint8_t (&out)[16]) {
  constexpr uint32_t low6 = 0x3f3f3f3f, low4 = 0x0f0f0f0f, low2 = 0x03030303;
  uint32_t in[3], result[4];
  std::memcpy(in, q, sizeof in);
  result[0] = in[0] & low6;
  result[1] = (in[2] & low4) | (in[0] >> 6 & low2) << 4;
  result[2] = in[1] & low6;
  result[3] = (in[2] >> 4 & low4) | (in[1] >> 6 & low2) << 4;
  std::memcpy(out, result, sizeof result);
}

template <bool five>
void block_q45_k(const uint8_t* b, float* y) {
  const float d = load_half(b), d_min = load_half(b + 2);
  uint8_t scales[16];
  unpack_scales(b + 4, scales);
  const __m256i high =
      five ? _mm256_loadu_si256(reinterpret_cast<const __m256i*>(b + 16)) : __m256i{};
  const uint8_t* q = b + (five ? 48 : 16);
  for (int j = 0; j < 8; ++j) {
    const __m256i raw = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(q + j / 2 * 32));
    __m256i value = _mm256_and_si256(j % 2 ? _mm256_srli_epi16(raw, 4) : raw, _mm256_set1_epi8(15));
    if constexpr (five) {
      const __m256i bit = _mm256_set1_epi8(static_cast<char>(1 << j));
      const __m256i set = _mm256_cmpeq_epi8(_mm256_and_si256(high, bit), bit);
      value = _mm256_or_si256(value, _mm256_and_si256(set, _mm256_set1_epi8(16)));
    }
    store_32<true>(value, _mm256_set1_ps(d * scales[j]), _mm256_set1_ps(d_min * scales[8 + j]),
                   y + 32 * j);
  }
}

void block_q6_k(const uint8_t* b, float* y) {
  const float d = load_half(b + 208);
  for (int j = 0; j < 8; ++j) {
    const __m256i low =
        _mm256_loadu_si256(reinterpret_cast<const __m256i*>(b + j / 4 * 64 + j % 2 * 32));
    const __m256i high = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(b + 128 + j / 4 * 32));
    const __m256i four =
        _mm256_and_si256(j % 4 < 2 ? low : _mm256_srli_epi16(low, 4), _mm256_set1_epi8(15));
    const __m128i shift = _mm_cvtsi32_si128(j % 4 * 2);
    const __m256i two = _mm256_and_si256(_mm256_srl_epi16(high, shift), _mm256_set1_epi8(3));
    const __m256i q =
        _mm256_sub_epi8(_mm256_or_si256(four, _mm256_slli_epi16(two, 4)), _mm256_set1_epi8(32));
    const auto scale = [&](int i) {
      return _mm256_set1_ps(d * static_cast<int8_t>(b[192 + j * 2 + i]));
    };
    const __m256 scales[2] = {scale(0), scale(1)};
    const __m128i halves[2] = {_mm256_castsi256_si128(q), _mm256_extracti128_si256(q, 1)};
    for (int i = 0; i < 4; ++i) {
      const __m128i part = i % 2 ? _mm_srli_si128(halves[i / 2], 8) : halves[i / 2];
      const __m256 f = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(part));
      _mm256_storeu_ps(y + 32 * j + 8 * i, _mm256_mul_ps(f, scales[i / 2]));
    }
  }
}

template <void (*block)(const uint8_t*, float*)>
void for_blocks(const uint8_t* b, int64_t count, int size, int stride, float* y) {
  for (int64_t i = 0; i < count; i += size, b += stride) block(b, y + i);
}

void from_half(const uint8_t* b, int64_t count, float* y) {
  int64_t i = 0;
  for (; i + 8 <= count; i += 8) {
    _mm256_storeu_ps(y + i,
                     _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(b + 2 * i))));
  }
  for (; i < count; ++i) y[i] = load_half(b + 2 * i);
}

void from_bfloat(const uint8_t* b, int64_t count, float* y) {
  for (int64_t i = 0; i < count; ++i) {
    const uint32_t bits = static_cast<uint32_t>(load_u16(b + 2 * i)) << 16;
    std::memcpy(y + i, &bits, sizeof bits);
  }
}

}  // namespace

void dequantize(WeightType type, const std::byte* blocks, int64_t count, float* out) {
  const uint8_t* b = bytes(blocks);
  switch (type) {
    case WeightType::f32:
      std::memcpy(out, b, static_cast<size_t>(count) * sizeof(float));
      return;
    case WeightType::f16:
      from_half(b, count, out);
      return;
    case WeightType::bf16:
      from_bfloat(b, count, out);
      return;
    case WeightType::q4_0:
      for_blocks<block_q4_0>(b, count, 32, 18, out);
      return;
    case WeightType::q5_0:
      for_blocks<block_q5_0>(b, count, 32, 22, out);
      return;
    case WeightType::q8_0:
      for_blocks<block_q8_0>(b, count, 32, 34, out);
      return;
    case WeightType::q4_k:
      for_blocks<block_q45_k<false>>(b, count, 256, 144, out);
      return;
    case WeightType::q5_k:
      for_blocks<block_q45_k<true>>(b, count, 256, 176, out);
      return;
    case WeightType::q6_k:
      for_blocks<block_q6_k>(b, count, 256, 210, out);
      return;
  }
}

}  // namespace slipway::tune

#endif
