// How an adapter came to be: the training that made it or, where it is the mean of several, the
// average and the trainings of its members.
//
//     SLIPWAY_TRY(makers, makers_of(store, runs, {adapter_sha256}));
//     // makers[0]->kind: "tune", or "adapter" of an average
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/store.h"

namespace slipway::lab {

// The finished ones among `runs`, which must outlive the result, an average before its members.
Result<std::vector<const store::Run*>> makers_of(const store::Store& store,
                                                 const std::vector<store::Run>& runs,
                                                 std::set<std::string> adapters);

}  // namespace slipway::lab
