#include "tune/weights.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>

namespace slipway::tune {
namespace {

constexpr std::array<TypeTraits, 9> all_traits{{
    {"F32", 0, 1, 4},
    {"F16", 1, 1, 2},
    {"BF16", 30, 1, 2},
    {"Q4_0", 2, 32, 18},
    {"Q5_0", 6, 32, 22},
    {"Q8_0", 8, 32, 34},
    {"Q4_K", 12, 256, 144},
    {"Q5_K", 13, 256, 176},
    {"Q6_K", 14, 256, 210},
}};

uint16_t load_u16(const uint8_t* p) { return static_cast<uint16_t>(p[0] | p[1] << 8); }
uint32_t load_u32(const uint8_t* p) {
  return load_u16(p) | static_cast<uint32_t>(load_u16(p + 2)) << 16;
}
float load_half(const uint8_t* p) { return half_to_float(load_u16(p)); }

// The six-bit scale and minimum number j of a Q4_K or Q5_K block.
void scale_and_minimum(int j, const uint8_t* q, int& scale, int& minimum) {
  if (j < 4) {
    scale = q[j] & 63;
    minimum = q[j + 4] & 63;
  } else {
    scale = (q[j + 4] & 15) | (q[j - 4] >> 6) << 4;
    minimum = (q[j + 4] >> 4) | (q[j] >> 6) << 4;
  }
}

void block_q4_0(const uint8_t* b, float* y) {
  const float d = load_half(b);
  for (int j = 0; j < 16; ++j) {
    y[j] = d * static_cast<float>((b[2 + j] & 15) - 8);
    y[j + 16] = d * static_cast<float>((b[2 + j] >> 4) - 8);
  }
}

void block_q5_0(const uint8_t* b, float* y) {
  const float d = load_half(b);
  const uint32_t high = load_u32(b + 2);
  for (int j = 0; j < 16; ++j) {
    const int low_bit = static_cast<int>(high >> j & 1) << 4;
    const int high_bit = static_cast<int>(high >> (j + 16) & 1) << 4;
    y[j] = d * static_cast<float>(((b[6 + j] & 15) | low_bit) - 16);
    y[j + 16] = d * static_cast<float>(((b[6 + j] >> 4) | high_bit) - 16);
  }
}

void block_q8_0(const uint8_t* b, float* y) {
  const float d = load_half(b);
  for (int j = 0; j < 32; ++j) y[j] = d * static_cast<float>(static_cast<int8_t>(b[2 + j]));
}

void block_q4_k(const uint8_t* b, float* y) {
  const float d = load_half(b), d_min = load_half(b + 2);
  for (int j = 0; j < 8; ++j) {
    int scale, minimum;
    scale_and_minimum(j, b + 4, scale, minimum);
    const uint8_t* q = b + 16 + j / 2 * 32;
    const float s = d * static_cast<float>(scale), m = d_min * static_cast<float>(minimum);
    for (int i = 0; i < 32; ++i)
      y[j * 32 + i] = s * static_cast<float>(j % 2 ? q[i] >> 4 : q[i] & 15) - m;
  }
}

void block_q5_k(const uint8_t* b, float* y) {
  const float d = load_half(b), d_min = load_half(b + 2);
  for (int j = 0; j < 8; ++j) {
    int scale, minimum;
    scale_and_minimum(j, b + 4, scale, minimum);
    const uint8_t* high = b + 16;
    const uint8_t* q = b + 48 + j / 2 * 32;
    const float s = d * static_cast<float>(scale), m = d_min * static_cast<float>(minimum);
    for (int i = 0; i < 32; ++i) {
      const int low = j % 2 ? q[i] >> 4 : q[i] & 15;
      y[j * 32 + i] = s * static_cast<float>(low + ((high[i] >> j & 1) << 4)) - m;
    }
  }
}

void block_q6_k(const uint8_t* b, float* y) {
  const float d = load_half(b + 208);
  for (int j = 0; j < 8; ++j) {  // 32 numbers each; four of them share 32 bytes of high bits
    const uint8_t* low = b + j / 4 * 64 + j % 2 * 32;
    const uint8_t* high = b + 128 + j / 4 * 32;
    for (int i = 0; i < 32; ++i) {
      const int four = j % 4 < 2 ? low[i] & 15 : low[i] >> 4;
      const int q = (four | (high[i] >> (j % 4 * 2) & 3) << 4) - 32;
      const int scale = static_cast<int8_t>(b[192 + j * 2 + i / 16]);
      y[j * 32 + i] = d * static_cast<float>(scale) * static_cast<float>(q);
    }
  }
}

}  // namespace

const TypeTraits& traits(WeightType type) { return all_traits[static_cast<size_t>(type)]; }

std::optional<WeightType> weight_type(uint32_t ggml_id) {
  for (size_t i = 0; i < all_traits.size(); ++i) {
    if (all_traits[i].ggml_id == ggml_id) return static_cast<WeightType>(i);
  }
  return std::nullopt;
}

std::string_view ggml_type_name(uint32_t ggml_id) {
  static constexpr std::array<std::string_view, 31> names{
      "F32",     "F16",    "Q4_0",    "Q4_1",  "type 4", "type 5", "Q5_0",  "Q5_1",
      "Q8_0",    "Q8_1",   "Q2_K",    "Q3_K",  "Q4_K",   "Q5_K",   "Q6_K",  "Q8_K",
      "IQ2_XXS", "IQ2_XS", "IQ3_XXS", "IQ1_S", "IQ4_NL", "IQ3_S",  "IQ2_S", "IQ4_XS",
      "I8",      "I16",    "I32",     "I64",   "F64",    "IQ1_M",  "BF16"};
  return ggml_id < names.size() ? names[ggml_id] : "an unknown type";
}

WeightMatrix float_matrix(const float* data, int rows, int cols, int64_t stride) {
  return {WeightType::f32, reinterpret_cast<const std::byte*>(data), rows, cols,
          stride * int64_t{sizeof(float)}};
}

float half_to_float(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000) << 16;
  const uint32_t exponent = half >> 10 & 31, fraction = half & 1023;
  if (exponent == 0) {  // zero or subnormal: fraction × 2^-24
    const float value = std::ldexp(static_cast<float>(fraction), -24);
    return std::bit_cast<float>(std::bit_cast<uint32_t>(value) | sign);
  }
  const uint32_t wide = exponent == 31 ? 255 : exponent + 112;
  return std::bit_cast<float>(sign | wide << 23 | fraction << 13);
}

uint16_t float_to_half(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const auto sign = static_cast<uint16_t>(bits >> 16 & 0x8000);
  const uint32_t magnitude = bits & 0x7fff'ffff;
  if (magnitude > 0x7f80'0000) return sign | 0x7e00;   // not a number
  if (magnitude >= 0x477f'f000) return sign | 0x7c00;  // rounds to infinity
  if (magnitude < 0x3880'0000) {                       // subnormal or zero
    const float scaled = std::bit_cast<float>(magnitude) * 16777216.0f;
    return sign | static_cast<uint16_t>(std::nearbyint(scaled));
  }
  const uint32_t rounded = magnitude + 0xfff + (magnitude >> 13 & 1);
  return sign | static_cast<uint16_t>((rounded >> 13) - (112 << 10));
}

namespace portable {

void dequantize(WeightType type, const std::byte* blocks, int64_t count, float* out) {
  const auto* b = reinterpret_cast<const uint8_t*>(blocks);
  const TypeTraits& t = traits(type);
  if (type == WeightType::f32) {
    std::memcpy(out, blocks, static_cast<size_t>(count) * sizeof(float));
    return;
  }
  for (int64_t i = 0; i < count; i += t.block_size, b += t.block_bytes) {
    switch (type) {
      case WeightType::f32:
        break;
      case WeightType::f16:
        out[i] = load_half(b);
        break;
      case WeightType::bf16:
        out[i] = std::bit_cast<float>(static_cast<uint32_t>(load_u16(b)) << 16);
        break;
      case WeightType::q4_0:
        block_q4_0(b, out + i);
        break;
      case WeightType::q5_0:
        block_q5_0(b, out + i);
        break;
      case WeightType::q8_0:
        block_q8_0(b, out + i);
        break;
      case WeightType::q4_k:
        block_q4_k(b, out + i);
        break;
      case WeightType::q5_k:
        block_q5_k(b, out + i);
        break;
      case WeightType::q6_k:
        block_q6_k(b, out + i);
        break;
    }
  }
}

}  // namespace portable

#ifndef __AVX2__
void dequantize(WeightType type, const std::byte* blocks, int64_t count, float* out) {
  portable::dequantize(type, blocks, count, out);
}
#endif

}  // namespace slipway::tune
