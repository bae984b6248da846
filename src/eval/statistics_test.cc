#include "eval/statistics.h"

#include <doctest/doctest.h>

#include <cmath>
#include <random>

using namespace slipway::eval;

// References: statsmodels proportion_confint(method="wilson"), scipy.stats.binomtest, and Newcombe
// 1998, table II.
TEST_CASE("wilson agrees with statsmodels") {
  struct Row {
    int64_t passed, total;
    double low, high;
  };
  const Row rows[] = {{98, 100, 0.929988, 0.994498},
                      {0, 10, 0.0, 0.277533},
                      {10, 10, 0.722467, 1.0},
                      {1, 2, 0.094531, 0.905469}};
  for (const auto& row : rows) {
    const auto interval = wilson(row.passed, row.total);
    CHECK(interval.low == doctest::Approx(row.low).epsilon(1e-5));
    CHECK(interval.high == doctest::Approx(row.high).epsilon(1e-5));
  }
  CHECK(wilson(0, 0).high == 1);
}

TEST_CASE("mcnemar is the exact two-sided binomial") {
  CHECK(mcnemar_exact(0, 0) == 1);
  CHECK(mcnemar_exact(9, 1) == doctest::Approx(0.021484375).epsilon(1e-9));
  CHECK(mcnemar_exact(1, 9) == mcnemar_exact(9, 1));
  CHECK(mcnemar_exact(5, 5) == 1);
  CHECK(mcnemar_exact(0, 6) == doctest::Approx(0.03125).epsilon(1e-9));
}

TEST_CASE("paired difference agrees with Newcombe's examples") {
  // Newcombe 1998 table II: (36, 12, 2, 0) has method 10 interval 0.0569 to 0.3404 for first -
  // second.
  const auto interval = paired_difference({36, 12, 2, 0});
  CHECK(-interval.high == doctest::Approx(0.0569).epsilon(0.005));
  CHECK(-interval.low == doctest::Approx(0.3404).epsilon(0.005));
  CHECK(paired_difference({}).low == -1);
}

TEST_CASE("the wilson interval covers a known proportion about 95 % of the time") {
  std::mt19937_64 random(7);
  int covered = 0;
  constexpr int kTrials = 4000;
  for (int t = 0; t < kTrials; ++t) {
    std::binomial_distribution<int> draw(60, 0.3);
    const auto interval = wilson(draw(random), 60);
    covered += interval.low <= 0.3 && 0.3 <= interval.high;
  }
  CHECK(covered > 0.93 * kTrials);
  CHECK(covered < 0.975 * kTrials);
}

TEST_CASE("quantile interpolates") {
  CHECK(quantile({}, 0.5) == 0);
  CHECK(quantile({3, 1, 2}, 0.5) == 2);
  CHECK(quantile({1, 2}, 0.95) == doctest::Approx(1.95));
}

TEST_CASE("the rows for an interval are the fewest that are enough") {
  for (const double rate : {0.0, 0.1, 0.5, 0.9, 1.0}) {
    for (const double half : {0.1, 0.05, 0.02}) {
      const auto rows = rows_for_interval(rate, half);
      // In whole passes, as an evaluation counts them.
      const auto reach = [&](int64_t n) {
        const auto passed = static_cast<int64_t>(std::llround(rate * static_cast<double>(n)));
        const auto i = wilson(passed, n);
        return std::max(i.high - rate, rate - i.low);
      };
      CHECK(reach(rows) <= half + 1.0 / static_cast<double>(rows));
      CHECK(reach(rows * 9 / 10) > half - 1.0 / static_cast<double>(rows));
    }
  }
  CHECK(rows_for_interval(0.5, 0.05) == 381);
}
