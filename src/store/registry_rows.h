// What registry.cc and registry_read.cc share: from names to rows, and the stage of the deleted.
//
//     SLIPWAY_TRY(model, model_number(database, "greeting"));
//
// Private to src/store. Errors: not_found.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "store/database.h"

namespace slipway::store {

// A deleted version keeps its row at this stage, so that nobody gets its number again.
inline constexpr std::string_view deleted_stage = "Deleted_Internal";

Result<int64_t> model_number(Database& database, const std::string& name);
Error no_version(const std::string& name, int64_t number);

}  // namespace slipway::store
