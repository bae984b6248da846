// The payloads of metric_chunks and span_chunks (docs/format/store.md#chunks): bytes in, values
// out, no database.
//
//     std::string bytes = encode_points({{0, 1'700'000'000'000, 0.42}});
//     SLIPWAY_TRY(points, decode_points(bytes));
//
// Any value survives, NaN with its bits too. Decoding takes any bytes. Pure; thread-safe. Errors:
// corrupt.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/tracer.h"
#include "json/value.h"

namespace slipway::store {

struct Point {
  int64_t step = 0;
  int64_t unix_ms = 0;
  double value = 0;
};

// Sorted by step, time and the bits of the value; what is equal in all three is one point.
void sort_unique(std::vector<Point>& points);

inline constexpr size_t most_points_per_chunk = 4096;
std::string encode_points(const std::vector<Point>& points);
Result<std::vector<Point>> decode_points(std::string_view bytes);

inline constexpr size_t most_spans_per_chunk = 512;
std::string encode_spans(const std::vector<SpanRecord>& spans);
Result<std::vector<SpanRecord>> decode_spans(std::string_view bytes);
// A span as in a line of the payload.
json::Value span_json(const SpanRecord& span);
Result<SpanRecord> span_of(const json::Value& value);

}  // namespace slipway::store
