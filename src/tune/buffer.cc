#include "tune/buffer.h"

#include <sys/mman.h>

namespace slipway::tune {
namespace {

constexpr size_t mapped_from = 256 << 10;

}  // namespace

void* allocate_buffer(size_t bytes) {
  if (bytes < mapped_from) return std::aligned_alloc(64, bytes);
  void* p = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return p == MAP_FAILED ? nullptr : p;
}

void release_buffer(void* memory, size_t bytes) {
  if (bytes < mapped_from) {
    std::free(memory);
  } else {
    munmap(memory, bytes);
  }
}

}  // namespace slipway::tune
