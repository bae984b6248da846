#include "tune/losses.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "tune/testing.h"
#include "tune/trainer.h"

using namespace slipway::tune;

namespace {

constexpr int vocabulary = 300, width = 24;

std::vector<float> floats(size_t count, uint32_t seed) {
  std::vector<float> out(count);
  for (float& x : out) {
    seed = seed * 1664525u + 1013904223u;
    x = static_cast<float>(seed >> 8) / static_cast<float>(1 << 24) - 0.5f;
  }
  return out;
}

std::vector<int32_t> everything() {
  std::vector<int32_t> all(vocabulary);
  std::iota(all.begin(), all.end(), 0);
  return all;
}

struct Head {
  std::vector<float> e = floats(size_t(vocabulary) * width, 1);
  ThreadPool pool{2};
  Losses losses{float_matrix(e.data(), vocabulary, width, width), pool};

  double run(const Packed& batch, const std::vector<float>& hidden, std::vector<float>& d) {
    d.assign(hidden.size(), 7);  // whatever was there is overwritten
    return losses.run(batch, hidden.data(), {.dense = true, .gradient_scale = 0.5f}, d.data());
  }

  // In double: the loss of one target, and what it adds to its row's gradient.
  double reference(const Target& t, const float* h, double* d) const {
    const auto all = everything();
    const auto choices = t.choices.empty() ? std::span<const int32_t>(all) : t.choices;
    std::vector<double> logits;
    for (const int32_t j : choices) {
      logits.push_back(0);
      for (int i = 0; i < width; ++i)
        logits.back() += double{h[i]} * double{e[size_t(j) * width + size_t(i)]};
    }
    double sum = 0, loss = 0;
    for (const double x : logits) sum += std::exp(x);
    for (size_t k = 0; k < choices.size(); ++k) {
      const bool is_target = choices[k] == t.token;
      if (is_target) loss = std::log(sum) - logits[k];
      for (int i = 0; i < width; ++i)
        d[i] += 0.5 * (std::exp(logits[k]) / sum - is_target) *
                double{e[size_t(choices[k]) * width + size_t(i)]};
    }
    return loss;
  }
};

}  // namespace

TEST_CASE("a target's loss is that among its choices, on rows of its own and shared ones") {
  Head head;
  // The first two begin alike: one row predicts 4 among three, 9 among two, and 5 among all.
  std::vector<Example> examples{{{1, 2, 3}, {4, 8, 7}, {{4, 5, 6}, {8}, {7, 299, 0}}},
                                {{1, 2, 3}, {9}, {{2, 9}}},
                                {{1, 2, 3}, {5}},
                                {{20}, {21, 22}, {{}, {22, 23}}}};
  const Packed batch = pack(examples, true, 1);
  REQUIRE(batch.targets.size() == 6);  // 8 was the only choice
  const auto hidden = floats(batch.loss_rows.size() * width, 2);
  std::vector<float> d;
  const double loss = head.run(batch, hidden, d);
  std::vector<double> wanted(hidden.size(), 0);
  double wanted_loss = 0;
  for (const Target& t : batch.targets) {
    const auto at = size_t(t.loss_row) * width;
    wanted_loss += head.reference(t, hidden.data() + at, wanted.data() + at);
  }
  CHECK(loss == doctest::Approx(wanted_loss).epsilon(1e-6));
  for (size_t i = 0; i < d.size(); ++i)
    CHECK(double{d[i]} == doctest::Approx(wanted[i]).epsilon(1e-4));
  CHECK(head.losses.entries() == 3 + 3 + 2 + 2 + 2 * vocabulary);
}

TEST_CASE("the whole vocabulary as a list of choices is the vocabulary head") {
  Head head;
  std::vector<Example> listed = testing::random_examples(5, vocabulary, 3), plain = listed;
  for (Example& e : listed) e.choices.assign(e.completion.size(), everything());
  const Packed with = pack(listed, true), without = pack(plain, true);
  const auto hidden = floats(with.loss_rows.size() * width, 4);
  std::vector<float> d_with, d_without;
  CHECK(head.run(with, hidden, d_with) ==
        doctest::Approx(head.run(without, hidden, d_without)).epsilon(1e-6));
  for (size_t i = 0; i < d_with.size(); ++i)
    CHECK(d_with[i] == doctest::Approx(d_without[i]).epsilon(1e-4));
}

TEST_CASE("choices that are none of the answer's are refused; without a choice nothing is learnt") {
  const std::string path = testing::tiny_model("gemma3", {});
  auto trainer = Trainer::open(path, TrainConfig());
  REQUIRE(trainer.ok());
  CHECK(!(*trainer)->check({{1}, {2, 3}, {{2}}}).ok());
  CHECK(!(*trainer)->check({{1}, {2}, {{3, 4}}}).ok());
  CHECK(!(*trainer)->check({{1}, {2}, {{2, 1'000'000}}}).ok());
  CHECK((*trainer)->check({{1}, {2}, {{3, 2}}}).ok());
  const std::vector<Example> forced{{{1}, {2, 3}, {{2}, {3}}}};
  auto step = (*trainer)->step(forced);
  REQUIRE(step.ok());
  CHECK(step->loss == 0);
  CHECK(step->learnt_tokens == 0);
  CHECK(step->gradient_norm == 0);
}
