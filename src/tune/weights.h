// A matrix as it lies in a GGUF file: rows of (quantised) blocks, read in place and turned into
// floats a piece at a time.
//
//     dequantize(w.type, w.row(3), 256, out);     // the first 256 numbers of row 3
//
// Block layouts are those of ggml (ggml-common.h); tests hold every one against ggml's own
// conversion. Thread-safe: reads only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace slipway::tune {

enum class WeightType : uint8_t { f32, f16, bf16, q4_0, q5_0, q8_0, q4_k, q5_k, q6_k };

struct TypeTraits {
  std::string_view name;  // "Q5_0"
  uint32_t ggml_id;       // as GGUF stores it
  int block_size;         // numbers per block
  int block_bytes;
};
const TypeTraits& traits(WeightType type);
std::optional<WeightType> weight_type(uint32_t ggml_id);
std::string_view ggml_type_name(uint32_t ggml_id);  // of any type, for "unsupported" messages

struct WeightMatrix {
  WeightType type = WeightType::f32;
  const std::byte* data = nullptr;
  int rows = 0;  // GGUF's ne[1]
  int cols = 0;  // GGUF's ne[0]; the fast dimension
  int64_t row_bytes = 0;

  const std::byte* row(int64_t r) const { return data + r * row_bytes; }
  // Where the block that holds column `col` of row `r` begins; col must be a multiple of the block
  // size.
  const std::byte* at(int64_t r, int64_t col) const {
    const TypeTraits& t = traits(type);
    return row(r) + col / t.block_size * t.block_bytes;
  }
};

// A float matrix [rows, cols] whose rows are `stride` floats apart.
WeightMatrix float_matrix(const float* data, int rows, int cols, int64_t stride);

// `count` numbers from whole blocks (count must be a multiple of the block size).
void dequantize(WeightType type, const std::byte* blocks, int64_t count, float* out);

namespace portable {
void dequantize(WeightType type, const std::byte* blocks, int64_t count, float* out);
}

float half_to_float(uint16_t half);
uint16_t float_to_half(float value);  // round to nearest even

}  // namespace slipway::tune
