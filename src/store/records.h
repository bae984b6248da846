// What the tables have in common: limits on what comes in, JSON in and out of columns, unique
// prefixes of ids. Pure functions, apart from those which take a database.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"
#include "json/value.h"
#include "store/database.h"

namespace slipway::store {

inline constexpr size_t most_key_bytes = 250;
inline constexpr size_t most_text_bytes = size_t{16} << 20;  // of one column
inline constexpr size_t fewest_prefix_characters = 4;

// 1 to 250 bytes. `what` names it in the error: "metric key".
Status check_key(std::string_view what, std::string_view key);
// At most 16 MiB.
Status check_text(std::string_view what, std::string_view text);
// The text of a JSON column. Errors: exhausted when it could not be read back (too large, too
// deep).
Result<std::string> json_text(std::string_view what, const json::Value& value);
Status check_depth(std::string_view what, const json::Value& value);  // as a parser would
Result<json::Value> json_column(const Statement& row, int column);

// Errors: not_found.
Status require_run(Database& database, const std::string& run_id);

// The experiment is there once a run is filed under its name.
Status ensure_experiment(Database& database, const std::string& name, int64_t now_ms);

bool is_hex_prefix(std::string_view text);  // 4 or more lower-case hex characters
// The one id among those that begin with `prefix`; `query` yields up to a few ids in order. Empty:
// none.
Result<std::string> unique_id(Statement& query, std::string_view what, std::string_view prefix);

std::string sha256_bytes(std::string_view bytes);  // 32 raw bytes

}  // namespace slipway::store
