// Every kernel's backward pass against finite differences of its formula in double.
#include "tune/kernels.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <random>

#include "tune/attention.h"
#include "tune/kept.h"
#include "tune/loss_head.h"
#include "tune/philox.h"
#include "tune/testing.h"

using namespace slipway::tune;

namespace {

using Doubles = std::vector<double>;

std::vector<float> random_floats(size_t count, uint32_t seed, float size = 1) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, size);
  std::vector<float> out(count);
  for (float& x : out) x = normal(random);
  return out;
}

// The gradient of Σ_i c_i f(x)_i at x.
Doubles finite_differences(const std::function<Doubles(const Doubles&)>& f,
                           const std::vector<float>& x, const std::vector<float>& c) {
  Doubles at(x.begin(), x.end()), out(x.size());
  const auto weighted = [&] {
    const Doubles y = f(at);
    double sum = 0;
    for (size_t i = 0; i < y.size(); ++i) sum += y[i] * double(c[i]);
    return sum;
  };
  for (size_t i = 0; i < x.size(); ++i) {
    const double step = 1e-5;
    at[i] = double(x[i]) + step;
    const double above = weighted();
    at[i] = double(x[i]) - step;
    out[i] = (above - weighted()) / (2 * step);
    at[i] = double(x[i]);
  }
  return out;
}

void check_close(const float* got, const Doubles& want, double tolerance = 2e-5) {
  double size = 0, error = 0;
  for (size_t i = 0; i < want.size(); ++i)
    size = std::max(size, std::abs(want[i])),
    error = std::max(error, std::abs(double(got[i]) - want[i]));
  CHECK(size > 0);
  CHECK(error < tolerance * size);
}

Doubles norm_rows(const Doubles& x, const std::vector<float>& weight) {
  Doubles y(x.size());
  const size_t width = weight.size();
  for (size_t r = 0; r < x.size(); r += width) {
    double sum = 0;
    for (size_t i = 0; i < width; ++i) sum += x[r + i] * x[r + i];
    for (size_t i = 0; i < width; ++i)
      y[r + i] = x[r + i] / std::sqrt(sum / double(width) + 1e-6) * double(weight[i]);
  }
  return y;
}

Doubles turn_rows(Doubles x, const std::vector<int32_t>& positions, size_t heads, size_t head,
                  bool interleaved) {
  for (size_t r = 0; r < positions.size() * heads; ++r) {
    for (size_t i = 0; i < head / 2; ++i) {
      const double angle = positions[r / heads] * std::pow(100.0, -2.0 * double(i) / double(head));
      double& a = x[r * head + (interleaved ? 2 * i : i)];
      double& b = x[r * head + (interleaved ? 2 * i + 1 : i + head / 2)];
      const double turned = a * std::cos(angle) - b * std::sin(angle);
      b = a * std::sin(angle) + b * std::cos(angle);
      a = turned;
    }
  }
  return x;
}

}  // namespace

TEST_CASE("fast_exp and dot") {
  double worst = 0;
  for (float x = -86; x < 87; x += 0.0137f)
    worst = std::max(worst, std::abs(double(fast_exp(x)) / std::exp(double(x)) - 1));
  CHECK(worst < 2e-7);
  CHECK(fast_exp(-1e9f) < 1e-37f);
  CHECK(std::isfinite(fast_exp(1e9f)));
  const std::vector<float> a = random_floats(37, 1), b = random_floats(37, 2);
  double want = 0;
  for (size_t i = 0; i < 37; ++i) want += double(a[i]) * double(b[i]);
  CHECK(dot(a.data(), b.data(), 37) == doctest::Approx(want).epsilon(1e-5));
}

TEST_CASE("rmsnorm") {
  ThreadPool pool(2);
  const std::vector<float> x = random_floats(3 * 37, 1), weight = random_floats(37, 2),
                           dy = random_floats(3 * 37, 3);
  std::vector<float> y(x.size()), dx(x.size(), 1.0f);
  rmsnorm(pool, 3, 37, x.data(), weight.data(), 1e-6f, y.data());
  check_close(y.data(), norm_rows(Doubles(x.begin(), x.end()), weight));
  const Doubles want =
      finite_differences([&](const Doubles& v) { return norm_rows(v, weight); }, x, dy);
  rmsnorm_backward(pool, 3, 37, x.data(), weight.data(), 1e-6f, dy.data(), dx.data(), false);
  check_close(dx.data(), want);
  rmsnorm_backward(pool, 3, 37, x.data(), weight.data(), 1e-6f, dy.data(), dx.data(), true);
  Doubles twice = want;
  for (double& v : twice) v *= 2;
  check_close(dx.data(), twice);
}

TEST_CASE("head norm and rope, in both pairings, with and without the norm") {
  ThreadPool pool(2);
  const std::vector<int32_t> positions{0, 5, 17};
  const size_t heads = 2, head = 18;
  const std::vector<float> x = random_floats(3 * heads * head, 1), weight = random_floats(head, 2),
                           dy = random_floats(x.size(), 3);
  for (const bool interleaved : {false, true}) {
    RopeTable rope(int(head), 100, 1, interleaved, {});
    rope.reserve(18);
    for (const bool normed : {false, true}) {
      const auto f = [&](const Doubles& v) {
        return turn_rows(normed ? norm_rows(v, weight) : v, positions, heads, head, interleaved);
      };
      std::vector<float> y(x.size()), d = dy;
      head_norm_rope(pool, rope, positions, int(heads), x.data(), normed ? weight.data() : nullptr,
                     1e-6f, y.data());
      check_close(y.data(), f(Doubles(x.begin(), x.end())));
      head_norm_rope_backward(pool, rope, positions, int(heads), x.data(),
                              normed ? weight.data() : nullptr, 1e-6f, d.data());
      check_close(d.data(), finite_differences(f, x, dy));
    }
  }
}

TEST_CASE("gated units: GELU and SiLU") {
  ThreadPool pool(2);
  std::vector<float> both = random_floats(2 * 5 * 20, 1, 2);
  both[0] = 30, both[1] = -30, both[2] = 0;
  const std::vector<float> dy = random_floats(100, 2);
  for (const bool gelu : {true, false}) {
    const auto f = [&](const Doubles& v) {
      Doubles y(100);
      for (size_t i = 0; i < 100; ++i) {
        const double x = v[i];
        const double act =
            gelu ? 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)))
                 : x / (1 + std::exp(-x));
        y[i] = act * v[100 + i];
      }
      return y;
    };
    std::vector<float> y(100), d = both;
    glu(pool, gelu, 5, 20, both.data(), both.data() + 100, y.data());
    check_close(y.data(), f(Doubles(both.begin(), both.end())));
    glu_backward(pool, gelu, 5, 20, d.data(), d.data() + 100, dy.data());
    check_close(d.data(), finite_differences(f, both, dy));
  }
}

namespace {

// The rows that row r sees, by walking the tree.
std::vector<size_t> seen_rows(const Packed& batch, int window, size_t r) {
  std::vector<size_t> out;
  size_t s = 0;
  while (size_t(batch.segments[s].first_row + batch.segments[s].rows) <= r) ++s;
  for (int at = int(s); at >= 0; at = batch.segments[size_t(at)].parent) {
    const Segment& part = batch.segments[size_t(at)];
    const size_t end = std::min(size_t(part.first_row + part.rows), r + 1);
    for (size_t j = size_t(part.first_row); j < end; ++j) {
      if (window == 0 || batch.positions[r] - batch.positions[j] < window) out.push_back(j);
    }
  }
  return out;
}

}  // namespace

TEST_CASE(
    "attention over a tree of segments, windowed and not, for all rows or those that predict") {
  const std::vector<Example> examples{{{1, 2, 3, 4, 5, 6, 7}, {8, 9}},
                                      {{1, 2, 3, 4, 5, 10}, {11, 12, 13}},
                                      {{1, 2, 3, 4, 5, 10}, {14}},
                                      {{20, 21}, {22, 23}}};
  const Packed batch = pack(examples, true);
  REQUIRE(batch.segments.size() > examples.size());
  const size_t rows = size_t(batch.rows());
  for (const int window : {0, 3}) {
    for (const bool losses : {false, true}) {
      CAPTURE(window);
      CAPTURE(losses);
      const AttentionShape shape{4, 2, 8, 0.4f, window, losses};
      const size_t queries = losses ? batch.loss_rows.size() : rows, q_size = queries * 32,
                   kv_size = rows * 16;
      const std::vector<float> x = random_floats(q_size + 2 * kv_size, 4),
                               d_out = random_floats(q_size, 5);
      const auto f = [&](const Doubles& v) {
        Doubles y(q_size);
        for (size_t i = 0; i < queries; ++i) {
          const size_t r = losses ? size_t(batch.loss_rows[i]) : i;
          const std::vector<size_t> keys = seen_rows(batch, window, r);
          for (size_t h = 0; h < 4; ++h) {
            Doubles p;
            double sum = 0;
            for (const size_t j : keys) {
              double score = 0;
              for (size_t e = 0; e < 8; ++e)
                score += v[i * 32 + h * 8 + e] * v[q_size + j * 16 + h / 2 * 8 + e];
              p.push_back(std::exp(0.4 * score));
              sum += p.back();
            }
            for (size_t j = 0; j < keys.size(); ++j) {
              for (size_t e = 0; e < 8; ++e)
                y[i * 32 + h * 8 + e] +=
                    p[j] / sum * v[q_size + kv_size + keys[j] * 16 + h / 2 * 8 + e];
            }
          }
        }
        return y;
      };
      std::vector<std::vector<float>> results;
      for (const int threads : {1, 3}) {
        ThreadPool pool(threads);
        std::vector<float> out(q_size), lse(queries * 4), d(x.size());
        const float *q = x.data(), *k = q + q_size, *v = k + kv_size;
        attention(pool, shape, batch, q, k, v, out.data(), lse.data());
        check_close(out.data(), f(Doubles(x.begin(), x.end())));
        attention_backward(pool, shape, batch, q, k, v, out.data(), lse.data(), d_out.data(),
                           d.data(), d.data() + q_size, d.data() + q_size + kv_size);
        results.push_back(d);
      }
      check_close(results[0].data(), finite_differences(f, x, d_out));
      CHECK(std::memcmp(results[0].data(), results[1].data(), results[0].size() * 4) == 0);
    }
  }
}

TEST_CASE("the vocabulary head: dense gradient, sparse within its bound, over several tiles") {
  ThreadPool pool(2);
  const int vocabulary = 9001, width = 12;
  const std::vector<float> e = random_floats(size_t(vocabulary) * width, 1);
  const std::vector<Example> examples{{{1, 2}, {8999, 4}}, {{1, 2, 3}, {0}}, {{1, 2, 3}, {5000}}};
  const Packed batch = pack(examples, true, 1);
  REQUIRE(batch.loss_rows.size() == 3);
  REQUIRE(batch.targets.size() == 4);
  const std::vector<float> hidden = random_floats(3 * width, 2, 1.5f);
  const auto f = [&](const Doubles& h) {
    double loss = 0;
    for (const Target& t : batch.targets) {
      double sum = 0, target = 0;
      for (int j = 0; j < vocabulary; ++j) {
        double logit = 0;
        for (int i = 0; i < width; ++i)
          logit += h[size_t(t.loss_row * width + i)] * double(e[size_t(j * width + i)]);
        sum += std::exp(logit);
        if (j == t.token) target = logit;
      }
      loss += std::log(sum) - target;
    }
    return Doubles{loss};
  };
  const Doubles want = finite_differences(f, hidden, {0.25f});
  LossHead head(float_matrix(e.data(), vocabulary, width, width), pool);
  std::vector<float> d(hidden.size());
  HeadOptions options;
  options.gradient_scale = 0.25f;
  for (const bool dense : {true, false}) {
    options.dense = dense;
    const double loss = head.run(batch, hidden.data(), options, d.data());
    CHECK(loss == doctest::Approx(f(Doubles(hidden.begin(), hidden.end()))[0]).epsilon(1e-6));
    check_close(d.data(), want, dense ? 2e-5 : 0.05);
    CHECK(head.dense_rows() == (dense ? 3 : 0));
  }
  CHECK(head.kept_per_row() > 1);
  // Would leave out most of the probability: every row is then done densely.
  options.epsilon = 0.01f;
  head.run(batch, hidden.data(), options, d.data());
  CHECK(head.dense_rows() > 0);
  check_close(d.data(), want, 0.05);
}

TEST_CASE("kept activations: exact, or halves that no size can overflow") {
  ThreadPool pool(2);
  std::vector<float> x = random_floats(4 * 35, 1), back(x.size());
  for (size_t i = 0; i < 35; ++i) x[i] *= 1e20f, x[35 + i] *= 1e-20f, x[70 + i] = 0;
  Kept kept;
  kept.store(pool, x.data(), 4, 35, true);
  kept.load(pool, back.data());
  CHECK(back == x);
  kept.store(pool, x.data(), 4, 35, false);
  kept.load(pool, back.data());
  for (size_t i = 0; i < x.size(); ++i)
    CHECK(std::abs(back[i] - x[i]) <=
          std::abs(x[i]) / 2048 + 1e-7f * std::abs(x[i / 35 * 35]) * 10);
}

TEST_CASE("philox gives the numbers its authors published") {
  CHECK(philox(0, 0, 0) == std::array<uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox(~0ull, ~0ull, ~0ull) ==
        std::array<uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
}
