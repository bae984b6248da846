// The parts of a run's record as statements inside a transaction: what store.h and tracking.h
// share.
//
//     SLIPWAY_TRY(series, series_of(metrics));            // before the transaction
//     SLIPWAY_CHECK(insert_series(database, run_id, series));
//
// Private to src/store; the caller has seen that the run exists. Errors: those of store.h.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "store/chunks.h"
#include "store/database.h"
#include "store/experiments.h"

namespace slipway::store {

using Series = std::map<std::string, std::vector<Point>>;  // by key; sorted, no point twice

Result<Series> series_of(const std::vector<Metric>& metrics);
Status insert_series(Database& database, const std::string& run_id, const Series& series);

Result<RunStatus> run_status_of(std::string_view name);  // corrupt when unknown
Status check_run(const Run& run);
Status insert_run(Database& database, const Run& run, const std::string& inputs,
                  const std::string& environment);
Status check_pairs(std::string_view what, const Pairs& pairs);
Status insert_param(Database& database, const std::string& run_id, const std::string& key,
                    const std::string& value);
Status insert_tags(Database& database, const std::string& run_id, const Pairs& tags);

}  // namespace slipway::store
