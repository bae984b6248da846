// The product as written in packed_matrix.h: what the other kernels are tested against, and what
// runs on processors that have no kernel of their own.
#include <ggml.h>
#include <math.h>
#include <string.h>

#include "model/packed_kernel.h"

namespace slipway::model::packed {
namespace {

float scale_of(const Panel& p, const uint8_t* block, int half, int row) {
  if (p.scales == Scales::half) {
    ggml_fp16_t stored;
    memcpy(&stored, block + 2 * row, 2);
    return ggml_fp16_to_fp32(stored);
  }
  float stored;
  memcpy(&stored, block + 4 * (16 * half + row), 4);
  return stored;
}

// Token `t` of a tile of `size`.
float one_row(const Panel& p, const uint8_t* tile, int size, int t, int row) {
  const int halves = p.scales == Scales::pair ? 2 : 1;
  const uint8_t* block = p.weights;
  float sum = 0;
  for (int64_t b = 0; b < p.blocks; ++b) {
    const auto* floats = reinterpret_cast<const float*>(tile);
    const auto* starts = reinterpret_cast<const int32_t*>(tile) + size;
    const auto* a = reinterpret_cast<const int8_t*>(tile) + size * 16 + 4 * t;
    const uint8_t* q = block + scale_bytes(p.scales) + 4 * row;
    for (int half = 0; half < halves; ++half) {
      int32_t dot = starts[half * size + t];
      for (int c = half * 16; c < (halves == 2 ? half * 16 + 16 : 32); ++c) {
        dot += q[c / 4 * 64 + c % 4] * a[c / 4 * 4 * size + c % 4];
      }
      sum = fmaf(static_cast<float>(dot), scale_of(p, block, half, row) * floats[t], sum);
    }
    if (p.scales == Scales::minimum) {
      sum = fmaf(-scale_of(p, block, 1, row), floats[3 * size + t], sum);
    }
    block += scale_bytes(p.scales) + 512;
    tile += tile_block_bytes(size);
  }
  return sum;
}

}  // namespace

void portable_kernel(const Panel& panel, int64_t tokens) {
  const uint8_t* tile = panel.tiles;
  int64_t done = 0;
  for (int size = kTile; size >= 1; size /= 2) {
    for (; tokens - done >= size; done += size) {
      for (int t = 0; t < size; ++t) {
        for (int row = 0; row < panel.rows; ++row) {
          panel.out[(done + t) * panel.out_stride + row] = one_row(panel, tile, size, t, row);
        }
      }
      tile += panel.blocks * tile_block_bytes(size);
    }
  }
}

}  // namespace slipway::model::packed
