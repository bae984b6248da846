// A grow-only array on a cache line's boundary: allocation-free once it has reached its size.
// Contents are not kept when it grows. Movable; one owner, no locking. Large ones are mapped: what
// they outgrow goes back to the system, where the heap would keep it as holes.
//
//     Buffer<float> x;  float* row = x.resize(tokens * width);
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>

namespace slipway::tune {

void* allocate_buffer(size_t bytes);  // null when there is no memory
void release_buffer(void* memory, size_t bytes);

template <typename T>
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(size_t count) { resize(count); }

  T* resize(size_t count) {
    if (count > capacity_) {
      data_.reset();  // before the new one is there: both at once would be the peak
      const size_t bytes = (count * sizeof(T) + 63) / 64 * 64;
      data_ = Memory(static_cast<T*>(allocate_buffer(bytes)), Free{bytes});
      // As operator new would without exceptions: nothing sensible is left to do.
      if (!data_) std::abort();
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
    size_t bytes = 0;
    void operator()(T* p) const { release_buffer(p, bytes); }
  };
  using Memory = std::unique_ptr<T[], Free>;

  Memory data_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace slipway::tune
