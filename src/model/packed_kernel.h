// The inner product of one panel with a few tokens; internal to packed_*.cc. Each instruction set
// has a file of its own, compiled for it, which therefore includes no header with inline functions.
#pragma once

#include <stdint.h>

namespace slipway::model::packed {

// How a block's scales are stored before its 512 bytes of weights.
enum class Scales : uint8_t {
  half,     // 16 halves
  minimum,  // 16 floats, 16 floats of minima
  pair,     // 2 * 16 floats: columns 0..15 and 16..31
};
constexpr int scale_bytes(Scales scales) { return scales == Scales::half ? 32 : 128; }

// What `quantise` leaves for one token: `columns` signed bytes, then one of these for each block.
struct BlockInfo {
  float scale;
  int32_t sums[2];  // of the bytes of either half
};

struct Panel {
  const uint8_t* weights;  // its first block
  int64_t blocks;
  Scales scales;
  int32_t offset;        // added to every weight
  const int8_t* tokens;  // activations, `token_stride` bytes apart
  int64_t token_stride;
  int64_t info_offset;  // of the BlockInfo array in a token
  float* out;           // token t's 16 rows at out + t * out_stride
  int64_t out_stride;
  int rows;  // 16, fewer in the last panel
};

using Kernel = void (*)(const Panel& panel, int64_t tokens);
void portable_kernel(const Panel& panel, int64_t tokens);
void avx2_kernel(const Panel& panel, int64_t tokens);
void avx512_vnni_kernel(const Panel& panel, int64_t tokens);

}  // namespace slipway::model::packed
