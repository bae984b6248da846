// The routes of the assistant: POST /v1/assistant (a text in; the call made, the reply out) and
// POST /v1/feedback (what was right, on the trace of an answer).
//
//     add_assistant(server, service);
//
// docs/serve.md is the promise. A function of permission `confirm` is called only when the request
// says `"confirmed": true`, which the client does when its person has agreed.
#pragma once

#include "candidate/assistant.h"
#include "json/value.h"
#include "serve/service.h"

namespace slipway::serve {

void add_assistant(http::Server& server, Service& service);

// A turn as programs read it: reply, acted, output, calls, trace_id, latency_ms; `ask --json`
// prints the same.
json::Value turn_json(const candidate::Turn& turn);

}  // namespace slipway::serve
