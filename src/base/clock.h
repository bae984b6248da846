// Wall time for records, steady time for durations. Thread-safe.
#pragma once

#include <cstdint>
#include <string>

namespace slipway {

int64_t now_unix_ns();
int64_t now_unix_ms();
double steady_ms();  // for differences only

std::string iso8601_utc(int64_t unix_ms);  // "2026-11-24T18:00:52.123Z"

}  // namespace slipway
