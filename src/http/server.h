// The HTTP server seam: a router of handlers over Boost.Beast coroutines.
//
//     http::Server server({.port = 8765});
//     server.guard(http::only_hosts({"localhost", "127.0.0.1"}));
//     server.route("GET", "/weather/{location}", [](const http::ServerRequest& r) {
//       return http::ServerResponse::json(200, R"({"temperature": 7})"); });
//     auto port = server.start();        // binds, then serves in the background
//     server.stop();                     // stops accepting, finishes what runs, joins
//
// One thread does all network work; `threads` others run the handlers, several at once, and a
// handler may block its thread. guard() and route() come before start(). start and stop belong to
// one thread, which is no handler's. A handler that throws becomes a 500.
//
// The server itself answers, as {"error": {"code", "message", "hint"}}: 400 malformed, 404, 405
// with Allow, 413 body and 431 headers too large, 500. HEAD is answered by the GET route. The head
// of a request, its body, and each piece of an answer have idle_timeout_ms each, the body a second
// more for every 32 KB of it that have come.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "base/result.h"
#include "http/client.h"

namespace slipway::http {

struct ServerRequest {
  std::string method;
  std::string path;                           // decoded
  std::map<std::string, std::string> params;  // from {name} in the route, decoded
  std::map<std::string, std::string> query;   // decoded; of a repeated name, the last
  std::vector<std::pair<std::string, std::string>> query_pairs;  // all of them, in order
  Headers headers;
  std::string body;
  std::string peer_ip;
  // Cancelled when the peer is seen to leave while the handler or `next` runs. One that only ends
  // its own sending counts as gone, though what the handler returns is still sent.
  CancelToken left;
};

struct ServerResponse {
  int status = 200;
  Headers headers;  // length, chunking and connection are the server's business
  std::string body;
  // When set, the body is streamed in chunks until it returns nullopt (server-sent events). Each
  // call runs like a handler. If the reader leaves, no further call is made and `next` is
  // destroyed, on a handler's thread. An exception cuts the connection: the reader sees an
  // incomplete body.
  std::function<std::optional<std::string>()> next;

  static ServerResponse json(int status, std::string body);
  static ServerResponse text(int status, std::string body);
  static ServerResponse error(const Error& error);  // status by http_status(code)
  static ServerResponse error(int status, const Error& error);
};

using Handler = std::function<ServerResponse(const ServerRequest&)>;
// Looks at the head of every request before its route does, of one with a large body before that is
// read: on the network's thread, so it never blocks. A response ends the matter.
using Guard = std::function<std::optional<ServerResponse>(const ServerRequest&)>;

// Refuses (403) a request whose Host, or whose Origin if it has one, is not one of these host
// names; ports are not compared. This keeps web pages out of a loopback server (DNS rebinding).
Guard only_hosts(std::vector<std::string> hosts);

struct ServerOptions {
  std::string address = "127.0.0.1";
  int port = 0;                      // 0: the system chooses
  int threads = 8;                   // most handlers at once
  size_t max_body_bytes = 16 << 20;  // 413 beyond
  // Paths that begin so take larger bodies; the first that fits counts.
  std::vector<std::pair<std::string, size_t>> larger_bodies;
  int idle_timeout_ms = 60'000;
  int max_connections = 4096;  // then new ones are closed at once
  int stop_grace_ms = 5'000;   // stop() then cuts the connections still busy
  // Called then, on the network's thread, so that handlers end which stop() waits for.
  std::function<void()> on_grace_over;
  // Receives one line per failed handler; called on handlers' threads.
  std::function<void(const std::string& line)> on_failure;
};

class Server {
 public:
  explicit Server(ServerOptions options);
  ~Server();  // stops
  // A segment {name} matches one path segment; {name*}, as the last, matches all that follow, and
  // its decoded value may hold "..": never use it as a file path unchecked. A literal segment wins
  // over a {name}, whatever the order of registration.
  void route(std::string method, std::string pattern, Handler handler);
  void guard(Guard guard);
  // The port. Errors: invalid_input (address), unavailable (address in use), with what to do.
  Result<int> start();
  void stop();  // waits for running handlers; a second call does nothing

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipway::http
