#include "model/attention.h"

#include <doctest/doctest.h>
#include <ggml-cpu.h>
#include <ggml.h>

#include <cmath>
#include <limits>
#include <memory>
#include <random>
#include <vector>

#include "model/packed_buffer.h"

using namespace slipway::model;

namespace {

struct Shape {
  int64_t key_size, value_size, tokens, cells, heads, key_heads, streams;
  float softcap = 0, max_bias = 0;
  bool sinks = false;
  int64_t window = 1 << 20;  // how far back a token sees
};

constexpr float kHidden = -std::numeric_limits<float>::infinity();

// One attention in a ggml graph: token t of n sees the cells up to cells - n + t - 5.
class Graph {
 public:
  explicit Graph(const Shape& shape) : s_(shape), random_(7) {
    use_packed_weights();
    context_.reset(ggml_init({size_t{64} << 20, nullptr, false}));
    auto* c = context_.get();
    q_ = ggml_new_tensor_4d(c, GGML_TYPE_F32, s_.key_size, s_.tokens, s_.heads, s_.streams);
    k_ = ggml_new_tensor_4d(c, GGML_TYPE_F16, s_.key_size, s_.cells, s_.key_heads, s_.streams);
    v_ = ggml_new_tensor_4d(c, GGML_TYPE_F16, s_.value_size, s_.cells, s_.key_heads, s_.streams);
    mask_ = ggml_new_tensor_4d(c, GGML_TYPE_F16, s_.cells, s_.tokens, 1, s_.streams);
    sinks_ = ggml_new_tensor_1d(c, GGML_TYPE_F32, s_.heads);
    fill(static_cast<float*>(q_->data), ggml_nelements(q_));
    fill(static_cast<float*>(sinks_->data), s_.heads);
    fill_half(k_);
    fill_half(v_);
    for (int64_t st = 0; st < s_.streams; ++st) {
      for (int64_t t = 0; t < s_.tokens; ++t) {
        for (int64_t i = 0; i < s_.cells; ++i) {
          set_mask(st, t, i, sees(t, i) ? bias(t, i) : kHidden);
        }
      }
    }
  }

  bool sees(int64_t t, int64_t cell) const {
    const int64_t last = s_.cells - s_.tokens + t - 5;
    return cell <= last && cell > last - s_.window;
  }

  // ALiBi leans to what is near; 6 heads: 4 slopes 2^-2, 2^-4 ... and two from between.
  float bias(int64_t t, int64_t cell) const {
    return s_.max_bias > 0 ? static_cast<float>(cell - (s_.cells - s_.tokens + t)) : 0;
  }
  static double slope_of(int64_t head) {
    constexpr double slopes[] = {1.0 / 4, 1.0 / 16, 1.0 / 64, 1.0 / 256, 1.0 / 2, 1.0 / 8};
    return slopes[head];
  }

  void set_mask(int64_t stream, int64_t t, int64_t cell, float value) {
    static_cast<ggml_fp16_t*>(mask_->data)[(stream * s_.tokens + t) * s_.cells + cell] =
        ggml_fp32_to_fp16(value);
  }

  // [V, heads, tokens, streams]; `only` one token of one stream, or all.
  std::vector<float> result(int threads, int64_t token = -1, int64_t stream = -1) {
    auto* c = context_.get();
    auto view = [&](ggml_tensor* t, int64_t tokens) {
      const int64_t from = stream < 0 ? 0 : stream, at = token < 0 || !tokens ? 0 : token;
      return ggml_view_4d(c, t, t->ne[0], token < 0 || !tokens ? t->ne[1] : 1, t->ne[2],
                          stream < 0 ? s_.streams : 1, t->nb[1], t->nb[2], t->nb[3],
                          static_cast<size_t>(from) * t->nb[3] +
                              static_cast<size_t>(at) * t->nb[1]);
    };
    auto* out = ggml_flash_attn_ext(c, view(q_, 1), view(k_, 0), view(v_, 0), view(mask_, 1),
                                    scale(), s_.max_bias, s_.softcap);
    if (s_.sinks) ggml_flash_attn_ext_add_sinks(out, sinks_);
    REQUIRE(attention_traits(out));
    auto* graph = ggml_new_graph(c);
    ggml_build_forward_expand(graph, out);
    REQUIRE(ggml_graph_compute_with_ctx(c, graph, threads) == GGML_STATUS_SUCCESS);
    const auto* data = static_cast<const float*>(out->data);
    return {data, data + ggml_nelements(out)};
  }

  // In double, by the definition.
  std::vector<double> reference(int64_t token, int64_t stream, int64_t head) const {
    const int64_t key_head = head / (s_.heads / s_.key_heads);
    std::vector<double> scores, out(static_cast<size_t>(s_.value_size));
    const double slope = s_.max_bias > 0 ? slope_of(head) : 1;
    double total = s_.sinks ? std::exp(static_cast<const float*>(sinks_->data)[head]) : 0.0;
    for (int64_t cell = 0; cell < s_.cells; ++cell) {
      double score = 0;
      for (int64_t d = 0; d < s_.key_size; ++d) {
        const int64_t row = (stream * s_.heads + head) * s_.tokens + token;
        score += static_cast<double>(
                     static_cast<const float*>(q_->data)[row * s_.key_size + d]) *
                 half(k_, key_head, cell, stream, d);
      }
      score *= scale();
      if (s_.softcap > 0) score = s_.softcap * std::tanh(score / s_.softcap);
      score += slope * bias(token, cell);
      scores.push_back(sees(token, cell) ? std::exp(score) : 0);
      total += scores.back();
    }
    for (int64_t cell = 0; cell < s_.cells; ++cell) {
      for (int64_t d = 0; d < s_.value_size; ++d) {
        out[static_cast<size_t>(d)] +=
            scores[static_cast<size_t>(cell)] / total * half(v_, key_head, cell, stream, d);
      }
    }
    return out;
  }

 private:
  float scale() const { return 1 / std::sqrt(static_cast<float>(s_.key_size)); }
  void fill(float* to, int64_t count) {
    std::normal_distribution<float> normal;
    for (int64_t i = 0; i < count; ++i) to[i] = normal(random_);
  }
  void fill_half(ggml_tensor* t) {
    std::vector<float> values(static_cast<size_t>(ggml_nelements(t)));
    fill(values.data(), ggml_nelements(t));
    ggml_fp32_to_fp16_row(values.data(), static_cast<ggml_fp16_t*>(t->data), ggml_nelements(t));
  }
  static double half(const ggml_tensor* t, int64_t head, int64_t cell, int64_t stream, int64_t d) {
    const int64_t row = (stream * t->ne[2] + head) * t->ne[1] + cell;
    return ggml_fp16_to_fp32(static_cast<const ggml_fp16_t*>(t->data)[row * t->ne[0] + d]);
  }

  struct Free {
    void operator()(ggml_context* c) const { ggml_free(c); }
  };
  Shape s_;
  std::mt19937 random_;
  std::unique_ptr<ggml_context, Free> context_;
  ggml_tensor *q_, *k_, *v_, *mask_, *sinks_;
};

// key and value size, tokens, cells, heads, heads of keys, streams
const Shape kShapes[] = {
    {64, 64, 1, 300, 14, 2, 8},     {256, 256, 40, 200, 4, 1, 1},
    {64, 32, 9, 130, 6, 6, 2},      {256, 256, 1, 1024, 4, 1, 3, 0, 0, false, 200},
    {128, 128, 3, 90, 8, 2, 2, 30}, {80, 80, 7, 100, 4, 4, 1, 0, 0, true},
    {64, 64, 5, 70, 6, 2, 1, 0, 8}, {16, 16, 33, 700, 8, 1, 1, 5, 0, true, 64},
};

}  // namespace

TEST_CASE("attention is what its definition says") {
  for (const auto& shape : kShapes) {
    CAPTURE(shape.key_size);
    Graph graph(shape);
    const auto all = graph.result(2);
    double worst = 0;
    for (int64_t stream = 0; stream < shape.streams; ++stream) {
      for (int64_t t = 0; t < shape.tokens; ++t) {
        for (int64_t h = 0; h < shape.heads; ++h) {
          const auto expected = graph.reference(t, stream, h);
          const auto at = ((stream * shape.tokens + t) * shape.heads + h) * shape.value_size;
          for (size_t d = 0; d < expected.size(); ++d) {
            worst = std::max(worst, std::abs(expected[d] - all[static_cast<size_t>(at) + d]));
          }
        }
      }
    }
    CHECK(worst < 2e-6);
  }
}

TEST_CASE("attention of a row is the same alone, in company, and by any number of threads") {
  for (const auto& shape : kShapes) {
    CAPTURE(shape.key_size);
    Graph graph(shape);
    const auto all = graph.result(1);
    CHECK(all == graph.result(2));
    CHECK(all == graph.result(3));
    const auto row = static_cast<size_t>(shape.heads * shape.value_size);
    for (int64_t stream = 0; stream < shape.streams; ++stream) {
      const int64_t t = shape.tokens - 1;
      const auto alone = graph.result(2, t, stream);
      const auto at = static_cast<size_t>(stream * shape.tokens + t) * row;
      CHECK(alone == std::vector<float>(all.begin() + static_cast<std::ptrdiff_t>(at),
                                        all.begin() + static_cast<std::ptrdiff_t>(at + row)));
    }
  }
}

TEST_CASE("attention of a row that sees nothing is nothing") {
  Shape shape{64, 64, 2, 128, 6, 2, 1};
  Graph graph(shape);
  for (int64_t i = 0; i < shape.cells; ++i) graph.set_mask(0, 0, i, kHidden);
  const auto blind = graph.result(2);
  for (int64_t d = 0; d < shape.heads * shape.value_size; ++d) {
    CHECK(blind[static_cast<size_t>(d)] == 0);
  }
}
