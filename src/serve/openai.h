// The routes of the OpenAI API: POST /v1/chat/completions, whole or streamed, and GET /v1/models.
//
//     add_openai(server, service);
//
// docs/serve.md is the promise. The candidate that is asked for decides prompt, functions and
// decoding; the request may change the decoding and bring functions of its own. Calls are given to
// the client, never made here (serve/assistant.h makes them).
#pragma once

#include "serve/service.h"

namespace slipway::serve {

void add_openai(http::Server& server, Service& service);

}  // namespace slipway::serve
