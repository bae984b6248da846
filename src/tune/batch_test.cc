#include "tune/batch.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "tune/optimizer.h"
#include "tune/testing.h"

using namespace slipway::tune;

namespace {

using Tokens = std::vector<int32_t>;

// (tokens up to and with the predicted one, how often) as the batch states it.
std::multiset<Tokens> predictions(const Packed& batch) {
  std::multiset<Tokens> out;
  for (const Target& t : batch.targets) {
    int row = batch.loss_rows[size_t(t.loss_row)];
    Tokens backwards{t.token};
    size_t s = 0;
    while (batch.segments[s].first_row + batch.segments[s].rows <= row) ++s;
    for (int at = int(s); at >= 0; at = batch.segments[size_t(at)].parent) {
      const Segment& part = batch.segments[size_t(at)];
      for (int r = std::min(row, part.first_row + part.rows - 1); r >= part.first_row; --r)
        backwards.push_back(batch.tokens[size_t(r)]);
      row = batch.rows();
    }
    out.insert(Tokens(backwards.rbegin(), backwards.rend()));
  }
  return out;
}

std::multiset<Tokens> wanted(const std::vector<Example>& examples) {
  std::multiset<Tokens> out;
  for (const Example& e : examples) {
    Tokens all = e.prompt;
    for (const int32_t token : e.completion) {
      all.push_back(token);
      if (all.size() > 1) out.insert(all);
    }
  }
  return out;
}

}  // namespace

TEST_CASE(
    "however a batch is laid out, it predicts every completion token once, from all that stands "
    "before it") {
  // Three tokens: many shared prefixes.
  std::vector<Example> examples = testing::random_examples(20, 3, 1);
  for (const Example& e : testing::random_examples(10, 50, 2, {1, 1, 1, 1, 1, 1, 1}))
    examples.push_back(e);
  examples.push_back(examples[0]);
  examples.push_back({{}, {1, 2, 3}});
  for (const bool share : {false, true}) {
    for (const int min_shared : {1, 4}) {
      const Packed batch = pack(examples, share, min_shared);
      CHECK(predictions(batch) == wanted(examples));
      for (size_t s = 0; s < batch.segments.size(); ++s) {
        const Segment& part = batch.segments[s];
        CHECK(part.parent < int(s));
        CHECK(part.rows > 0);
        const int above = part.parent < 0 ? 0
                                          : batch.segments[size_t(part.parent)].first_position +
                                                batch.segments[size_t(part.parent)].rows;
        CHECK(part.first_position == above);
      }
    }
    std::multiset<Tokens> all;
    for (const Packed& pass : pack_in_passes(examples, share, 40)) {
      const auto& first = pass.segments[0];
      const bool all_share = pass.segments.size() > 1 &&
                             std::none_of(pass.segments.begin() + 1, pass.segments.end(),
                                          [](const Segment& s) { return s.parent < 0; });
      CHECK(pass.rows() - (all_share ? std::min(first.rows, 40) : 0) <= 40);
      all.merge(predictions(pass));
    }
    CHECK(all == wanted(examples));
  }
  CHECK(pack(examples, true).rows() < pack(examples, false).rows());
}

TEST_CASE("a beginning that all share is not computed again for want of room") {
  std::vector<int32_t> prefix(30);
  std::iota(prefix.begin(), prefix.end(), 100);
  const auto examples = testing::random_examples(8, 61, 5, prefix);
  int rows = 0;
  for (const Example& e : examples)
    rows += static_cast<int>(e.prompt.size() + e.completion.size()) - 1 - 30;
  REQUIRE(rows > 40);
  const auto passes = pack_in_passes(examples, true, rows);
  CHECK(passes.size() == 1);
  CHECK(passes[0].rows() <= rows + 30);
  CHECK(pack_in_passes(examples, true, rows / 2).size() > 1);
}

TEST_CASE("learning rates") {
  OptimizerConfig c;
  c.learning_rate = 1;
  c.warmup_steps = 3;
  c.total_steps = 13;
  c.schedule = Schedule::linear;
  CHECK(learning_rate(c, 0) == doctest::Approx(0.25));
  CHECK(learning_rate(c, 3) == doctest::Approx(1));
  CHECK(learning_rate(c, 8) == doctest::Approx(0.5));
  CHECK(learning_rate(c, 13) == doctest::Approx(0));
  CHECK(learning_rate(c, 99) == doctest::Approx(0));
  c.schedule = Schedule::cosine;
  c.final_fraction = 0.1;
  CHECK(learning_rate(c, 8) == doctest::Approx(0.55));
  CHECK(learning_rate(c, 13) == doctest::Approx(0.1));
  c.schedule = Schedule::constant;
  CHECK(learning_rate(c, 13) == doctest::Approx(1));
}

TEST_CASE("AdamW takes the steps of its definition, with clipping, decay and a faster B") {
  Shape shape;
  shape.layers = 1, shape.width = 4, shape.ff = 4, shape.heads = 1, shape.kv_heads = 1,
  shape.head = 4;
  Adapter adapter(shape, {.rank = 2, .alpha = 4, .modules = {Module::q}}, 1);
  OptimizerConfig c;
  c.learning_rate = 0.01;
  c.weight_decay = 0.1;
  c.b_ratio = 4;
  c.clip_norm = 0.5;
  Optimizer optimizer(adapter, c);
  ThreadPool pool(2);
  std::vector<double> p(adapter.parameters.begin(), adapter.parameters.end()), m(p.size()),
      v(p.size());
  for (int step = 1; step <= 5; ++step) {
    for (size_t i = 0; i < p.size(); ++i)
      adapter.gradients[i] = float(std::sin(double(i * 7 + size_t(step) * 3)));
    const double norm = global_norm(adapter.gradients);
    for (size_t i = 0; i < p.size(); ++i) {
      const double g = double(adapter.gradients[i]) * 0.5 / (norm + 1e-6);
      const double rate = int64_t(i) >= adapter.weights()[0].b ? 0.04 : 0.01;
      m[i] = 0.9 * m[i] + 0.1 * g;
      v[i] = 0.999 * v[i] + 0.001 * g * g;
      p[i] = p[i] * (1 - rate * 0.1) - rate * (m[i] / (1 - std::pow(0.9, step))) /
                                           (std::sqrt(v[i] / (1 - std::pow(0.999, step))) + 1e-8);
    }
    optimizer.step(adapter, norm, pool);
  }
  for (size_t i = 0; i < p.size(); ++i)
    CHECK(adapter.parameters[i] == doctest::Approx(p[i]).epsilon(1e-4));
}
