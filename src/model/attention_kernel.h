// One step of attention: a few query rows against 64 cells of the cache, softmax on the way (online
// softmax: Milakov and Gimelshein, https://arxiv.org/abs/1805.02867; in blocks: FlashAttention,
// https://arxiv.org/abs/2205.14135). Internal to attention*.cc. Each instruction set has a file of
// its own, compiled for it.
//
// A row's result depends on its own query, on the cells and on its bias: not on the other rows of
// the tile, nor on cells whose bias is minus infinity when whole blocks of 64 of them are left out.
#pragma once

namespace slipway::model::attention {

constexpr int kCells = 64;
constexpr int kMaxRows = 32;
constexpr int kLanes = 8;  // sizes of keys and values are multiples of it

struct Tile {
  int rows;              // 1..kMaxRows
  int key_size;          // K
  int value_size;        // V
  float softcap;         // 0: none
  const float* queries;  // rows × K, scaled (by softcap too)
  float* scores;         // rows × kCells, scratch
  float* sums;           // rows × V, what is gathered, zero at first
  float* peak;           // rows: greatest score yet, minus infinity at first
  float* weight;         // rows × kLanes: sums of e^(score - peak), zero at first
};

// `keys` is kCells × K, `values` kCells × V, `bias` rows × kCells (added to the scores).
using Step = void (*)(const Tile& tile, const float* keys, const float* values, const float* bias);
void portable_step(const Tile& tile, const float* keys, const float* values, const float* bias);
void avx2_step(const Tile& tile, const float* keys, const float* values, const float* bias);

}  // namespace slipway::model::attention
