// A grow-only array on a cache line's boundary: allocation-free once it has reached its size.
// Contents are not kept when it grows. Movable; one owner, no locking.
//
//     Buffer<float> x;  float* row = x.resize(tokens * width);
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>

namespace slipway::tune {

template <typename T>
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(size_t count) { resize(count); }

  T* resize(size_t count) {
    if (count > capacity_) {
      const size_t bytes = (count * sizeof(T) + 63) / 64 * 64;
      data_.reset(static_cast<T*>(std::aligned_alloc(64, bytes)));
      if (!data_)
        std::abort();  // as operator new would without exceptions: nothing sensible is left to do
      capacity_ = count;
    }
    size_ = count;
    return data_.get();
  }
  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  size_t size() const { return size_; }
  size_t capacity_bytes() const { return capacity_ * sizeof(T); }
  T& operator[](size_t i) { return data_.get()[i]; }
  const T& operator[](size_t i) const { return data_.get()[i]; }

 private:
  struct Free {
    void operator()(T* p) const { std::free(p); }
  };
  std::unique_ptr<T[], Free> data_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace slipway::tune
