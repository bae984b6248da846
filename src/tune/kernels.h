// What a decoder layer does besides matrix products, row by row, forward and backward. Every
// backward adds nothing of its own: it is the derivative of the forward above it, held against
// finite differences in double by the tests.
//
// Shapes are written [rows, width]; rows lie one after another. All are bit-equal for any number of
// threads, because a row is computed by one thread, its sums in a fixed order.
#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <vector>

#include "tune/buffer.h"
#include "tune/thread_pool.h"

namespace slipway::tune {

// e^x = 2^n · e^r with n = round(x / ln 2); the polynomial is Cephes' expf. Relative error below
// 2e-7; x is held within [-87, 88]. Here, so that loops over it become vector code.
inline float fast_exp(float x) {
  x = x < -87.0f ? -87.0f : x;
  x = x > 88.0f ? 88.0f : x;
  constexpr float magic = 12582912.0f;  // 1.5 × 2^23: adding it rounds to an integer
  const float n = (x * 1.44269504089f + magic) - magic;
  const float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  const float e = p * r * r + r + 1.0f;
  return e * std::bit_cast<float>((static_cast<int32_t>(n) + 127) << 23);
}

// Sixteen partial sums, added in a fixed order.
float dot(const float* a, const float* b, int count);

// y = x / rms(x) * weight, rms(x) = sqrt(mean(x²) + epsilon)
// x, y: [rows, width]
void rmsnorm(ThreadPool& pool, int rows, int width, const float* x, const float* weight,
             float epsilon, float* y);
// out = residual + rmsnorm(x)
void rmsnorm_residual(ThreadPool& pool, int rows, int width, const float* x, const float* weight,
                      float epsilon, const float* residual, float* out);
// dx (+)= the gradient of rmsnorm at x, given dy
void rmsnorm_backward(ThreadPool& pool, int rows, int width, const float* x, const float* weight,
                      float epsilon, const float* dy, float* dx, bool accumulate);

// cos and sin of position / base^(2i/head) for i < head/2, made once per position.
class RopeTable {
 public:
  RopeTable(int head, float base, float scale, bool interleaved, std::span<const float> factors);
  void reserve(int positions);
  int head() const { return head_; }
  // In place: x[head] turned by its position; backward turns the gradient the other way.
  void turn(float* x, int position, bool backward) const;

 private:
  int head_;
  float base_, scale_;
  bool interleaved_;
  std::vector<float> factors_;
  std::vector<float> cosines_, sines_;  // [positions, head / 2]
};

// out = rope(rmsnorm(x)) per head; no norm when weight is null.
// x, out: [rows, heads, head]
void head_norm_rope(ThreadPool& pool, const RopeTable& rope, std::span<const int32_t> positions,
                    int heads, const float* x, const float* weight, float epsilon, float* out);
// d: in, the gradient of out; out, the gradient of x.
void head_norm_rope_backward(ThreadPool& pool, const RopeTable& rope,
                             std::span<const int32_t> positions, int heads, const float* x,
                             const float* weight, float epsilon, float* d);

// out = act(gate) * up, act being GELU (tanh form) or SiLU
// all: [rows, width]
void glu(ThreadPool& pool, bool gelu, int rows, int width, const float* gate, const float* up,
         float* out);
// Given d = the gradient of out, gate and up become their own gradients.
void glu_backward(ThreadPool& pool, bool gelu, int rows, int width, float* gate, float* up,
                  const float* d);

// out = x + y
void sum(ThreadPool& pool, int rows, int width, const float* x, const float* y, float* out);
// Each row += bias[width].
void add_bias(ThreadPool& pool, int rows, int width, const float* bias, float* into);

}  // namespace slipway::tune
