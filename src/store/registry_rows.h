// What registry.cc and registry_read.cc share: from names to rows.
//
//     SLIPWAY_TRY(model, model_number(database, "greeting"));
//
// Private to src/store. Errors: not_found.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "store/database.h"

namespace slipway::store {

Result<int64_t> model_number(Database& database, const std::string& name);
Error no_version(const std::string& name, int64_t number);

}  // namespace slipway::store
