#include "eval/statistics.h"

#include <algorithm>
#include <cmath>

namespace slipway::eval {

Interval wilson(int64_t passed, int64_t total, double z) {
  if (total <= 0) return {0, 1};
  const double n = static_cast<double>(total);
  const double p = static_cast<double>(passed) / n;
  const double denominator = 1 + z * z / n;
  const double centre = p + z * z / (2 * n);
  const double spread = z * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
  // At 0 and n the exact bounds are 0 and 1; rounding must not move them.
  const double low = passed == 0 ? 0 : (centre - spread) / denominator;
  const double high = passed == total ? 1 : (centre + spread) / denominator;
  return {low, high};
}

int64_t rows_for_interval(double rate, double half_width, double z) {
  const auto reaches = [&](int64_t rows) {
    const auto n = static_cast<double>(rows), z2 = z * z;
    const double centre = (rate * n + z2 / 2) / (n + z2);
    const double half = z / (n + z2) * std::sqrt(n * rate * (1 - rate) + z2 / 4);
    return std::max(centre + half - rate, rate - centre + half);
  };
  int64_t low = 1, high = 1;
  while (reaches(high) > half_width && high < int64_t{1} << 40) high *= 2;
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    if (reaches(middle) > half_width)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

double mcnemar_exact(int64_t b, int64_t c) {
  const int64_t n = b + c;
  if (n == 0) return 1;
  const int64_t k = std::min(b, c);
  double tail = 0;
  for (int64_t i = 0; i <= k; ++i) {
    const double log_choose = std::lgamma(static_cast<double>(n) + 1) -
                              std::lgamma(static_cast<double>(i) + 1) -
                              std::lgamma(static_cast<double>(n - i) + 1);
    tail += std::exp(log_choose - static_cast<double>(n) * std::log(2.0));
  }
  return std::min(1.0, 2 * tail);
}

namespace {

// The correlation of the two outcomes, as Newcombe's method 10 wants it (continuity-corrected
// numerator).
double phi(const Pairs& pairs) {
  const double a = static_cast<double>(pairs.both), b = static_cast<double>(pairs.only_first);
  const double c = static_cast<double>(pairs.only_second), d = static_cast<double>(pairs.neither);
  const double product = (a + b) * (c + d) * (a + c) * (b + d);
  if (product <= 0) return 0;
  double numerator = a * d - b * c;
  if (numerator > 0) numerator = std::max(numerator - static_cast<double>(pairs.total()) / 2, 0.0);
  return numerator / std::sqrt(product);
}

}  // namespace

Interval paired_difference(const Pairs& pairs, double z) {
  const int64_t n = pairs.total();
  if (n == 0) return {-1, 1};
  const double total = static_cast<double>(n);
  const double first = static_cast<double>(pairs.both + pairs.only_first) / total;
  const double second = static_cast<double>(pairs.both + pairs.only_second) / total;
  const auto w1 = wilson(pairs.both + pairs.only_first, n, z);
  const auto w2 = wilson(pairs.both + pairs.only_second, n, z);
  const double r = phi(pairs);
  const double d = second - first;
  const double dl2 = second - w2.low, du2 = w2.high - second;
  const double dl1 = first - w1.low, du1 = w1.high - first;
  const double down = dl2 * dl2 - 2 * r * dl2 * du1 + du1 * du1;
  const double up = du2 * du2 - 2 * r * du2 * dl1 + dl1 * dl1;
  return {d - std::sqrt(std::max(0.0, down)), d + std::sqrt(std::max(0.0, up))};
}

double quantile(std::vector<double> values, double q) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const double position = q * static_cast<double>(values.size() - 1);
  const auto lower = static_cast<size_t>(position);
  const auto upper = std::min(lower + 1, values.size() - 1);
  const double weight = position - static_cast<double>(lower);
  return values[lower] * (1 - weight) + values[upper] * weight;
}

}  // namespace slipway::eval
