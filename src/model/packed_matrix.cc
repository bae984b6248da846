#include "model/packed_matrix.h"

#include <ggml.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "model/packed_kernel.h"

namespace slipway::model {
namespace {

using packed::BlockInfo;
using packed::Scales;

struct Traits {
  int block_columns;  // of the GGUF block
  int block_bytes;
  Scales scales;
  int offset;
};

const Traits& traits(PackedType type) {
  static constexpr Traits all[] = {
      {32, 18, Scales::half, 8},      {32, 22, Scales::half, 16},     {32, 34, Scales::half, 128},
      {256, 144, Scales::minimum, 0}, {256, 176, Scales::minimum, 0}, {256, 210, Scales::pair, 32},
  };
  return all[static_cast<size_t>(type)];
}

size_t panel_bytes(const PackedShape& shape) {
  const auto blocks = static_cast<size_t>(shape.columns / kBlockColumns);
  return blocks * static_cast<size_t>(packed::scale_bytes(traits(shape.type).scales) + 512);
}

float half_at(const uint8_t* at) {
  ggml_fp16_t half;
  std::memcpy(&half, at, 2);
  return ggml_fp16_to_fp32(half);
}

// 32 columns of one row on their way into a panel.
struct Piece {
  uint8_t weights[32];
  uint16_t half = 0;     // Scales::half
  float scales[2] = {};  // otherwise: scale and minimum, or the two scales
};

void unpack_q4_0(const uint8_t* block, Piece& out) {
  std::memcpy(&out.half, block, 2);
  for (int i = 0; i < 16; ++i) {
    out.weights[i] = block[2 + i] & 15;
    out.weights[16 + i] = block[2 + i] >> 4;
  }
}

void unpack_q5_0(const uint8_t* block, Piece& out) {
  std::memcpy(&out.half, block, 2);
  uint32_t high;
  std::memcpy(&high, block + 2, 4);
  for (int i = 0; i < 16; ++i) {
    out.weights[i] = static_cast<uint8_t>((block[6 + i] & 15) | ((high >> i) & 1) << 4);
    out.weights[16 + i] = static_cast<uint8_t>((block[6 + i] >> 4) | ((high >> (16 + i)) & 1) << 4);
  }
}

void unpack_q8_0(const uint8_t* block, Piece& out) {
  std::memcpy(&out.half, block, 2);
  for (int i = 0; i < 32; ++i) out.weights[i] = block[2 + i] ^ 0x80;
}

// Six-bit scale and minimum of sub-block `j`, as the K-quants store them in 12 bytes.
void k_scale(const uint8_t* packed, int j, int& scale, int& minimum) {
  if (j < 4) {
    scale = packed[j] & 63;
    minimum = packed[j + 4] & 63;
  } else {
    scale = (packed[j + 4] & 15) | (packed[j - 4] >> 6) << 4;
    minimum = (packed[j + 4] >> 4) | (packed[j] >> 6) << 4;
  }
}

void unpack_k45(const uint8_t* block, int j, bool five, Piece& out) {
  int scale, minimum;
  k_scale(block + 4, j, scale, minimum);
  out.scales[0] = half_at(block) * static_cast<float>(scale);
  out.scales[1] = half_at(block + 2) * static_cast<float>(minimum);
  const uint8_t* high = block + 16;
  const uint8_t* q = block + (five ? 48 : 16) + j / 2 * 32;
  for (int i = 0; i < 32; ++i) {
    out.weights[i] = j % 2 ? q[i] >> 4 : q[i] & 15;
    if (five) out.weights[i] |= static_cast<uint8_t>(((high[i] >> j) & 1) << 4);
  }
}

void unpack_q6_k(const uint8_t* block, int j, Piece& out) {
  const int part = j / 4, quarter = j % 4;  // 128 columns, 32 of them
  const uint8_t* low = block + 64 * part + 32 * (quarter % 2);
  const uint8_t* high = block + 128 + 32 * part;
  const auto* scales = reinterpret_cast<const int8_t*>(block + 192) + 8 * part + 2 * quarter;
  const float d = half_at(block + 208);
  out.scales[0] = d * scales[0];
  out.scales[1] = d * scales[1];
  for (int i = 0; i < 32; ++i) {
    const int nibble = quarter < 2 ? low[i] & 15 : low[i] >> 4;
    out.weights[i] = static_cast<uint8_t>(nibble | ((high[i] >> (2 * quarter)) & 3) << 4);
  }
}

void unpack(const PackedShape& shape, const uint8_t* row, int64_t b, Piece& piece) {
  const auto& t = traits(shape.type);
  const int64_t per_block = t.block_columns / kBlockColumns;
  const uint8_t* block = row + b / per_block * t.block_bytes;
  const int j = static_cast<int>(b % per_block);
  switch (shape.type) {
    case PackedType::q4_0:
      unpack_q4_0(block, piece);
      break;
    case PackedType::q5_0:
      unpack_q5_0(block, piece);
      break;
    case PackedType::q8_0:
      unpack_q8_0(block, piece);
      break;
    case PackedType::q4_k:
      unpack_k45(block, j, false, piece);
      break;
    case PackedType::q5_k:
      unpack_k45(block, j, true, piece);
      break;
    case PackedType::q6_k:
      unpack_q6_k(block, j, piece);
      break;
  }
}

void place(const Piece& piece, Scales scales, int row, uint8_t* block) {
  if (scales == Scales::half) {
    std::memcpy(block + 2 * row, &piece.half, 2);
  } else {
    std::memcpy(block + 4 * row, &piece.scales[0], 4);
    std::memcpy(block + 64 + 4 * row, &piece.scales[1], 4);
  }
  uint8_t* q = block + packed::scale_bytes(scales) + 4 * row;
  for (int g = 0; g < 8; ++g) std::memcpy(q + 64 * g, piece.weights + 4 * g, 4);
}

// The tile of a token: how many tokens lie before it, its size, and the token's place in it.
struct Place {
  int64_t before;
  int size, at;
};

Place place_of(int64_t token, int64_t tokens) {
  int64_t before = token / packed::kTile * packed::kTile;
  if (before + packed::kTile <= tokens) {
    return {before, packed::kTile, static_cast<int>(token - before)};
  }
  for (int size : {4, 2, 1}) {
    if (tokens - before < size) continue;
    if (token < before + size) return {before, size, static_cast<int>(token - before)};
    before += size;
  }
  return {before, 1, 0};
}

BlockInfo round_block(const float* x, const Traits& t, int8_t* bytes) {
  float largest = 0;
  for (int i = 0; i < kBlockColumns; ++i) largest = std::max(largest, std::fabs(x[i]));
  const float inverse = largest > 0 ? 127.0f / largest : 0.0f;
  int32_t sums[2] = {};
  for (int i = 0; i < kBlockColumns; ++i) {
    // Adding 1.5 * 2^23 rounds to the nearest integer, ties to even, in every instruction set.
    const float rounded = x[i] * inverse + 12582912.0f;
    int32_t bits;
    std::memcpy(&bits, &rounded, 4);
    bytes[i] = static_cast<int8_t>(bits - 0x4b400000);
    sums[i / 16] += bytes[i];
  }
  const float scale = largest / 127.0f;
  const int32_t total = sums[0] + sums[1];
  const bool pair = t.scales == Scales::pair;
  return {scale,
          {-t.offset * (pair ? sums[0] : total), -t.offset * sums[1]},
          scale * static_cast<float>(total)};
}

packed::Kernel kernel_of(PackedKernel kernel) {
#if defined(__x86_64__)
  if (kernel == PackedKernel::avx512_vnni) return packed::avx512_vnni_kernel;
  if (kernel == PackedKernel::avx2) return packed::avx2_kernel;
#endif
  (void)kernel;
  return packed::portable_kernel;
}

packed::Kernel best_kernel() {
  for (auto kernel : {PackedKernel::avx512_vnni, PackedKernel::avx2}) {
    if (can_run(kernel)) return kernel_of(kernel);
  }
  return packed::portable_kernel;
}

packed::Kernel& chosen() {
  static packed::Kernel kernel = best_kernel();
  return kernel;
}

}  // namespace

bool supported(const PackedShape& shape) {
  return shape.rows > 0 && shape.columns > 0 &&
         shape.columns % traits(shape.type).block_columns == 0;
}

int64_t panel_count(const PackedShape& shape) { return (shape.rows + kPanelRows - 1) / kPanelRows; }

size_t packed_bytes(const PackedShape& shape) {
  return static_cast<size_t>(panel_count(shape)) * panel_bytes(shape);
}

void pack(const PackedShape& shape, const void* gguf_rows, int64_t first, int64_t last,
          void* packed) {
  const auto& t = traits(shape.type);
  const int64_t row_bytes = shape.columns / t.block_columns * t.block_bytes;
  const size_t block_bytes = static_cast<size_t>(packed::scale_bytes(t.scales)) + 512;
  const auto* rows = static_cast<const uint8_t*>(gguf_rows);
  Piece piece;
  for (int64_t panel = first; panel < last; ++panel) {
    auto* out = static_cast<uint8_t*>(packed) + static_cast<size_t>(panel) * panel_bytes(shape);
    const int64_t top = panel * kPanelRows;
    if (top + kPanelRows > shape.rows) std::memset(out, 0, panel_bytes(shape));
    const int64_t count = std::min<int64_t>(kPanelRows, shape.rows - top);
    for (int64_t b = 0; b < shape.columns / kBlockColumns; ++b) {
      for (int64_t r = 0; r < count; ++r) {
        unpack(shape, rows + (top + r) * row_bytes, b, piece);
        place(piece, t.scales, static_cast<int>(r), out + static_cast<size_t>(b) * block_bytes);
      }
    }
  }
}

size_t activation_bytes(int64_t columns, int64_t tokens) {
  return static_cast<size_t>(columns / kBlockColumns * packed::tile_block_bytes(1) * tokens);
}

void quantise(const PackedShape& shape, const float* values, int64_t token, int64_t tokens,
              void* activations) {
  const auto& t = traits(shape.type);
  const int64_t blocks = shape.columns / kBlockColumns;
  const Place place = place_of(token, tokens);
  auto* block =
      static_cast<uint8_t*>(activations) + blocks * packed::tile_block_bytes(1) * place.before;
  const auto size = static_cast<size_t>(place.size), at = static_cast<size_t>(place.at);
  for (int64_t b = 0; b < blocks; ++b, block += packed::tile_block_bytes(place.size)) {
    int8_t bytes[kBlockColumns];
    const BlockInfo info = round_block(values + b * kBlockColumns, t, bytes);
    std::memcpy(block + 4 * at, &info.scale, 4);
    std::memcpy(block + 4 * (size + at), &info.start[0], 4);
    std::memcpy(block + 4 * (2 * size + at), &info.start[1], 4);
    std::memcpy(block + 4 * (3 * size + at), &info.weighted, 4);
    for (size_t g = 0; g < 8; ++g) {
      std::memcpy(block + 4 * ((4 + g) * size + at), bytes + 4 * g, 4);
    }
  }
}

void multiply(const PackedShape& shape, const void* packed, int64_t first, int64_t last,
              const void* activations, int64_t tokens, float* out, int64_t stride) {
  const auto& t = traits(shape.type);
  packed::Panel panel;
  panel.blocks = shape.columns / kBlockColumns;
  panel.scales = t.scales;
  panel.full = t.offset == 128;
  panel.tiles = static_cast<const uint8_t*>(activations);
  panel.out_stride = stride;
  const auto kernel = chosen();
  for (int64_t i = first; i < last; ++i) {
    panel.weights =
        static_cast<const uint8_t*>(packed) + static_cast<size_t>(i) * panel_bytes(shape);
    panel.out = out + i * kPanelRows;
    panel.rows = static_cast<int>(std::min<int64_t>(kPanelRows, shape.rows - i * kPanelRows));
    kernel(panel, tokens);
  }
}

bool can_run(PackedKernel kernel) {
#if defined(__x86_64__)
  if (kernel == PackedKernel::avx512_vnni) {
    return __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512bw");
  }
  if (kernel == PackedKernel::avx2) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
           __builtin_cpu_supports("f16c");
  }
#endif
  return kernel == PackedKernel::portable;
}

void use_kernel(PackedKernel kernel) { chosen() = kernel_of(kernel); }

}  // namespace slipway::model
