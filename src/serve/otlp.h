// OpenTelemetry's traces over HTTP: POST /v1/traces, protobuf or JSON, gzip or not, into the
// store's spans.
//
//     add_otlp(server, service);
//     SLIPWAY_TRY(batch, decode_otlp_protobuf(body));    // what was unfit is counted
//
// An answer of 200 means that the spans are on disk; what was unfit is told in partial_success.
// What a span of ours has no member for becomes attributes: `otel.kind`, `otel.trace_state`,
// `otel.scope.name`, `otel.scope.version`, `resource.*`; lists, maps, events and links as JSON.
// Decoding takes any bytes; pure. Source: OTLP 1.x, opentelemetry-proto.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/tracer.h"
#include "serve/service.h"

namespace slipway::serve {

inline constexpr size_t most_otlp_bytes = size_t{64} << 20;  // also unpacked

inline constexpr size_t most_shared_bytes = 4 * most_otlp_bytes;
inline constexpr size_t most_otlp_elements = 1'000'000;

struct OtlpBatch {
  std::vector<SpanRecord> spans;
  int64_t rejected = 0;     // without their ids, or beyond most_shared_bytes
  size_t shared_bytes = 0;  // of what resources and scopes say, which every span of theirs holds
  // Resources, scopes, spans, attributes, events, links, members of lists and maps: an empty one
  // takes two bytes on the wire and a hundred here.
  size_t elements = 0;
};

// Errors: invalid_input, also beyond most_otlp_elements.
Result<OtlpBatch> decode_otlp_protobuf(std::string_view body);
Result<OtlpBatch> decode_otlp_json(std::string_view body);
// Errors: invalid_input; exhausted above `most_bytes`.
Result<std::string> gunzip(std::string_view bytes, size_t most_bytes);

void add_otlp(http::Server& server, Service& service);

}  // namespace slipway::serve
