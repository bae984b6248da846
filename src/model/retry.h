// How long to wait before asking a peer again: exponential backoff with jitter, and the peer's own
// word (Retry-After).
//
//     for (int attempt = 0; attempt < policy.max_attempts; ++attempt) {
//       ... if (!retry_pause(backoff_ms(policy, attempt), cancel)) return Error::cancelled();
//     }
//
// Thread-safe. Source: the "equal jitter" of M. Brooker, "Exponential Backoff And Jitter" (AWS,
// 2015); RFC 9110, 10.2.3.
#pragma once

#include <optional>

#include "base/cancel.h"
#include "http/client.h"

namespace slipway::model {

struct RetryPolicy {
  int max_attempts = 5;      // the first one included
  int first_delay_ms = 250;  // doubles with each attempt
  int max_delay_ms = 8'000;
  int max_asked_ms = 60'000;  // a longer Retry-After is not waited for
};

// Between half and all of the attempt's delay; `attempt` counts from 0.
double backoff_ms(const RetryPolicy& policy, int attempt);

// The Retry-After header, in seconds or as an HTTP date; empty when absent or not readable.
std::optional<double> retry_after_ms(const http::Headers& headers, int64_t now_unix_ms);

// The statuses after which the same request may succeed: 408, 425, 429 and most of 5xx.
bool worth_retrying(int status);

// Sleeps; false when cancelled meanwhile.
bool retry_pause(double ms, const CancelToken& cancel);

}  // namespace slipway::model
