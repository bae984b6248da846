#include "tune/average.h"

#include <doctest/doctest.h>

#include <random>

using namespace slipway;
using namespace slipway::tune;

namespace {

LoraPair random_pair(int layer, Module module, int in, int out, int rank, std::mt19937& random) {
  std::normal_distribution<float> normal;
  LoraPair pair{layer, module, in, out, rank, {}, {}};
  for (int i = 0; i < rank * in; ++i) pair.a.push_back(normal(random));
  for (int i = 0; i < out * rank; ++i) pair.b.push_back(normal(random));
  return pair;
}

// scale · B·A, [out, in].
std::vector<double> product(const AdapterFile& adapter, size_t index) {
  const auto& p = adapter.pairs[index];
  std::vector<double> w(static_cast<size_t>(p.in * p.out));
  for (int o = 0; o < p.out; ++o)
    for (int r = 0; r < p.rank; ++r)
      for (int i = 0; i < p.in; ++i)
        w[static_cast<size_t>(o * p.in + i)] += double{adapter.alpha} / p.rank *
                                                p.b[static_cast<size_t>(o * p.rank + r)] *
                                                p.a[static_cast<size_t>(r * p.in + i)];
  return w;
}

}  // namespace

TEST_CASE("the mean of adapters is the mean of what they add, whatever their ranks and alphas") {
  std::mt19937 random(3);
  AdapterFile first{"gemma3", 32, {random_pair(0, Module::q, 6, 4, 3, random)}};
  AdapterFile second{"gemma3", 8, {random_pair(0, Module::q, 6, 4, 5, random),
                                   random_pair(1, Module::up, 6, 10, 2, random)}};
  AdapterFile third{"gemma3", 1, {random_pair(0, Module::q, 6, 4, 1, random)}};
  auto mean = average({first, second, third});
  REQUIRE(mean.ok());
  REQUIRE(mean->pairs.size() == 2);
  CHECK(mean->rank() == 9);
  const auto got = product(*mean, 0), alone = product(*mean, 1);
  const auto a = product(first, 0), b = product(second, 0), c = product(third, 0);
  for (size_t i = 0; i < got.size(); ++i)
    CHECK(got[i] == doctest::Approx((a[i] + b[i] + c[i]) / 3).epsilon(1e-4));
  const auto whole = product(second, 1);
  for (size_t i = 0; i < alone.size(); ++i)
    CHECK(alone[i] == doctest::Approx(whole[i] / 3).epsilon(1e-4));

  auto same = average({first});
  REQUIRE(same.ok());
  const auto once = product(*same, 0);
  for (size_t i = 0; i < once.size(); ++i) CHECK(once[i] == doctest::Approx(a[i]).epsilon(1e-4));
}

TEST_CASE("adapters of other models are not averaged") {
  std::mt19937 random(3);
  const AdapterFile a{"gemma3", 32, {random_pair(0, Module::q, 6, 4, 3, random)}};
  const AdapterFile other_kind{"llama", 32, {random_pair(0, Module::q, 6, 4, 3, random)}};
  const AdapterFile other_shape{"gemma3", 32, {random_pair(0, Module::q, 8, 4, 3, random)}};
  CHECK_FALSE(average({}).ok());
  CHECK(average({a, other_kind}).error().code() == ErrorCode::invalid_input);
  CHECK(average({a, other_shape}).error().code() == ErrorCode::invalid_input);
}
