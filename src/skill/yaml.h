// YAML 1.2 (core schema) as our JSON value: for OpenAPI documents; internal to this layer.
//
//     SLIPWAY_TRY(document, parse_yaml(text));    // {"openapi": "3.0.3", ...}
//
// One document. Keys become texts. Refused by name: tags of one's own, merge keys (<<), infinities,
// duplicate keys. Bounded, aliases counted as what they stand for: 8 MiB, 500,000 values, 64 MiB of
// text, depth 64. Pure; thread-safe. Errors carry line and column; the reader is yaml-cpp.
#pragma once

#include <string_view>

#include "base/result.h"
#include "json/value.h"

namespace slipway::skill {

inline constexpr size_t max_document_bytes = 8 << 20;

Result<json::Value> parse_yaml(std::string_view text);

}  // namespace slipway::skill
