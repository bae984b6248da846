// bfloat16: the upper half of a float, rounded to nearest even. A pair is two of them in one word,
// the even one low, as AVX-512's dot product wants them. Not-a-numbers stay what they are.
//
//     to_pairs(row, next_row, 16, pairs);      // pairs[i] = (row[i], next_row[i])
//     neighbours_to_pairs(row, 8, pairs);      // pairs[i] = (row[2i], row[2i + 1])
#pragma once

#include <bit>
#include <cstdint>

namespace slipway::tune {

// In the upper half; the lower half is waste.
inline uint32_t rounded_to_brain(float x) {
  const auto bits = std::bit_cast<uint32_t>(x);
  const uint32_t rounded = bits + 0x7fff + (bits >> 16 & 1);
  return (bits & 0x7fff'ffff) > 0x7f80'0000 ? bits | 0x0040'0000 : rounded;
}

inline uint32_t brain_pair(float even, float odd) {
  return rounded_to_brain(even) >> 16 | (rounded_to_brain(odd) & 0xffff'0000);
}

inline float low_brain(uint32_t pair) { return std::bit_cast<float>(pair << 16); }
inline float high_brain(uint32_t pair) { return std::bit_cast<float>(pair & 0xffff'0000); }

inline void to_pairs(const float* even, const float* odd, int count, uint32_t* pairs) {
  for (int i = 0; i < count; ++i) pairs[i] = brain_pair(even[i], odd[i]);
}

inline void neighbours_to_pairs(const float* x, int count, uint32_t* pairs) {
  for (int i = 0; i < count; ++i) pairs[i] = brain_pair(x[2 * i], x[2 * i + 1]);
}

}  // namespace slipway::tune
