#include <cmath>

#include "tune/brain.h"
#include "tune/gemm.h"

namespace slipway::tune {
namespace portable {

void brain_12x16(int pairs, const uint32_t* a0, const uint32_t* a1, const uint32_t* b, float* c,
                 int64_t c_stride, bool accumulate) {
  float sum[2 * tile_rows][tile_cols] = {};
  for (int k = 0; k < pairs; ++k, a0 += tile_rows, a1 += tile_rows, b += tile_cols) {
    for (int i = 0; i < 2 * tile_rows; ++i) {
      const uint32_t a = i < tile_rows ? a0[i] : a1[i - tile_rows];
      for (int j = 0; j < tile_cols; ++j) {
        const float odd = std::fma(high_brain(a), high_brain(b[j]), sum[i][j]);
        sum[i][j] = std::fma(low_brain(a), low_brain(b[j]), odd);
      }
    }
  }
  for (int i = 0; i < 2 * tile_rows; ++i, c += c_stride) {
    for (int j = 0; j < tile_cols; ++j) c[j] = accumulate ? c[j] + sum[i][j] : sum[i][j];
  }
}

}  // namespace portable

#ifdef SLIPWAY_BRAIN_AVX512
void brain_12x16_avx512(int pairs, const uint32_t* a0, const uint32_t* a1, const uint32_t* b,
                        float* c, int64_t c_stride, bool accumulate);

static bool has_instruction() {
  return __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512f");
}
BrainKernel brain_kernel() {
  return has_instruction() ? brain_12x16_avx512 : portable::brain_12x16;
}
Precision fastest_precision() { return has_instruction() ? Precision::brain : Precision::single; }
#else
BrainKernel brain_kernel() { return portable::brain_12x16; }
Precision fastest_precision() { return Precision::single; }
#endif

}  // namespace slipway::tune
