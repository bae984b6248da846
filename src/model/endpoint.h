// Model over an OpenAI-compatible endpoint: what open_endpoint of model/model.h returns, with the
// retries in the caller's hand.
//
//     SLIPWAY_TRY(model, open_endpoint({.endpoint_url = "http://127.0.0.1:8080/v1",
//                                       .endpoint_model = "qwen"}, {}));
//     SLIPWAY_TRY(answer, model->complete({.messages = {{"user", "hello"}},
//                                          .timeout_ms = 30'000}));
//
// Each request is POST <url>/chat/completions, streamed. A constraint cannot be enforced from here,
// so Request.constraint is ignored and the answer is free text; ModelInfo says so by its kind,
// "endpoint". Refused connections, 429 (with its Retry-After) and 5xx are tried again within
// Request.timeout_ms (without one: ten minutes per attempt); an answer that breaks off is tried
// again as long as none of it went to on_text. A cancelled request is an Error, cancelled. The key
// goes into the Authorization header and nowhere else. Thread-safe. Errors: permission_denied
// (key), not_found (model, URL), invalid_input, timeout, unavailable, cancelled.
#pragma once

#include "model/model.h"
#include "model/retry.h"

namespace slipway::model {

Result<std::shared_ptr<Model>> open_endpoint(const OpenOptions& options, const RetryPolicy& policy);

}  // namespace slipway::model
