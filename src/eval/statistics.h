// The statistics of an evaluation: an interval with every proportion, an exact test with every
// comparison.
//
//     wilson(98, 100)            // {0.93, 0.994}: 95 % by default
//     mcnemar_exact(9, 1)        // 0.0215: two-sided, from the discordant pairs alone
//
// Pure functions; thread-safe. Sources: Wilson 1927; Newcombe 1998 (Statistics in Medicine 17:2635,
// method 10, for paired differences); McNemar 1947 with the exact binomial.
#pragma once

#include <cstdint>
#include <vector>

namespace slipway::eval {

struct Interval {
  double low = 0;
  double high = 1;
};

// The 0.975 quantile of the normal distribution: 95 % two-sided.
inline constexpr double z_95 = 1.959963984540054;

// Score interval of a proportion; {0, 1} when total is 0.
Interval wilson(int64_t passed, int64_t total, double z = z_95);

// The fewest rows with which the interval of a proportion seen at `rate` reaches no further than
// `half_width` to either side.
int64_t rows_for_interval(double rate, double half_width, double z = z_95);

// Two-sided exact p-value from the discordant pairs: `b` only the first passed, `c` only the second
// did. 1 when b + c = 0.
double mcnemar_exact(int64_t b, int64_t c);

// Counts of a paired comparison on the same examples.
struct Pairs {
  int64_t both = 0, only_first = 0, only_second = 0, neither = 0;
  int64_t total() const { return both + only_first + only_second + neither; }
};

// Interval of (second - first), paired.
Interval paired_difference(const Pairs& pairs, double z = z_95);

// The q-quantile (0..1) by linear interpolation (Hyndman and Fan's type 7); 0 when empty.
double quantile(std::vector<double> values, double q);

}  // namespace slipway::eval
