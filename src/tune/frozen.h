// What the layers below the lowest adapted one make of a row, remembered: an adapter on the upper
// layers leaves it the same in every epoch, so from the second on those layers are not computed.
//
//     FrozenRows frozen(bytes);
//     if (!frozen.load(pool, batch, width, x)) {
//       ...                                             // the layers below, into x
//       frozen.keep(pool, batch, width, exact, x);
//     }
//
// A row is known by a hash of the tokens up to it: 64 bits, so of a million rows two are taken for
// each other once in forty million trainings. Numbers are halves with a scale per row, floats when
// `exact`; `keep` also rounds x to them, so that a row has the same bits whether it was remembered
// or not, and a resumed training those of an uninterrupted one. Full, it stays as it is. Not
// thread-safe.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "tune/batch.h"
#include "tune/buffer.h"
#include "tune/kept.h"
#include "tune/thread_pool.h"

namespace slipway::tune {

class FrozenRows {
 public:
  explicit FrozenRows(size_t most_bytes) : most_bytes_(most_bytes) {}

  // x: [rows, width], written when every row is here.
  bool load(ThreadPool& pool, const Packed& batch, int width, float* x);
  // Of the batch that could not be loaded just now.
  void keep(ThreadPool& pool, const Packed& batch, int width, bool exact, float* x);
  size_t bytes() const { return bytes_; }

 private:
  struct Place {
    uint32_t block;
    int32_t row;
  };
  void hash_rows(const Packed& batch);

  size_t most_bytes_, bytes_ = 0;
  std::vector<uint64_t> keys_;  // of the rows that were last asked for
  std::unordered_map<uint64_t, Place> places_;
  std::vector<Kept> blocks_;
  Kept all_;
  Buffer<float> new_rows_;
};

}  // namespace slipway::tune
