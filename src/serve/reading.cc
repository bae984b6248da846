#include "serve/reading.h"

#include "serve/access.h"
#include "serve/service.h"
#include "serve/ui.h"

namespace slipway::serve {

http::Guard only_reading() {
  return [](const http::ServerRequest& request) -> std::optional<http::ServerResponse> {
    if (request.method == "GET" || request.method == "HEAD") return std::nullopt;
    json::Value body;
    body.set("error", error_json(Error::permission_denied("this server only shows what is there",
                                                          "use GET")));
    auto response = http::ServerResponse::json(405, body.dump());
    response.headers.emplace_back("Allow", "GET, HEAD");
    return response;
  };
}

Result<std::unique_ptr<ReadingServer>> ReadingServer::start(const ReadingSettings& settings) {
  const bool loopback = is_loopback(settings.address);
  if (!loopback && settings.token.empty()) {
    return Error::invalid_input("a server that others can reach needs a token",
                                "set SLIPWAY_TOKEN, or listen on 127.0.0.1");
  }
  http::ServerOptions options;
  options.address = settings.address;
  options.port = settings.port;
  options.on_failure = settings.on_failure;
  auto reading = std::make_unique<ReadingServer>(Private{}, options);
  auto& server = reading->server_;
  for (auto& guard : guards_of({.loopback = loopback, .token = settings.token}))
    server.guard(std::move(guard));
  server.guard(only_reading());
  server.route("GET", "/healthz", [](const http::ServerRequest&) {
    return http::ServerResponse::json(200, R"({"status": "ok", "read_only": true})");
  });
  add_ui(server, {.store = settings.store, .project = settings.project});
  SLIPWAY_TRY(port, server.start());
  const bool v6 = settings.address.find(':') != std::string::npos;
  reading->url_ = "http://" + (v6 ? "[" + settings.address + "]" : settings.address) + ":" +
                  std::to_string(port);
  return reading;
}

}  // namespace slipway::serve
