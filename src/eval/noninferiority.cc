#include "eval/noninferiority.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace slipway::eval {
namespace {

// Counts as the formulas have them: `better` only the second is right, `worse` only the first.
struct Table {
  double n = 0, better = 0, worse = 0;
};

double statistic(const Table& t, double delta) {
  // The share of `worse` that is likeliest given the difference: the larger root of Tango's
  // quadratic.
  const double a = 2 * t.n;
  const double b = -t.better - t.worse + (2 * t.n - t.better + t.worse) * delta;
  const double c = -t.worse * delta * (1 - delta);
  const double share = (std::sqrt(std::max(0.0, b * b - 4 * a * c)) - b) / (2 * a);
  const double variance = t.n * (2 * share + delta * (1 - delta));
  if (variance <= 0) return 0;
  return (t.better - t.worse - t.n * delta) / std::sqrt(variance);
}

double normal_upper(double z) { return 0.5 * std::erfc(z / std::sqrt(2.0)); }

// The continued fraction of the incomplete beta function (DLMF 8.17.22), by Lentz's method.
double beta_fraction(double a, double b, double x) {
  constexpr double tiny = 1e-300, enough = 1e-15;
  double c = 1, d = 1 - (a + b) * x / (a + 1);
  d = 1 / (std::abs(d) < tiny ? tiny : d);
  double value = d;
  for (int m = 1; m < 2'000; ++m) {
    double last = 1;
    for (const bool even : {true, false}) {
      const double k = m;
      const double term = even ? k * (b - k) * x / ((a + 2 * k - 1) * (a + 2 * k))
                               : -(a + k) * (a + b + k) * x / ((a + 2 * k) * (a + 2 * k + 1));
      d = 1 + term * d;
      c = 1 + term / c;
      d = 1 / (std::abs(d) < tiny ? tiny : d);
      if (std::abs(c) < tiny) c = tiny;
      last = d * c;
      value *= last;
    }
    if (std::abs(last - 1) < enough) break;
  }
  return value;
}

double incomplete_beta(double a, double b, double x, double log_beta) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const double front = std::exp(a * std::log(x) + b * std::log1p(-x) - log_beta);
  if (x < (a + 1) / (a + b + 2)) return front * beta_fraction(a, b, x) / a;
  return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

// Tables of n pairs at least as favourable as a bound of the statistic: for every count of `better`
// the greatest count of `worse`, as the statistic grows with the one and falls with the other.
class Region {
 public:
  Region(int64_t n, double delta, double bound) : n_(n), most_worse_(static_cast<size_t>(n) + 1) {
    int64_t worse = -1;
    for (int64_t better = 0; better <= n; ++better) {
      while (worse < n - better && inside(better, worse + 1, delta, bound)) ++worse;
      worse = std::min(worse, n - better);
      most_worse_[static_cast<size_t>(better)] = worse;
    }
    log_factorials_.resize(static_cast<size_t>(n) + 2);
    for (size_t i = 1; i < log_factorials_.size(); ++i)
      log_factorials_[i] = log_factorials_[i - 1] + std::log(static_cast<double>(i));
  }

  // Under multinomial shares of `better` and `worse`.
  double probability(double better, double worse) const {
    constexpr double negligible = -45;  // e^-45
    double sum = 0;
    for (int64_t i = 0; i <= n_; ++i) {
      const int64_t most = most_worse_[static_cast<size_t>(i)];
      if (most < 0) continue;
      const double log_weight = log_binomial(i, better);
      if (log_weight < negligible) continue;
      const double share = better >= 1 ? 0 : std::min(1.0, worse / (1 - better));
      sum += std::exp(log_weight) * at_most(most, n_ - i, share);
    }
    return std::min(1.0, sum);
  }

 private:
  bool inside(int64_t better, int64_t worse, double delta, double bound) const {
    constexpr double rounding = 1e-9;
    const Table table{static_cast<double>(n_), static_cast<double>(better),
                      static_cast<double>(worse)};
    return statistic(table, delta) >= bound - rounding;
  }
  double log_choose(int64_t n, int64_t k) const {
    return log_factorials_[static_cast<size_t>(n)] - log_factorials_[static_cast<size_t>(k)] -
           log_factorials_[static_cast<size_t>(n - k)];
  }
  double log_binomial(int64_t k, double p) const {
    if (p <= 0) return k == 0 ? 0 : -INFINITY;
    return log_choose(n_, k) + static_cast<double>(k) * std::log(p) +
           static_cast<double>(n_ - k) * std::log1p(-p);
  }
  double at_most(int64_t k, int64_t n, double p) const {
    if (k >= n) return 1;
    // log B(n - k, k + 1) from factorials.
    const double log_beta = -log_choose(n, k) - std::log(static_cast<double>(n - k));
    return incomplete_beta(static_cast<double>(n - k), static_cast<double>(k) + 1, 1 - p, log_beta);
  }

  int64_t n_;
  std::vector<int64_t> most_worse_;
  std::vector<double> log_factorials_;
};

// The greatest value of f on [0, end]: a grid that is denser at 0, then golden sections.
template <typename F>
double greatest(const F& f, double end) {
  constexpr int steps = 96;
  const auto at = [&](int i) {
    const double share = static_cast<double>(std::clamp(i, 0, steps)) / steps;
    return end * share * share;
  };
  int best = 0;
  double value = f(0);
  for (int i = 1; i <= steps; ++i) {
    const double here = f(at(i));
    if (here > value) value = here, best = i;
  }
  double low = at(best - 1), high = at(best + 1);
  constexpr double golden = 0.6180339887498949;
  for (int i = 0; i < 32; ++i) {
    const double left = high - golden * (high - low), right = low + golden * (high - low);
    const double f_left = f(left), f_right = f(right);
    value = std::max({value, f_left, f_right});
    (f_left > f_right ? high : low) = f_left > f_right ? right : left;
  }
  return value;
}

Table table_of(const Pairs& pairs) {
  return {static_cast<double>(pairs.total()), static_cast<double>(pairs.only_second),
          static_cast<double>(pairs.only_first)};
}

}  // namespace

double normal_quantile(double probability) {
  double low = -40, high = 40;
  for (int i = 0; i < 200; ++i) {
    const double middle = (low + high) / 2;
    (normal_upper(-middle) < probability ? low : high) = middle;
  }
  return (low + high) / 2;
}

double tango_statistic(const Pairs& pairs, double delta) {
  return statistic(table_of(pairs), delta);
}

Interval tango_interval(const Pairs& pairs, double z) {
  if (pairs.total() == 0) return {-1, 1};
  const Table table = table_of(pairs);
  const double difference = (table.better - table.worse) / table.n;
  // The statistic falls as delta grows; it is 0 at the difference itself.
  const auto root = [&](double from, double to, double wanted) {
    for (int i = 0; i < 100; ++i) {
      const double middle = (from + to) / 2;
      (statistic(table, middle) > wanted ? from : to) = middle;
    }
    return (from + to) / 2;
  };
  return {difference <= -1 ? -1 : root(-1, difference, z),
          difference >= 1 ? 1 : root(difference, 1, -z)};
}

double non_inferiority_p(const Pairs& pairs, double margin) {
  if (pairs.total() == 0) return 1;
  const double bound = tango_statistic(pairs, -margin);
  if (pairs.total() > most_exact) return normal_upper(bound);
  const Region region(pairs.total(), -margin, bound);
  return greatest([&](double better) { return region.probability(better, better + margin); },
                  (1 - margin) / 2);
}

double non_inferiority_power(int64_t rows, const Plan& plan) {
  if (rows < 1) return 0;
  const double z = normal_quantile(1 - plan.alpha);
  if (rows > most_exact) {
    // Liu, Hsueh, Hsieh and Chen 2002 (Statistics in Medicine 21:231), with the restricted
    // variance of Tango's statistic at the expected table.
    const double n = static_cast<double>(rows), half = plan.discordance / 2;
    const Table expected{n, n * half, n * half};
    const double at_null = n * plan.margin / statistic(expected, -plan.margin);
    const double spread = std::sqrt(n * plan.discordance);
    if (spread == 0) return 1;
    return normal_upper((z * at_null - n * plan.margin) / spread);
  }
  const Region region(rows, -plan.margin, z);
  return region.probability(plan.discordance / 2, plan.discordance / 2);
}

int64_t fewest_rows(double margin, double alpha) {
  const auto shown = [&](int64_t n) { return non_inferiority_p({n, 0, 0, 0}, margin) <= alpha; };
  // (1 - margin)^n: no loss at all at the margin. The p-value is never less.
  auto low = static_cast<int64_t>(std::ceil(std::log(alpha) / std::log1p(-margin))) - 1;
  int64_t high = low + 1;
  while (!shown(high)) low = high, high *= 2;
  while (high - low > 1) {
    const int64_t middle = low + (high - low) / 2;
    (shown(middle) ? high : low) = middle;
  }
  return high;
}

int64_t rows_needed(const Plan& plan) {
  int64_t low = fewest_rows(plan.margin, plan.alpha);
  if (non_inferiority_power(low, plan) >= plan.power) return low;
  int64_t high = low;
  while (non_inferiority_power(high, plan) < plan.power) {
    if (high >= most_planned) return most_planned;
    low = high;
    high = std::min(most_planned, high * 2);
  }
  while (high - low > 1) {
    const int64_t middle = low + (high - low) / 2;
    (non_inferiority_power(middle, plan) < plan.power ? low : high) = middle;
  }
  return high;
}

}  // namespace slipway::eval
