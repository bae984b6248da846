#include "tune/kernels.h"

#include <cmath>

namespace slipway::tune {
namespace {

constexpr int grain = 8;  // rows per task
constexpr int lanes = 16;

float sum_lanes(const float (&lane)[lanes]) {
  float half[8], quarter[4];
  for (int i = 0; i < 8; ++i) half[i] = lane[i] + lane[i + 8];
  for (int i = 0; i < 4; ++i) quarter[i] = half[i] + half[i + 4];
  return (quarter[0] + quarter[2]) + (quarter[1] + quarter[3]);
}

float inverse_rms(const float* x, int width, float epsilon) {
  return 1.0f / std::sqrt(dot(x, x, width) / static_cast<float>(width) + epsilon);
}

// y = x·inv·w;  dx_i = inv·w_i·dy_i - x_i·inv³/n·Σ_j w_j·dy_j·x_j
void rmsnorm_row_backward(const float* x, const float* weight, float inverse, const float* dy,
                          float* dx, int width, bool accumulate) {
  float lane[lanes] = {};
  int i = 0;
  for (; i + lanes <= width; i += lanes) {
    for (int j = 0; j < lanes; ++j) lane[j] += weight[i + j] * dy[i + j] * x[i + j];
  }
  for (int j = 0; i < width; ++i, ++j) lane[j] += weight[i] * dy[i] * x[i];
  const float pull = sum_lanes(lane) * inverse * inverse * inverse / static_cast<float>(width);
  if (accumulate) {
    for (i = 0; i < width; ++i) dx[i] += inverse * weight[i] * dy[i] - x[i] * pull;
  } else {
    for (i = 0; i < width; ++i) dx[i] = inverse * weight[i] * dy[i] - x[i] * pull;
  }
}

constexpr float gelu_a = 0.79788456080f;  // sqrt(2/π)
constexpr float gelu_b = 0.044715f * 0.79788456080f;

inline float tanh_of(float u) { return 1.0f - 2.0f / (fast_exp(2.0f * u) + 1.0f); }

struct Activation {
  float value, slope;
};

template <bool gelu>
inline Activation activate(float x) {
  if constexpr (gelu) {
    const float t = tanh_of(x * (gelu_a + gelu_b * x * x));
    const float slope_of_u = gelu_a + 3.0f * gelu_b * x * x;
    return {0.5f * x * (1.0f + t), 0.5f * (1.0f + t) + 0.5f * x * (1.0f - t * t) * slope_of_u};
  } else {
    const float sigmoid = 1.0f / (1.0f + fast_exp(-x));
    return {x * sigmoid, sigmoid * (1.0f + x * (1.0f - sigmoid))};
  }
}

template <bool gelu>
void glu_rows(int64_t begin, int64_t end, const float* gate, const float* up, float* out) {
  for (int64_t i = begin; i < end; ++i) out[i] = activate<gelu>(gate[i]).value * up[i];
}

template <bool gelu>
void glu_rows_backward(int64_t begin, int64_t end, float* __restrict gate, float* __restrict up,
                       const float* __restrict d) {
  for (int64_t i = begin; i < end; ++i) {
    const Activation a = activate<gelu>(gate[i]);
    const float u = up[i], dy = d[i];
    gate[i] = dy * u * a.slope;
    up[i] = dy * a.value;
  }
}

}  // namespace

float dot(const float* a, const float* b, int count) {
  float lane[lanes] = {};
  int i = 0;
  for (; i + lanes <= count; i += lanes) {
    for (int j = 0; j < lanes; ++j) lane[j] += a[i + j] * b[i + j];
  }
  for (int j = 0; i < count; ++i, ++j) lane[j] += a[i] * b[i];
  return sum_lanes(lane);
}

void rmsnorm(ThreadPool& pool, int rows, int width, const float* x, const float* weight,
             float epsilon, float* y) {
  pool.run_ranges(rows, grain, [&](int begin, int end) {
    for (int64_t r = begin; r < end; ++r) {
      const float* in = x + r * width;
      const float inverse = inverse_rms(in, width, epsilon);
      float* out = y + r * width;
      for (int i = 0; i < width; ++i) out[i] = in[i] * inverse * weight[i];
    }
  });
}

void rmsnorm_residual(ThreadPool& pool, int rows, int width, const float* x, const float* weight,
                      float epsilon, const float* residual, float* out) {
  pool.run_ranges(rows, grain, [&](int begin, int end) {
    for (int64_t r = begin; r < end; ++r) {
      const float* in = x + r * width;
      const float inverse = inverse_rms(in, width, epsilon);
      for (int i = 0; i < width; ++i)
        out[r * width + i] = residual[r * width + i] + in[i] * inverse * weight[i];
    }
  });
}

void rmsnorm_backward(ThreadPool& pool, int rows, int width, const float* x, const float* weight,
                      float epsilon, const float* dy, float* dx, bool accumulate) {
  pool.run_ranges(rows, grain, [&](int begin, int end) {
    for (int64_t r = begin; r < end; ++r) {
      const float inverse = inverse_rms(x + r * width, width, epsilon);
      rmsnorm_row_backward(x + r * width, weight, inverse, dy + r * width, dx + r * width, width,
                           accumulate);
    }
  });
}

RopeTable::RopeTable(int head, float base, float scale, bool interleaved,
                     std::span<const float> factors)
    : head_(head),
      base_(base),
      scale_(scale),
      interleaved_(interleaved),
      factors_(factors.begin(), factors.end()) {}

void RopeTable::reserve(int positions) {
  const int half = head_ / 2;
  const int have = static_cast<int>(cosines_.size()) / half;
  for (int p = have; p < positions; ++p) {
    for (int i = 0; i < half; ++i) {
      const double factor = factors_.empty() ? 1.0 : double{factors_[static_cast<size_t>(i)]};
      const double angle = p * double{scale_} * std::pow(double{base_}, -2.0 * i / head_) / factor;
      cosines_.push_back(static_cast<float>(std::cos(angle)));
      sines_.push_back(static_cast<float>(std::sin(angle)));
    }
  }
}

void RopeTable::turn(float* x, int position, bool backward) const {
  const int half = head_ / 2;
  const float* cosine = cosines_.data() + int64_t{position} * half;
  const float* sine = sines_.data() + int64_t{position} * half;
  const float direction = backward ? -1.0f : 1.0f;
  const int pair = interleaved_ ? 1 : half, step = interleaved_ ? 2 : 1;
  for (int i = 0; i < half; ++i) {
    const float a = x[i * step], b = x[i * step + pair], s = direction * sine[i];
    x[i * step] = a * cosine[i] - b * s;
    x[i * step + pair] = a * s + b * cosine[i];
  }
}

void head_norm_rope(ThreadPool& pool, const RopeTable& rope, std::span<const int32_t> positions,
                    int heads, const float* x, const float* weight, float epsilon, float* out) {
  const int head = rope.head();
  pool.run_ranges(static_cast<int>(positions.size()), grain, [&](int begin, int end) {
    for (int64_t r = begin; r < end; ++r) {
      for (int64_t h = 0; h < heads; ++h) {
        const float* in = x + (r * heads + h) * head;
        float* y = out + (r * heads + h) * head;
        const float inverse = weight ? inverse_rms(in, head, epsilon) : 1.0f;
        for (int i = 0; i < head; ++i) y[i] = weight ? in[i] * inverse * weight[i] : in[i];
        rope.turn(y, positions[static_cast<size_t>(r)], false);
      }
    }
  });
}

void head_norm_rope_backward(ThreadPool& pool, const RopeTable& rope,
                             std::span<const int32_t> positions, int heads, const float* x,
                             const float* weight, float epsilon, float* d) {
  const int head = rope.head();
  pool.run_ranges(static_cast<int>(positions.size()), grain, [&](int begin, int end) {
    for (int64_t r = begin; r < end; ++r) {
      for (int64_t h = 0; h < heads; ++h) {
        const float* in = x + (r * heads + h) * head;
        float* dy = d + (r * heads + h) * head;
        rope.turn(dy, positions[static_cast<size_t>(r)], true);
        if (weight)
          rmsnorm_row_backward(in, weight, inverse_rms(in, head, epsilon), dy, dy, head, false);
      }
    }
  });
}

void glu(ThreadPool& pool, bool gelu, int rows, int width, const float* gate, const float* up,
         float* out) {
  pool.run_ranges(rows, grain, [&](int begin, int end) {
    const int64_t first = int64_t{begin} * width, last = int64_t{end} * width;
    gelu ? glu_rows<true>(first, last, gate, up, out) : glu_rows<false>(first, last, gate, up, out);
  });
}

void glu_backward(ThreadPool& pool, bool gelu, int rows, int width, float* gate, float* up,
                  const float* d) {
  pool.run_ranges(rows, grain, [&](int begin, int end) {
    const int64_t first = int64_t{begin} * width, last = int64_t{end} * width;
    gelu ? glu_rows_backward<true>(first, last, gate, up, d)
         : glu_rows_backward<false>(first, last, gate, up, d);
  });
}

void sum(ThreadPool& pool, int rows, int width, const float* x, const float* y, float* out) {
  pool.run_ranges(rows, grain, [&](int begin, int end) {
    for (int64_t i = int64_t{begin} * width; i < int64_t{end} * width; ++i) out[i] = x[i] + y[i];
  });
}

void add_bias(ThreadPool& pool, int rows, int width, const float* bias, float* into) {
  pool.run_ranges(rows, grain, [&](int begin, int end) {
    for (int64_t r = begin; r < end; ++r) {
      for (int i = 0; i < width; ++i) into[r * width + i] += bias[i];
    }
  });
}

}  // namespace slipway::tune
