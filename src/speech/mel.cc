#include "speech/mel.h"

#include <algorithm>
#include <cmath>

namespace slipway::speech {
namespace {

constexpr int bins = 201;
constexpr double nyquist_hz = 8000;
constexpr double linear_to_hz = 1000;
constexpr double hz_per_mel = 200.0 / 3;
const double step = std::log(6.4) / 27;  // of the logarithmic part

double to_mel(double hz) {
  if (hz < linear_to_hz) return hz / hz_per_mel;
  return linear_to_hz / hz_per_mel + std::log(hz / linear_to_hz) / step;
}

double to_hz(double mel) {
  const double knee = linear_to_hz / hz_per_mel;
  return mel < knee ? mel * hz_per_mel : linear_to_hz * std::exp(step * (mel - knee));
}

}  // namespace

std::vector<float> mel_filters(int bands) {
  std::vector<double> edges(static_cast<size_t>(bands) + 2);
  for (size_t i = 0; i < edges.size(); ++i)
    edges[i] = to_hz(to_mel(nyquist_hz) * static_cast<double>(i) / (bands + 1));
  std::vector<float> filters;
  filters.reserve(static_cast<size_t>(bands) * bins);
  for (size_t band = 0; band < static_cast<size_t>(bands); ++band) {
    const double low = edges[band], middle = edges[band + 1], high = edges[band + 2];
    for (int bin = 0; bin < bins; ++bin) {
      const double hz = nyquist_hz * bin / (bins - 1);
      const double up = (hz - low) / (middle - low), down = (high - hz) / (high - middle);
      const double weight = std::max(0.0, std::min(up, down)) * 2 / (high - low);
      filters.push_back(static_cast<float>(weight));
    }
  }
  return filters;
}

}  // namespace slipway::speech
