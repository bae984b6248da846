#include "serve/ui_curves.h"

#include <algorithm>

namespace slipway::serve {

std::vector<store::Metric> thinned(const std::vector<store::Metric>& points, size_t most) {
  if (points.size() <= most || most < 4) return points;
  const size_t stretches = (most - 2) / 2;  // the first and the last point stay
  const size_t inner = points.size() - 2;
  std::vector<store::Metric> kept = {points.front()};
  for (size_t i = 0; i < stretches; ++i) {
    const auto begin = points.begin() + 1 + static_cast<std::ptrdiff_t>(i * inner / stretches);
    const auto end = points.begin() + 1 + static_cast<std::ptrdiff_t>((i + 1) * inner / stretches);
    const auto [low, high] = std::minmax_element(
        begin, end, [](const auto& a, const auto& b) { return a.value < b.value; });
    kept.push_back(*std::min(low, high));
    if (low != high) kept.push_back(*std::max(low, high));
  }
  kept.push_back(points.back());
  return kept;
}

}  // namespace slipway::serve
