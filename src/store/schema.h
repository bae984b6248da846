// The tables of records.db (docs/format/store.md#tables) and how an older file becomes a current
// one.
//
//     SLIPWAY_CHECK(prepare_schema(database));   // an empty file becomes a store
//
// Each migration moves a file from one version to the next; all that are missing run in one
// transaction, so that a kill leaves the old version or the new. A migration is never edited once
// released. Errors: unsupported (a newer version), corrupt (not a store at all).
#pragma once

#include "base/result.h"
#include "store/database.h"

namespace slipway::store {

inline constexpr int schema_version = 3;               // PRAGMA user_version
inline constexpr int64_t application_id = 0x534C5750;  // "SLWP", PRAGMA application_id

Status prepare_schema(Database& database);

}  // namespace slipway::store
