#include "http/client.h"

#include <dlfcn.h>
#include <doctest/doctest.h>
#include <netdb.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <latch>
#include <stdexcept>
#include <thread>

#include "http/raw_socket_test.h"
#include "http/server.h"

using namespace slipway;
using http::RawPeer;
using http::Request;
using http::Server;
using http::ServerRequest;
using http::ServerResponse;

namespace {

std::string header(const http::Headers& headers, std::string_view name) {
  const std::string* value = http::find_header(headers, name);
  return value ? *value : "(none)";
}

// Routes every test uses; `gate` lets a test hold back /slow until it has seen enough.
struct Fixture {
  Fixture() {
    for (const char* method : {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}) {
      server.route(method, "/echo", [this](const ServerRequest& r) {
        ++calls;
        auto response = ServerResponse::text(200, r.method + " " + r.body);
        response.headers.emplace_back("X-Type", header(r.headers, "content-type"));
        response.headers.emplace_back("X-Custom", header(r.headers, "x-custom"));
        return response;
      });
    }
    server.route("GET", "/moved", [](const ServerRequest&) {
      return ServerResponse{.status = 302, .headers = {{"Location", "/echo"}}, .body = "elsewhere"};
    });
    server.route("GET", "/large", [](const ServerRequest&) {
      return ServerResponse::text(200, std::string(100'000, 'x'));
    });
    server.route("GET", "/slow", [this](const ServerRequest&) {
      entered.count_down();
      gate.wait();
      return ServerResponse::text(200, "late");
    });
    port = *server.start();
  }
  std::string url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(port) + path;
  }
  Result<http::Response> send(Request request) { return client.send(request); }

  std::atomic<int> calls = 0;
  std::latch entered{1};
  std::latch gate{1};
  Server server{{.threads = 4}};
  http::Client client;
  int port = 0;
};

ErrorCode code_of(const Result<http::Response>& response) {
  REQUIRE_FALSE(response.ok());
  return response.error().code();
}

// Of "slow-name.example", which takes ten seconds unless they are let go.
struct Lookups {
  std::atomic<int> begun = 0, ended = 0;
  std::atomic<bool> let_go = false;

  int wait() {
    ++begun;
    for (int i = 0; i < 1000 && !let_go; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    ++ended;
    return EAI_NONAME;
  }
} lookups;

}  // namespace

// In this program it stands before that of the C library.
extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints,
                           addrinfo** found) {
  if (node && std::string_view(node) == "slow-name.example") return lookups.wait();
  static const auto next =
      reinterpret_cast<decltype(&::getaddrinfo)>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  return next(node, service, hints, found);
}

TEST_CASE("client: methods, bodies and headers arrive as given") {
  Fixture f;
  for (const char* method : {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}) {
    for (const char* body : {"", "hello"}) {
      const auto response = f.send({.method = method,
                                    .url = f.url("/echo"),
                                    .headers = {{"X-Custom", "a b"}},
                                    .body = body});
      REQUIRE(response.ok());
      CHECK(response->status == 200);
      CHECK(response->body == std::string(method) + " " + body);
      CHECK(header(response->headers, "x-custom") == "a b");
      CHECK(header(response->headers, "X-TYPE") == "(none)");
    }
  }
  const auto head = f.send({.method = "HEAD", .url = f.url("/large")});
  REQUIRE(head.ok());
  CHECK(head->body.empty());
  CHECK(header(head->headers, "Content-Length") == "100000");
}

TEST_CASE("client: what HTTP cannot carry is refused before anything is sent") {
  Fixture f;
  CHECK(code_of(f.send({.method = "GET /x", .url = f.url("/echo")})) == ErrorCode::invalid_input);
  CHECK(code_of(f.send({.method = "", .url = f.url("/echo")})) == ErrorCode::invalid_input);
  CHECK(code_of(f.send({.url = "ftp://127.0.0.1/"})) == ErrorCode::invalid_input);
  for (const auto& bad : http::Headers{{"X", "a\r\nY: b"}, {"X\n", "a"}, {"", "a"}, {"X Y", "a"}}) {
    CHECK(code_of(f.send({.url = f.url("/echo"), .headers = {bad}})) == ErrorCode::invalid_input);
  }
  CHECK(f.calls == 0);
}

TEST_CASE("client: a redirect is returned, not followed") {
  Fixture f;
  const auto response = f.send({.url = f.url("/moved")});
  REQUIRE(response.ok());
  CHECK(response->status == 302);
  CHECK(header(response->headers, "location") == "/echo");
  CHECK(response->body == "elsewhere");
  CHECK(f.calls == 0);
}

TEST_CASE("client: proxy variables are not read") {
  Fixture f;
  for (const char* name : {"http_proxy", "all_proxy", "ALL_PROXY"}) {
    setenv(name, "http://127.0.0.1:1", 1);
  }
  const auto response = f.send({.url = f.url("/echo")});
  for (const char* name : {"http_proxy", "all_proxy", "ALL_PROXY"}) unsetenv(name);
  REQUIRE(response.ok());
  CHECK(response->status == 200);
}

TEST_CASE("client: a refused connection names host and port, not the query") {
  int port = 0;
  {
    Server server({});
    port = *server.start();
  }
  http::Client client;
  const std::string peer = "127.0.0.1:" + std::to_string(port);
  const auto response = client.send({.url = "http://" + peer + "/x?api_key=secret"});
  CHECK(code_of(response) == ErrorCode::unavailable);
  CHECK(response.error().message() == "cannot connect to " + peer + ": Connection refused");
  CHECK_FALSE(response.error().hint().empty());
}

TEST_CASE("client: a host name that does not exist") {
  http::Client client;
  const auto response = client.send({.url = "http://no-such-host.invalid/", .timeout_ms = 8'000});
  CHECK_FALSE(response.ok());  // unavailable; timeout where the resolver itself hangs
}

TEST_CASE("client: who has no more time does not wait for a name to be looked up") {
  http::Client client;
  const Request request{.url = "http://slow-name.example/", .timeout_ms = 100};
  const auto late = client.send(request);
  if (lookups.begun == 0) {
    MESSAGE("SKIPPED: this libcurl looks names up by itself");
    return;
  }
  CHECK(code_of(late) == ErrorCode::timeout);
  CHECK(lookups.ended == 0);
  CancelSource source;
  std::jthread canceller([&](const std::stop_token& stop) {
    while (lookups.begun < 2 && !stop.stop_requested()) std::this_thread::yield();
    source.cancel();
  });
  const auto stopped = client.send({.url = request.url, .cancel = source.token()});
  CHECK(code_of(stopped) == ErrorCode::cancelled);
  CHECK(lookups.ended == 0);
  lookups.let_go = true;
  while (lookups.ended < lookups.begun) std::this_thread::yield();
}

TEST_CASE("client: https to a plain port is a clear error") {
  Fixture f;
  const auto response = f.send({.url = "https://127.0.0.1:" + std::to_string(f.port) + "/"});
  CHECK(code_of(response) == ErrorCode::unavailable);
  CHECK(response.error().message().find("TLS") != std::string::npos);
}

TEST_CASE("client: timeout") {
  Fixture f;
  const auto response = f.send({.url = f.url("/slow"), .timeout_ms = 100});
  f.gate.count_down();
  CHECK(code_of(response) == ErrorCode::timeout);
  CHECK(response.error().message().find("within 100 ms") != std::string::npos);
  CHECK(f.send({.url = f.url("/echo")}).ok());  // and the client is as good as new
}

TEST_CASE("client: cancel ends a request in flight") {
  Fixture f;
  CancelSource source;
  std::jthread canceller([&] {
    f.entered.wait();
    source.cancel();
  });
  CHECK(code_of(f.send({.url = f.url("/slow"), .cancel = source.token()})) ==
        ErrorCode::cancelled);
  f.gate.count_down();
  CHECK(code_of(f.send({.url = f.url("/echo"), .cancel = source.token()})) ==
        ErrorCode::cancelled);
  CHECK(f.calls == 0);
}

TEST_CASE("client: the response limit") {
  Fixture f;
  CHECK(f.send({.url = f.url("/large"), .max_response_bytes = 100'000})->body.size() == 100'000);
  CHECK(code_of(f.send({.url = f.url("/large"), .max_response_bytes = 99'999})) ==
        ErrorCode::exhausted);
  const auto ignore = [](std::string_view) { return true; };
  const Request piecewise{
      .url = f.url("/large"), .max_response_bytes = 99'999, .on_body = ignore};
  CHECK(code_of(f.send(piecewise)) == ErrorCode::exhausted);
}

TEST_CASE("client: on_body receives all, may stop, may fail") {
  Fixture f;
  size_t received = 0;
  const auto all = f.send({.url = f.url("/large"), .on_body = [&](std::string_view bytes) {
                             received += bytes.size();
                             return true;
                           }});
  REQUIRE(all.ok());
  CHECK(all->body.empty());
  CHECK(received == 100'000);

  int calls = 0;
  const auto stopped = f.send({.url = f.url("/large"), .on_body = [&](std::string_view) {
                                 ++calls;
                                 return false;
                               }});
  REQUIRE(stopped.ok());
  CHECK(stopped->status == 200);
  CHECK(calls == 1);

  const auto threw = f.send({.url = f.url("/large"), .on_body = [](std::string_view) -> bool {
                               throw std::runtime_error("no room");
                             }});
  CHECK(code_of(threw) == ErrorCode::internal);
}

TEST_CASE("client: the address policy decides, also on a kept-alive connection") {
  Fixture f;
  const http::AddressPolicy no_private = [](const std::string& ip) {
    return !http::is_private_address(ip);
  };
  const std::string by_name = "http://localhost:" + std::to_string(f.port) + "/echo";
  for (const std::string& url : {f.url("/echo"), by_name}) {
    const auto refused = f.send({.url = url, .address_policy = no_private});
    CHECK(code_of(refused) == ErrorCode::permission_denied);
    CHECK(f.calls == 0);
  }
  REQUIRE(f.send({.url = f.url("/echo")}).ok());
  CHECK(code_of(f.send({.url = f.url("/echo"), .address_policy = no_private})) ==
        ErrorCode::permission_denied);
  CHECK(f.calls == 1);
}

TEST_CASE("client: connections are kept alive") {
  Fixture f;
  int asked = 0;
  const http::AddressPolicy count = [&](const std::string& ip) {
    ++asked;
    return ip == "127.0.0.1";
  };
  REQUIRE(f.send({.url = f.url("/echo"), .address_policy = count}).ok());
  CHECK(asked == 2);  // when the socket opened, before the request
  REQUIRE(f.send({.url = f.url("/echo"), .address_policy = count}).ok());
  CHECK(asked == 3);  // no socket was opened
}

TEST_CASE("client: 200 requests at once") {
  Fixture f;
  std::atomic<int> good = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 200; ++i) {
      threads.emplace_back([&, i] {
        const std::string body = "request " + std::to_string(i);
        const auto response = f.send({.method = "POST", .url = f.url("/echo"), .body = body});
        if (response.ok() && response->body == "POST " + body) ++good;
      });
    }
  }
  CHECK(good == 200);
  CHECK(f.calls == 200);
}

TEST_CASE("client: peers that break the protocol") {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  for (const std::string& answer :
       {std::string(), std::string("hello\r\n\r\n"), ok + "Content-Length: 10\r\n\r\nabc",
        ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nab",
        ok + "Transfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
    CAPTURE(answer);
    RawPeer peer(answer);
    http::Client client;
    const auto response = client.send({.url = peer.url()});
    CHECK(code_of(response) == ErrorCode::unavailable);
    CHECK(response.error().message().find(std::to_string(peer.port())) != std::string::npos);
  }
}

TEST_CASE("client: headers without end are cut off") {
  std::string answer = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 400; ++i) answer += "X: " + std::string(1000, 'x') + "\r\n";
  RawPeer peer(answer + "\r\n");
  http::Client client;
  CHECK(code_of(client.send({.url = peer.url()})) == ErrorCode::exhausted);
}

TEST_CASE("client: an interim response leaves no trace, the path is sent as it is") {
  RawPeer peer("HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\nHTTP/1.1 200 OK\r\nX-Late: 2\r\n"
               "Content-Length: 2\r\n\r\nok");
  http::Client client;
  const auto response =
      client.send({.url = peer.url("/a/../%2e?q=1#f"), .headers = {{"X-Empty", ""}}});
  REQUIRE(response.ok());
  CHECK(response->body == "ok");
  CHECK(header(response->headers, "x-early") == "(none)");
  CHECK(header(response->headers, "x-late") == "2");
  CHECK(peer.request().starts_with("GET /a/../%2e?q=1 HTTP/1.1\r\n"));
  CHECK(peer.request().find("X-Empty:\r\n") != std::string::npos);
}
