#include "serve/health.h"

namespace slipway::serve {

void add_health(http::Server& server, Service& service) {
  server.route("GET", "/healthz",
               [](const http::ServerRequest&) { return http::ServerResponse::text(200, "ok\n"); });
  server.route("GET", "/readyz", [&service](const http::ServerRequest&) {
    return service.draining ? http::ServerResponse::text(503, "draining\n")
                            : http::ServerResponse::text(200, "ready\n");
  });
  server.route("GET", "/metrics", [&service](const http::ServerRequest&) {
    http::ServerResponse response;
    response.headers = {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"}};
    response.body = service.metrics->text(service.shelf->use(), service.traces->lost());
    return response;
  });
}

}  // namespace slipway::serve
