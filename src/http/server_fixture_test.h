// For the tests of the server: one with two routes, asked through a client or with raw bytes.
//
//     ServerFixture f({.max_body_bytes = 1000});
//     f.start();
//     f.get("/hello").body;
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <utility>

#include "http/client.h"
#include "http/raw_socket_test.h"
#include "http/server.h"

namespace slipway::http {

inline bool is_status(const std::string& answer, int status) {
  return answer.starts_with("HTTP/1.1 " + std::to_string(status) + " ");
}

struct ServerFixture {
  explicit ServerFixture(ServerOptions options = {}) : server(std::move(options)) {
    server.route("POST", "/echo", [](const ServerRequest& r) {
      return ServerResponse::text(200, r.body);
    });
    server.route("GET", "/hello", [](const ServerRequest&) {
      return ServerResponse::text(200, "hello");
    });
  }
  void start() {
    const auto started = server.start();
    REQUIRE(started.ok());
    port = *started;
  }
  http::Response get(const std::string& path, const std::string& method = "GET") {
    const auto response = client.send({.method = method, .url = url(path)});
    REQUIRE(response.ok());
    return *response;
  }
  std::string url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(port) + path;
  }
  // The answer to raw bytes, until the server closes.
  std::string raw(std::string_view bytes) const {
    RawSocket socket(port);
    socket.send(bytes);
    return socket.read_all();
  }

  Server server;
  http::Client client;
  int port = 0;
};

}  // namespace slipway::http
