// What MLflow's clients keep, on its way from one store to another as records of store/transfer.h:
// models, registered (`registered_model`) and logged (`logged_model`), and what a run read or made
// (`link`).
//
//     SLIPWAY_CHECK(give_registered_models(from, sink));
//     SLIPWAY_CHECK(take_registered_model(to, record));
//
// Private to src/store. Rows are added, none that is here is changed: a version of a number that is
// taken, an alias that stands, stay, and tags and aliases come only to the very version or model of
// which they were said. A logged model that is not ready here gains what it has since. Errors:
// corrupt (a record that is none), those of Store.
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

Status give_links(const Store& store, const std::string& run_id, Sink& sink);
Status take_link(Store& store, const json::Value& record);  // of a run that is here

}  // namespace slipway::store
