// Is the second of two paired runs no worse than the first by more than a margin? The test that a
// promotion must pass.
//
//     Pairs pairs{.both = 180, .only_first = 2, .only_second = 6, .neither = 12};
//     tango_interval(pairs, normal_quantile(0.95))        // 90 %: its low end is one-sided 95 %
//     non_inferiority_p(pairs, 0.02)                      // <= 0.05: at most 2 points worse, shown
//     rows_needed({.discordance = 0.05, .margin = 0.02})  // 819
//
// The interval is Tango's score interval of the paired difference (Tango 1998, Statistics in
// Medicine 17:891). The p-value is of the exact unconditional test on Tango's statistic: the
// probability, maximised over the nuisance parameter at a difference of -margin, of a table at
// least as favourable (Hsueh, Liu and Chen 2001, Biometrics 57:478); so the error rate is at most
// alpha at every sample size. Above `most_exact` pairs, where the two agree, it is the score
// test's. Power is that of the score test by enumeration, under equal candidates. Pure;
// thread-safe. Differences are second - first, as shares; margins and alphas lie between 0 and 1,
// exclusive.
#pragma once

#include <cstdint>

#include "eval/statistics.h"

namespace slipway::eval {

inline constexpr int64_t most_exact = 20'000;

double normal_quantile(double probability);  // 0 < probability < 1

// (difference - delta) in standard errors under that delta; 0 when there is no spread at all.
double tango_statistic(const Pairs& pairs, double delta);
Interval tango_interval(const Pairs& pairs, double z);

// One-sided: of "the second is worse by `margin` or more". 1 when there are no pairs.
double non_inferiority_p(const Pairs& pairs, double margin);

struct Plan {
  double discordance = 0;  // share of rows on which exactly one of the two is right
  double margin = 0.02;
  double alpha = 0.05;  // one-sided
  double power = 0.8;
};

// The probability to show non-inferiority with `rows` rows when the two are equally good.
double non_inferiority_power(int64_t rows, const Plan& plan);

// With fewer rows nothing can be shown, not even by two candidates that never differ.
int64_t fewest_rows(double margin, double alpha);

// The rows with which the plan has its power; `most_planned` when not even those are enough.
inline constexpr int64_t most_planned = 10'000'000;
int64_t rows_needed(const Plan& plan);

}  // namespace slipway::eval
