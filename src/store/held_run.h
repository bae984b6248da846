// A run and the lock that says that its process is alive: what was stopped is continued by the next
// process that does the same work, and never by two at once.
//
//     SLIPWAY_TRY(held, continue_or_begin(store, run));  // the same kind and inputs: the same work
//     if (held.resumed) ...                              // what it logged before stands
//                                                        // under its id
//
// The lock is a file under the store's `locks`, released when the holder dies, however it dies.
// Errors: those of Store and FileLock.
#pragma once

#include <optional>

#include "base/file_lock.h"
#include "base/result.h"
#include "json/value.h"
#include "store/store.h"

namespace slipway::store {

struct HeldRun {
  Run run;
  FileLock lock;
  bool resumed = false;
};

// The newest run among `wanted` that is not finished, has the same inputs, was made here (not
// imported) and whose process is gone; it is held now. Empty: there is none.
Result<std::optional<HeldRun>> take_unfinished(const Store& store, const RunQuery& wanted,
                                               const json::Value& inputs);

Result<HeldRun> create_held(Store& store, Run run);

// Of all experiments; the continued run is `running` again.
Result<HeldRun> continue_or_begin(Store& store, Run run);

}  // namespace slipway::store
