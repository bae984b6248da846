// The models of MLflow's clients on their way from one store to another, as records of
// store/transfer.h: registered ones (`registered_model`) and logged ones (`logged_model`).
//
//     SLIPWAY_CHECK(give_registered_models(from, sink));
//     SLIPWAY_CHECK(take_registered_model(to, record));
//
// Private to src/store. Rows are added, none that is here is changed: a version of a number that is
// taken, an alias that stands, stay. Errors: corrupt (a record that is none), those of Store.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "json/value.h"
#include "store/artifacts.h"
#include "store/transfer.h"

namespace slipway::store {

Status give_registered_models(const Store& store, Sink& sink);
Status take_registered_model(Store& store, const json::Value& record);

// Those that a run logged; of no run: "".
Status give_logged_models(const Store& store, const std::string& run_id, Sink& sink);
Status take_logged_model(Store& store, const json::Value& record);
// The objects of their files.
Result<std::vector<KeptFile>> files_of_logged_models(const Store& store, const std::string& run_id);

}  // namespace slipway::store
