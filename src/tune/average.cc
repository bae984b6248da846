#include "tune/average.h"

#include <map>
#include <utility>

namespace slipway::tune {
namespace {

// B is [out, rank] by rows: the new columns go to the right of those that are there.
std::vector<float> beside(const std::vector<float>& left, const std::vector<float>& right,
                          int rows) {
  const auto count = static_cast<size_t>(rows);
  const auto a = left.size() / count, b = right.size() / count;
  std::vector<float> both;
  both.reserve(left.size() + right.size());
  for (size_t row = 0; row < count; ++row) {
    const auto l = left.begin() + static_cast<std::ptrdiff_t>(row * a);
    const auto r = right.begin() + static_cast<std::ptrdiff_t>(row * b);
    both.insert(both.end(), l, l + static_cast<std::ptrdiff_t>(a));
    both.insert(both.end(), r, r + static_cast<std::ptrdiff_t>(b));
  }
  return both;
}

Status append(LoraPair& mean, const LoraPair& pair, float scale) {
  if (mean.rank > 0 && (mean.in != pair.in || mean.out != pair.out))
    return Error::invalid_input("the adapters are for models of other shapes");
  mean.layer = pair.layer;
  mean.module = pair.module;
  mean.in = pair.in;
  mean.out = pair.out;
  mean.rank += pair.rank;
  for (const float value : pair.a) mean.a.push_back(value * scale);
  mean.b = beside(mean.b, pair.b, pair.out);
  return {};
}

}  // namespace

Result<AdapterFile> average(const std::vector<AdapterFile>& adapters) {
  if (adapters.empty()) return Error::invalid_input("there is no adapter to average");
  AdapterFile mean;
  mean.architecture = adapters[0].architecture;
  mean.alpha = adapters[0].alpha;
  std::map<std::pair<int, Module>, LoraPair> pairs;
  for (const auto& adapter : adapters) {
    if (adapter.architecture != mean.architecture) {
      return Error::invalid_input("an adapter is for " + adapter.architecture + ", another for " +
                                  mean.architecture);
    }
    for (const auto& pair : adapter.pairs) {
      const auto count = static_cast<float>(adapters.size()) * static_cast<float>(pair.rank);
      SLIPWAY_CHECK(append(pairs[{pair.layer, pair.module}], pair, adapter.alpha / count));
    }
  }
  for (auto& [place, pair] : pairs) {
    for (float& value : pair.a) value *= static_cast<float>(pair.rank) / mean.alpha;
    mean.pairs.push_back(std::move(pair));
  }
  return mean;
}

}  // namespace slipway::tune
