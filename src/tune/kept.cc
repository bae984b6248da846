#include "tune/kept.h"

#include <cmath>
#include <cstring>

#include "tune/weights.h"

#ifdef __AVX2__
#include <immintrin.h>
#endif

namespace slipway::tune {
namespace {

constexpr int grain = 8;

float largest(const float* x, int width) {
  float lane[16] = {};
  int i = 0;
  for (; i + 16 <= width; i += 16) {
    for (int j = 0; j < 16; ++j)
      lane[j] = std::fabs(x[i + j]) > lane[j] ? std::fabs(x[i + j]) : lane[j];
  }
  for (; i < width; ++i) lane[0] = std::fabs(x[i]) > lane[0] ? std::fabs(x[i]) : lane[0];
  for (int j = 1; j < 16; ++j) lane[0] = lane[j] > lane[0] ? lane[j] : lane[0];
  return lane[0];
}

void to_halves(const float* x, int width, float factor, uint16_t* out) {
  int i = 0;
#ifdef __AVX2__
  const __m256 f = _mm256_set1_ps(factor);
  for (; i + 8 <= width; i += 8) {
    const __m128i h =
        _mm256_cvtps_ph(_mm256_mul_ps(_mm256_loadu_ps(x + i), f), _MM_FROUND_TO_NEAREST_INT);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + i), h);
  }
#endif
  for (; i < width; ++i) out[i] = float_to_half(x[i] * factor);
}

void to_floats(const uint16_t* in, int width, float factor, float* x) {
  int i = 0;
#ifdef __AVX2__
  const __m256 f = _mm256_set1_ps(factor);
  for (; i + 8 <= width; i += 8) {
    const __m128i h = _mm_loadu_si128(reinterpret_cast<const __m128i*>(in + i));
    _mm256_storeu_ps(x + i, _mm256_mul_ps(_mm256_cvtph_ps(h), f));
  }
#endif
  for (; i < width; ++i) x[i] = half_to_float(in[i]) * factor;
}

}  // namespace

void Kept::store(ThreadPool& pool, const float* x, int rows, int width, bool exact) {
  exact_ = exact;
  rows_ = rows;
  width_ = width;
  const size_t count = static_cast<size_t>(rows) * static_cast<size_t>(width);
  if (exact) {
    full_.resize(count);
  } else {
    half_.resize(count);
    scale_.resize(static_cast<size_t>(rows));
  }
  pool.run_ranges(rows, grain, [&](int begin, int end) {
    for (int64_t r = begin; r < end; ++r) {
      const float* row = x + r * width;
      if (exact) {
        std::memcpy(full_.data() + r * width, row, static_cast<size_t>(width) * sizeof(float));
        continue;
      }
      const float most = largest(row, width);
      // Halves lie within [-1, 1]; not-a-number passes through.
      const float scale = most > 1e-30f ? most : 1.0f;
      scale_[static_cast<size_t>(r)] = scale;
      to_halves(row, width, 1.0f / scale, half_.data() + r * width);
    }
  });
}

void Kept::load(ThreadPool& pool, float* x) const {
  pool.run_ranges(rows_, grain, [&](int begin, int end) {
    for (int64_t r = begin; r < end; ++r) load_row(r, x + r * width_);
  });
}

void Kept::load_row(int64_t row, float* x) const {
  if (exact_) {
    std::memcpy(x, full_.data() + row * width_, static_cast<size_t>(width_) * sizeof(float));
  } else {
    to_floats(half_.data() + row * width_, width_, scale_[static_cast<size_t>(row)], x);
  }
}

}  // namespace slipway::tune
