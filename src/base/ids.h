// Random ids in lower-case hex: a few characters already name a run, which time-ordered ids would
// not allow. Records carry their own times. Thread-safe.
#pragma once

#include <string>

namespace slipway {

std::string new_run_id();    // 32 hex characters, 128 random bits
std::string new_trace_id();  // 32, never all zero (OpenTelemetry's rule)
std::string new_span_id();   // 16, never all zero

}  // namespace slipway
