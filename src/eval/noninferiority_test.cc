#include "eval/noninferiority.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>

using namespace slipway::eval;

namespace {

// Tango's statistic from its definition: the likelihood is maximised by search, not by formula.
double statistic_by_search(const Pairs& pairs, double delta) {
  const double n = static_cast<double>(pairs.total());
  const double better = static_cast<double>(pairs.only_second);
  const double worse = static_cast<double>(pairs.only_first);
  const auto log_likelihood = [&](double share) {
    const double same = n - better - worse;
    return (better > 0 ? better * std::log(share + delta) : 0) +
           (worse > 0 ? worse * std::log(share) : 0) +
           (same > 0 ? same * std::log(1 - 2 * share - delta) : 0);
  };
  double low = std::max(0.0, -delta), high = (1 - delta) / 2;
  for (int i = 0; i < 300; ++i) {
    const double third = (high - low) / 3;
    (log_likelihood(low + third) < log_likelihood(high - third) ? low : high) =
        log_likelihood(low + third) < log_likelihood(high - third) ? low + third : high - third;
  }
  const double share = (low + high) / 2;
  return (better - worse - n * delta) / std::sqrt(n * (2 * share + delta * (1 - delta)));
}

double multinomial(int n, int better, int worse, double p_better, double p_worse) {
  const auto power = [](double p, int k) { return k == 0 ? 1 : std::pow(p, k); };
  return std::exp(std::lgamma(n + 1) - std::lgamma(better + 1) - std::lgamma(worse + 1) -
                  std::lgamma(n - better - worse + 1)) *
         power(p_better, better) * power(p_worse, worse) *
         power(1 - p_better - p_worse, n - better - worse);
}

Pairs table(int n, int better, int worse) { return {n - better - worse, worse, better, 0}; }

// The p-value by its definition: every table, every nuisance value of a fine grid.
double p_by_enumeration(const Pairs& pairs, double margin) {
  const int n = static_cast<int>(pairs.total());
  const double bound = tango_statistic(pairs, -margin);
  double greatest = 0;
  constexpr int steps = 4000;
  for (int i = 0; i <= steps; ++i) {
    const double q = (1 - margin) / 2 * i / steps;
    double sum = 0;
    for (int better = 0; better <= n; ++better) {
      for (int worse = 0; worse + better <= n; ++worse) {
        if (tango_statistic(table(n, better, worse), -margin) >= bound - 1e-9)
          sum += multinomial(n, better, worse, q, q + margin);
      }
    }
    greatest = std::max(greatest, sum);
  }
  return greatest;
}

// Rejects everywhere where it may, so that error rates come from the test itself.
struct Rejections {
  int n;
  std::vector<std::vector<char>> rejects;
  Rejections(int pairs, double margin, double alpha) : n(pairs), rejects(pairs + 1) {
    for (int better = 0; better <= n; ++better) {
      for (int worse = 0; worse + better <= n; ++worse)
        rejects[better].push_back(non_inferiority_p(table(n, better, worse), margin) <= alpha);
    }
  }
  double rate(double p_better, double p_worse) const {
    double sum = 0;
    for (int better = 0; better <= n; ++better) {
      for (int worse = 0; worse + better <= n; ++worse) {
        if (rejects[better][worse]) sum += multinomial(n, better, worse, p_better, p_worse);
      }
    }
    return sum;
  }
};

}  // namespace

TEST_CASE("normal quantiles are those of the tables") {
  CHECK(normal_quantile(0.975) == doctest::Approx(z_95).epsilon(1e-12));
  CHECK(normal_quantile(0.95) == doctest::Approx(1.6448536269514722).epsilon(1e-12));
  CHECK(normal_quantile(0.8) == doctest::Approx(0.8416212335729143).epsilon(1e-12));
  CHECK(std::abs(normal_quantile(0.5)) < 1e-12);
}

TEST_CASE("the score statistic is that of the likelihood maximised by search") {
  const Pairs tables[] = {{36, 12, 2, 0}, {180, 2, 6, 12}, {10, 0, 3, 1}, {5, 5, 5, 5}};
  for (const auto& pairs : tables) {
    for (const double delta : {-0.3, -0.1, -0.02, 0.05, 0.2}) {
      CHECK(tango_statistic(pairs, delta) ==
            doctest::Approx(statistic_by_search(pairs, delta)).epsilon(1e-6));
    }
  }
  // At no difference it is McNemar's: (b - c) / sqrt(b + c).
  CHECK(tango_statistic({36, 12, 2, 0}, 0) == doctest::Approx(-10 / std::sqrt(14.0)));
}

TEST_CASE("the interval's ends are where the statistic is z") {
  const Pairs tables[] = {{36, 12, 2, 0}, {180, 2, 6, 12}, {100, 0, 0, 0}, {10, 0, 3, 1}};
  for (const auto& pairs : tables) {
    const auto interval = tango_interval(pairs, z_95);
    CHECK(tango_statistic(pairs, interval.low) == doctest::Approx(z_95).epsilon(1e-6));
    CHECK(tango_statistic(pairs, interval.high) == doctest::Approx(-z_95).epsilon(1e-6));
  }
  // Two that never differ: z^2 / (n + z^2) on both sides.
  const auto same = tango_interval({100, 0, 0, 0}, z_95);
  CHECK(same.high == doctest::Approx(z_95 * z_95 / (100 + z_95 * z_95)));
  CHECK(same.low == doctest::Approx(-same.high));
  CHECK(tango_interval({0, 7, 0, 0}, z_95).low == -1);
  CHECK(tango_interval({0, 0, 7, 0}, z_95).high == 1);
  CHECK(tango_interval({}, z_95).low == -1);
}

TEST_CASE("the exact p-value is that of enumeration") {
  const Pairs tables[] = {{12, 0, 0, 0}, {9, 1, 2, 0}, {10, 0, 4, 0}, {4, 3, 5, 0}, {2, 9, 1, 0}};
  for (const auto& pairs : tables) {
    for (const double margin : {0.05, 0.2}) {
      const double reference = p_by_enumeration(pairs, margin);
      const double p = non_inferiority_p(pairs, margin);
      CHECK(p >= reference - 1e-9);
      CHECK(p == doctest::Approx(reference).epsilon(1e-5));
    }
  }
  // Never different: at least the probability of no loss at the margin.
  CHECK(non_inferiority_p({200, 0, 0, 0}, 0.02) > std::pow(0.98, 200));
  CHECK(non_inferiority_p({}, 0.02) == 1);
}

TEST_CASE("the error rate is at most alpha at every nuisance value, by enumeration") {
  constexpr double margin = 0.15, alpha = 0.05;
  for (const int n : {20, 35}) {
    const Rejections test(n, margin, alpha);
    double worst = 0;
    for (int i = 0; i <= 200; ++i) {
      const double q = (1 - margin) / 2 * i / 200;
      worst = std::max(worst, test.rate(q, q + margin));
    }
    CHECK(worst <= alpha + 1e-9);
    CHECK(worst > 0.6 * alpha);  // and it is no test that never says yes
    CHECK(test.rate(0.1, 0.25 + margin) < alpha);
  }
}

TEST_CASE("simulated at the margin, a test of 200 rows says yes at most alpha of the time") {
  std::mt19937_64 random(20261124);
  constexpr double margin = 0.05, alpha = 0.05;
  constexpr int trials = 300, rows = 200;
  int accepted = 0;
  for (int trial = 0; trial < trials; ++trial) {
    const int better = std::binomial_distribution<int>(rows, 0.06)(random);
    const int worse = std::binomial_distribution<int>(rows - better, 0.11 / 0.94)(random);
    accepted += non_inferiority_p(table(rows, better, worse), margin) <= alpha;
  }
  const double standard_error = std::sqrt(alpha * (1 - alpha) / trials);
  CHECK(accepted <= (alpha + 3 * standard_error) * trials);
}

TEST_CASE("power grows with rows, and the rows needed are the fewest that have it") {
  const auto fewest = fewest_rows(0.02, 0.05);
  CHECK(fewest >= 149);  // 0.98^149 <= 0.05 < 0.98^148
  CHECK(non_inferiority_p({fewest, 0, 0, 0}, 0.02) <= 0.05);
  CHECK(non_inferiority_p({fewest - 1, 0, 0, 0}, 0.02) > 0.05);
  CHECK(rows_needed({}) == fewest);
  CHECK(rows_needed({.discordance = 0.05}) == 819);
  const Plan plan{.discordance = 0.1, .margin = 0.05, .alpha = 0.05, .power = 0.8};
  const auto needed = rows_needed(plan);
  CHECK(non_inferiority_power(needed, plan) >= plan.power);
  CHECK(non_inferiority_power(needed - 1, plan) < plan.power);
  // The normal approximation: discordance (z_alpha + z_beta)^2 / margin^2.
  const double z = normal_quantile(0.95) + normal_quantile(0.8);
  CHECK(static_cast<double>(needed) == doctest::Approx(0.1 * z * z / 0.0025).epsilon(0.15));
  CHECK(non_inferiority_power(2 * needed, plan) > 0.95);
  CHECK(rows_needed({.discordance = 0.5, .margin = 0.0001}) == most_planned);
}

TEST_CASE("where enumeration ends, power and p-value go on") {
  const Plan plan{.discordance = 0.3, .margin = 0.01};
  const double below = non_inferiority_power(most_exact, plan);
  const double above = non_inferiority_power(most_exact + 1, plan);
  CHECK(above == doctest::Approx(below).epsilon(0.02));
  const Pairs many{most_exact, 100, 120, 0};
  CHECK(non_inferiority_p(many, 0.01) < 1e-6);
  CHECK(non_inferiority_p({most_exact, 1000, 500, 0}, 0.01) > 0.9);
}
