// An activation kept from the forward to the backward pass: as floats (exact), or as half floats
// with one scale per row, so that no row can overflow and each number keeps eleven bits.
//
//     kept.store(pool, q, rows, width, exact);   ...   kept.load(pool, q);
#pragma once

#include <cstdint>

#include "tune/buffer.h"
#include "tune/thread_pool.h"

namespace slipway::tune {

class Kept {
 public:
  void store(ThreadPool& pool, const float* x, int rows, int width, bool exact);
  void load(ThreadPool& pool, float* x) const;
  void load_row(int64_t row, float* x) const;
  size_t bytes() const {
    return full_.capacity_bytes() + half_.capacity_bytes() + scale_.capacity_bytes();
  }

 private:
  bool exact_ = true;
  int rows_ = 0, width_ = 0;
  Buffer<float> full_;     // [rows, width]
  Buffer<uint16_t> half_;  // [rows, width]
  Buffer<float> scale_;    // [rows]
};

}  // namespace slipway::tune
