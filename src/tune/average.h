// The mean of several adapters as one adapter: W + mean of their scale · B·A.
//
//     SLIPWAY_TRY(mean, average({first, second}));    // rank 16 and 16: rank 32
//
// Adapters trained from other seeds over the same rows err in different places; their mean errs
// less than any of them and costs one pass, not several (model soups, arXiv 2203.05482). Exact: the
// factors are put side by side, not averaged one by one, and what differs in scale goes into A.
// A weight that one of them leaves alone counts as zero there. Pure. Errors: invalid_input (none
// given, another architecture, other shapes).
#pragma once

#include <vector>

#include "base/result.h"
#include "tune/adapter_file.h"

namespace slipway::tune {

Result<AdapterFile> average(const std::vector<AdapterFile>& adapters);

}  // namespace slipway::tune
