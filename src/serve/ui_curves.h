// A curve with fewer points that looks the same.
//
//     thinned(history, 600)     // at most 600 points: of each stretch the lowest and the highest
//
// Spikes survive, which averaging would hide. Pure; thread-safe.
#pragma once

#include <cstddef>
#include <vector>

#include "store/store.h"

namespace slipway::serve {

std::vector<store::Metric> thinned(const std::vector<store::Metric>& points, size_t most);

}  // namespace slipway::serve
