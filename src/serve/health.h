// The routes that machines watch: GET /metrics (Prometheus), /healthz (the process answers) and
// /readyz (it takes requests: 503 while it is draining).
//
//     add_health(server, service);
#pragma once

#include "serve/service.h"

namespace slipway::serve {

void add_health(http::Server& server, Service& service);

}  // namespace slipway::serve
