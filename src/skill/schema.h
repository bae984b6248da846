// The subset of JSON Schema in which parameters are described (docs/format/skill.md lists it),
// internal to this layer.
//
//     SLIPWAY_CHECK(check_schema(schema, "tools[0].function.parameters.properties.days"));
//     SLIPWAY_TRY(days, fit_value("3", schema, "argument 'days'"));   // 3, an integer
//
// Pure functions; thread-safe. Depth is bounded by `max_schema_depth`.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "json/value.h"

namespace slipway::skill {

inline constexpr int max_schema_depth = 16;

// A parameter's normaliser, and whether it takes only what was said (skill/said.h); for us alone,
// so no model or client is shown them.
inline constexpr std::string_view normalise_key = "x-slipway-normalise";
inline constexpr std::string_view said_key = "x-slipway-said";

// Refuses what we do not know or cannot honour. `where` is the schema's JSON path, for messages.
Status check_schema(const json::Value& schema, const std::string& where, int depth = 0);

// `value` as the schema wants it, coerced where nothing is lost. Errors: invalid_input "<where>:
// expected ..., got ...".
Result<json::Value> fit_value(const json::Value& value, const json::Value& schema,
                              const std::string& where);

// The names in `type`, or what other keywords imply, and "null" when nullable; empty: any value.
std::vector<std::string> schema_types(const json::Value& schema);

// Inclusive bounds of whole numbers, exclusive ones included.
struct IntegerRange {
  std::optional<int64_t> low, high;
};
IntegerRange integer_range(const json::Value& schema);

// anyOf or oneOf (read as anyOf), or nullptr.
const json::Value* schema_alternatives(const json::Value& schema);
bool accepts_null(const json::Value& schema);

// "an integer between 1 and 7": for messages.
std::string describe_schema(const json::Value& schema);

}  // namespace slipway::skill
