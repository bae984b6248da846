// The inner product of one panel with a few tokens; internal to packed_*.cc. Each instruction set
// has a file of its own, compiled for it, which therefore includes no header with inline functions.
#pragma once

#include <cstdint>

namespace slipway::model::packed {

// How a block's scales are stored before its 512 bytes of weights.
enum class Scales : uint8_t {
  half,     // 16 halves
  minimum,  // 16 floats, 16 floats of minima
  pair,     // 2 * 16 floats: columns 0..15 and 16..31
};
constexpr int scale_bytes(Scales scales) { return scales == Scales::half ? 32 : 128; }

// Activations lie in tiles of 8 tokens, then at most one each of 4, 2 and 1, so that a kernel reads
// along one pointer. A tile of T tokens is its blocks in order; a block is T of each of these, then
// 8 groups of T times 4 signed bytes (the columns of a group).
struct BlockInfo {
  float scale;
  int32_t start[2];  // -offset * sum of the bytes; of either half for Scales::pair
  float weighted;    // scale * sum of the bytes, for Scales::minimum
};
constexpr int kTile = 8;
constexpr int64_t tile_block_bytes(int tokens) { return tokens * (int64_t{16} + 32); }

struct Panel {
  const uint8_t* weights;  // its first block
  int64_t blocks;
  Scales scales;
  bool full;             // weights of 8 bits: offset 128
  const uint8_t* tiles;  // activations
  float* out;            // token t's 16 rows at out + t * out_stride
  int64_t out_stride;
  int rows;  // 16, fewer in the last panel
};

using Kernel = void (*)(const Panel& panel, int64_t tokens);
void portable_kernel(const Panel& panel, int64_t tokens);
void avx2_kernel(const Panel& panel, int64_t tokens);
void avx512_vnni_kernel(const Panel& panel, int64_t tokens);

}  // namespace slipway::model::packed
