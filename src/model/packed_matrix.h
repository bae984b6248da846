// A quantised weight matrix packed for the product with few or many activations, whose result for
// one column never depends on how many columns are multiplied together.
//
//     std::vector<std::byte> packed(packed_bytes(shape));
//     pack(shape, gguf_rows, 0, panel_count(shape), packed.data());
//     quantise(shape, x, 0, 1, activations);                         // one token's values
//     multiply(shape, packed.data(), 0, panel_count(shape), activations, 1, y, shape.rows);
//
// y[t][r] = sum over blocks b of  scale[r][b] * d[t][b] * (q[r][b] . a[t][b])  (- min[r][b] * ...),
// where the dot products of 32 (Q6_K: 16) small integers are exact and the sum over the blocks runs
// in one order with fused multiply-adds. So every kernel (portable, AVX2, AVX-512 VNNI) gives the
// same bits, alone or in a batch. Weights are exactly those of the GGUF file; activations are
// rounded to 8 bits per block of 32, as ggml does for these types.
//
// Layout: panels of 16 rows; a panel is its blocks of 32 columns in order; a block is its scales,
// then 8 groups of 4 columns, each the 16 rows' 4 bytes, unsigned (q + offset).
// Pure functions; thread-safe. No errors: callers check `supported` first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

namespace slipway::model {

enum class PackedType : uint8_t { q4_0, q5_0, q8_0, q4_k, q5_k, q6_k };

struct PackedShape {
  PackedType type = PackedType::q8_0;
  int64_t rows = 0;     // GGUF's ne[1]
  int64_t columns = 0;  // GGUF's ne[0]
};

inline constexpr int kPanelRows = 16;
inline constexpr int kBlockColumns = 32;

bool supported(const PackedShape& shape);  // whole blocks only
int64_t panel_count(const PackedShape& shape);
size_t packed_bytes(const PackedShape& shape);
// Panels [first, last), so that several threads can share the work.
void pack(const PackedShape& shape, const void* gguf_rows, int64_t first, int64_t last,
          void* packed);

size_t activation_bytes(int64_t columns, int64_t tokens);
// Rounds the values of token number `token` of `tokens` for products with such a matrix.
void quantise(const PackedShape& shape, const float* values, int64_t token, int64_t tokens,
              void* activations);

// Panels [first, last) for all `tokens`; token t's results go to out + t * stride, by row.
void multiply(const PackedShape& shape, const void* packed, int64_t first, int64_t last,
              const void* activations, int64_t tokens, float* out, int64_t stride);

// For tests: the kernels this processor can run; `use_kernel` is not thread-safe.
enum class PackedKernel : uint8_t { portable, avx2, avx512_vnni };
bool can_run(PackedKernel kernel);
void use_kernel(PackedKernel kernel);

}  // namespace slipway::model
