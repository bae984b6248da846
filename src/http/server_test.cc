#include "http/server_fixture_test.h"

#include <atomic>
#include <future>
#include <latch>
#include <random>
#include <stdexcept>
#include <thread>

#include "json/value.h"

using namespace slipway;
using namespace std::string_literals;
using Fixture = http::ServerFixture;
using http::is_status;
using http::RawSocket;
using http::Server;
using http::ServerOptions;
using http::ServerRequest;
using http::ServerResponse;

namespace {

std::string header(const http::Headers& headers, std::string_view name) {
  const std::string* value = http::find_header(headers, name);
  return value ? *value : "(none)";
}

std::string error_code_in(const std::string& body) {
  const auto value = json::parse(body);
  REQUIRE(value.ok());
  const json::Value* error = value->get("error");
  REQUIRE(error != nullptr);
  CHECK_FALSE(error->text("message").empty());
  return error->text("code");
}

size_t count(const std::string& text, std::string_view part) {
  size_t n = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

constexpr std::string_view kHello = "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n";
constexpr std::string_view kLastHello =
    "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

}  // namespace

TEST_CASE("server: the request's parts are decoded") {
  Fixture f;
  ServerRequest seen;
  f.server.route("GET", "/weather/{place}", [&](const ServerRequest& r) {
    seen = r;
    return ServerResponse::json(200, "{}");
  });
  f.start();
  const auto response = f.client.send({.url = f.url("/weather/new%20york?at=7+pm&x=%26&x=2"),
                                       .headers = {{"X-One", "1"}}});
  REQUIRE(response.ok());
  CHECK(header(response->headers, "content-type") == "application/json");
  CHECK(header(response->headers, "x-content-type-options") == "nosniff");
  CHECK(seen.method == "GET");
  CHECK(seen.path == "/weather/new york");
  CHECK(seen.params.at("place") == "new york");
  CHECK(seen.query.at("at") == "7 pm");
  CHECK(seen.query.at("x") == "2");
  CHECK(header(seen.headers, "x-one") == "1");
  CHECK(seen.peer_ip == "127.0.0.1");
}

TEST_CASE("server: refusals are JSON and say what to do") {
  Fixture f;
  f.server.route("GET", "/throws", [](const ServerRequest&) -> ServerResponse {
    throw std::runtime_error("the password is x");
  });
  f.server.route("GET", "/nonsense", [](const ServerRequest&) {
    return ServerResponse{.status = 99};
  });
  f.start();
  const auto missing = f.get("/nowhere");
  CHECK(missing.status == 404);
  CHECK(error_code_in(missing.body) == "not_found");
  const auto method = f.get("/echo");
  CHECK(method.status == 405);
  CHECK(header(method.headers, "allow") == "POST");
  CHECK(error_code_in(method.body) == "unsupported");
  CHECK(f.get("/%zz").status == 400);
  CHECK(f.get("/hello?a=%").status == 400);
  CHECK(f.get("/a%00b").status == 400);
  CHECK(f.get("/nonsense").status == 500);
  const auto thrown = f.get("/throws");
  CHECK(thrown.status == 500);
  CHECK(error_code_in(thrown.body) == "internal");
  CHECK(thrown.body.find("password") == std::string::npos);
  CHECK(f.get("/hello").body == "hello");  // and it lives on
}

TEST_CASE("server: a handler's failure is reported") {
  std::promise<std::string> line;
  Fixture f({.on_failure = [&](const std::string& text) { line.set_value(text); }});
  f.server.route("GET", "/throws", [](const ServerRequest&) -> ServerResponse {
    throw std::runtime_error("reason");
  });
  f.start();
  CHECK(f.get("/throws").status == 500);
  CHECK(line.get_future().get() == "GET /throws: reason");
}

TEST_CASE("server: HEAD, and statuses without a body") {
  Fixture f;
  f.server.route("GET", "/none", [](const ServerRequest&) {
    return ServerResponse{.status = 204, .body = "ignored"};
  });
  f.start();
  const std::string head = f.raw("HEAD /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  CHECK(head.find("Content-Length: 5\r\n") != std::string::npos);
  CHECK(head.ends_with("\r\n\r\n"));
  const std::string none = f.raw("GET /none HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  CHECK(is_status(none, 204));
  CHECK(none.ends_with("\r\n\r\n"));
}

TEST_CASE("server: keep-alive, pipelining, close, HTTP/1.0") {
  Fixture f;
  f.start();
  const std::string three = std::string(kHello) + std::string(kHello) + std::string(kLastHello);
  CHECK(count(f.raw(three), "hello") == 3);
  const std::string closed = f.raw(std::string(kLastHello) + std::string(kHello));
  CHECK(count(closed, "hello") == 1);
  CHECK(closed.find("Connection: close\r\n") != std::string::npos);
  CHECK(count(f.raw("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"), "hello") == 1);
  CHECK(f.raw("GET http://x/hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            .ends_with("\r\n\r\nhello"));
}

TEST_CASE("server: large bodies, sized and chunked") {
  Fixture f;
  f.start();
  std::string body(8 << 20, '\0');
  for (size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 31 >> 3);
  const auto response =
      f.client.send({.method = "POST", .url = f.url("/echo"), .body = body,
                     .max_response_bytes = body.size()});
  REQUIRE(response.ok());
  CHECK((response->body == body));
  CHECK(f.raw("POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
              "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
            .ends_with("\r\n\r\nabcde"));
  const std::string half(300'000, 'h');
  const std::string chunk = "493e0\r\n" + half + "\r\n";
  CHECK(f.raw("POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n" +
              chunk + chunk + "0\r\n\r\n")
            .ends_with("\r\n\r\n" + half + half));
}

TEST_CASE("server: too large") {
  Fixture f({.max_body_bytes = 1000});
  f.start();
  const auto post = [&](size_t size) {
    const auto response =
        f.client.send({.method = "POST", .url = f.url("/echo"), .body = std::string(size, 'x')});
    REQUIRE(response.ok());
    return *response;
  };
  CHECK(post(1000).status == 200);
  CHECK(post(1001).status == 413);
  const auto refused = post(4 << 20);  // most of it is still on its way when the answer comes
  CHECK(refused.status == 413);
  CHECK(error_code_in(refused.body) == "exhausted");
  CHECK(post(10).status == 200);
  const std::string chunk = "3e8\r\n" + std::string(1000, 'x') + "\r\n";
  const std::string chunked = "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
  CHECK(is_status(f.raw(chunked + chunk + chunk), 413));
  const std::string long_text(40'000, 'x');
  CHECK(is_status(f.raw("GET /hello HTTP/1.1\r\nX: " + long_text + "\r\n\r\n"), 431));
  CHECK(is_status(f.raw("GET /" + long_text + " HTTP/1.1\r\n\r\n"), 431));
  const std::string endless(200'000, '1');  // a chunk's size, a trailer
  CHECK(is_status(f.raw(chunked + endless), 431));
  CHECK(is_status(f.raw(chunked + "0\r\nX: " + endless), 431));
}

TEST_CASE("server: many headers that come one by one are too large together") {
  Fixture f;
  f.start();
  RawSocket socket(f.port);
  socket.send("GET /hello HTTP/1.1\r\nConnection: close\r\nX");
  for (int i = 0; i < 64; ++i) {
    socket.send(": " + std::string(1000, 'x') + "\r\nX");
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  socket.send(": x\r\n\r\n");
  CHECK(is_status(socket.read_all(), 431));
}

TEST_CASE("server: Expect: 100-continue") {
  Fixture f({.max_body_bytes = 1000});
  f.start();
  RawSocket socket(f.port);
  socket.send("POST /echo HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n"
              "Connection: close\r\n\r\n");
  CHECK(socket.read_until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
  socket.send("ok");
  CHECK(socket.read_all().ends_with("\r\n\r\nok"));
  CHECK(is_status(f.raw("POST /echo HTTP/1.1\r\nContent-Length: 2000\r\n"
                        "Expect: 100-continue\r\n\r\n"),
                  413));
}

TEST_CASE("server: ambiguous or broken requests are refused") {
  Fixture f;
  f.start();
  const std::string post = "POST /echo HTTP/1.1\r\nHost: x\r\n";
  for (const std::string& bytes :
       {"hello\r\n\r\n"s, "GET /hello\r\n\r\n"s, "GET /hello HTTP/2.0\r\n\r\n"s,
        "GET  /hello HTTP/1.1\r\n\r\n"s, "GET hello HTTP/1.1\r\nConnection: close\r\n\r\n"s,
        "GET /hello HTTP/1.1\r\nX : y\r\n\r\n"s, "\x16\x03\x01\x02\x01\x01\r\n\r\n"s,
        post + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        post + "Content-Length: -1\r\n\r\n", post + "Content-Length: 99999999999999999999\r\n\r\n",
        post + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        post + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
        post + "Transfer-Encoding: gzip\r\n\r\n",
        post + "Transfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
    CAPTURE(bytes);
    CHECK(is_status(f.raw(bytes), 400));
  }
  CHECK(f.get("/hello").status == 200);
}

TEST_CASE("server: random damage to requests never stops it") {
  Fixture f({.max_body_bytes = 1000});
  f.start();
  const std::vector<std::string> seeds = {
      std::string(kHello), "POST /echo?a=b HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody",
      "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"
      "4;x=y\r\nbody\r\n0\r\nTrailer: 1\r\n\r\n"};
  constexpr unsigned seed = 20261124;
  std::mt19937 random(seed);
  const std::string special("\r\n\0 :%;/?0-\xff\t", 14);
  for (int round = 0; round < 400; ++round) {
    CAPTURE(round);
    std::string bytes = seeds[random() % seeds.size()] + seeds[random() % seeds.size()];
    for (unsigned edits = random() % 6 + 1; edits > 0; --edits) {
      const size_t at = random() % bytes.size();
      switch (random() % 4) {
        case 0: bytes[at] = special[random() % special.size()]; break;
        case 1: bytes[at] = static_cast<char>(random()); break;
        case 2: bytes.erase(at, random() % 8); break;
        default: bytes.insert(at, bytes.substr(random() % bytes.size(), random() % 40)); break;
      }
      if (bytes.empty()) bytes = "x";
    }
    RawSocket socket(f.port);
    REQUIRE(socket.connected());
    socket.send(bytes);
    socket.end_sending();
    const std::string answer = socket.read_all();
    CHECK((answer.empty() || answer.starts_with("HTTP/1.1 ")));
  }
  CHECK(f.get("/hello").body == "hello");
}

TEST_CASE("server: header text of a handler cannot start another header") {
  Fixture f;
  f.server.route("GET", "/split", [](const ServerRequest&) {
    auto response = ServerResponse::text(200, "x");
    response.headers.emplace_back("X-A", "1\r\nX-Evil: 2");
    response.headers.emplace_back("Content-Length", "77");
    return response;
  });
  f.start();
  const auto response = f.get("/split");
  CHECK(header(response.headers, "x-evil") == "(none)");
  CHECK(response.body == "x");
}

TEST_CASE("server: a stream arrives in pieces, and the connection lives on") {
  Fixture f;
  f.server.route("GET", "/count", [](const ServerRequest&) {
    ServerResponse response{.headers = {{"Content-Type", "text/event-stream"}}};
    response.next = [n = 0]() mutable -> std::optional<std::string> {
      if (n == 3) return std::nullopt;
      return n++ == 1 ? "" : "data " + std::to_string(n) + "\n";  // an empty piece ends nothing
    };
    return response;
  });
  f.start();
  const auto response = f.get("/count");
  CHECK(response.body == "data 1\ndata 3\n");
  CHECK(header(response.headers, "transfer-encoding") == "chunked");
  CHECK(f.get("/count").body == response.body);
  CHECK(f.raw("GET /count HTTP/1.0\r\n\r\n").ends_with("\r\n\r\ndata 1\ndata 3\n"));
  CHECK(f.raw("HEAD /count HTTP/1.1\r\nConnection: close\r\n\r\n").ends_with("\r\n\r\n"));
}

TEST_CASE("server: the first piece leaves before the second is made") {
  Fixture f;
  std::latch seen{1};
  f.server.route("GET", "/two", [&](const ServerRequest&) {
    ServerResponse response;
    response.next = [&, n = 0]() mutable -> std::optional<std::string> {
      if (n++ == 0) return "first";
      seen.wait();
      return n == 2 ? std::optional<std::string>("second") : std::nullopt;
    };
    return response;
  });
  f.start();
  std::string body;
  const auto read = [&](std::string_view bytes) {
    if (body.empty()) seen.count_down();
    body += bytes;
    return true;
  };
  CHECK(f.client.send({.url = f.url("/two"), .on_body = read}).ok());
  CHECK(body == "firstsecond");
}

TEST_CASE("server: a reader who leaves ends the stream; an exception cuts it") {
  Fixture f;
  std::promise<void> dropped;
  struct OnDrop {
    std::promise<void>* promise;
    ~OnDrop() { promise->set_value(); }
  };
  f.server.route("GET", "/endless", [&](const ServerRequest&) {
    ServerResponse response;
    response.next = [guard = std::make_shared<OnDrop>(&dropped)]() -> std::optional<std::string> {
      return std::string(10'000, 'x');
    };
    return response;
  });
  f.server.route("GET", "/breaks", [](const ServerRequest&) {
    ServerResponse response;
    response.next = [n = 0]() mutable -> std::optional<std::string> {
      if (n++ > 0) throw std::runtime_error("broken");
      return "part";
    };
    return response;
  });
  f.start();
  const auto stop = [](std::string_view) { return false; };
  CHECK(f.client.send({.url = f.url("/endless"), .on_body = stop}).ok());
  dropped.get_future().wait();
  const auto broken = f.client.send({.url = f.url("/breaks")});
  REQUIRE_FALSE(broken.ok());
  CHECK(broken.error().code() == ErrorCode::unavailable);
}

TEST_CASE("server: guards come first, only_hosts keeps web pages out") {
  Fixture f;
  f.server.guard(http::only_hosts({"localhost", "127.0.0.1", "::1"}));
  f.start();
  const auto status = [&](const http::Headers& headers) {
    const auto response = f.client.send({.url = f.url("/hello"), .headers = headers});
    REQUIRE(response.ok());
    return response->status;
  };
  CHECK(status({}) == 200);
  CHECK(status({{"Host", "LOCALHOST:1"}}) == 200);
  CHECK(status({{"Host", "[::1]:80"}}) == 200);
  CHECK(status({{"Host", "evil.example"}}) == 403);
  CHECK(status({{"Host", "localhost.evil.example"}}) == 403);
  CHECK(status({{"Host", "[::1"}}) == 200);
  CHECK(status({{"Host", "["}}) == 403);
  CHECK(status({{"Origin", "http://localhost:5173"}}) == 200);
  CHECK(status({{"Origin", "https://evil.example"}}) == 403);
  CHECK(status({{"Origin", "null"}}) == 403);
  CHECK(is_status(f.raw("GET /nowhere HTTP/1.1\r\nConnection: close\r\n\r\n"), 403));
  // Of a large body nothing is read: the answer does not wait for it.
  RawSocket socket(f.port);
  socket.send("POST /echo HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 1000000\r\n\r\n");
  CHECK(is_status(socket.read_until("\r\n\r\n"), 403));
  RawSocket unreadable(f.port);
  unreadable.send("POST /%zz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n");
  CHECK(is_status(unreadable.read_until("\r\n\r\n"), 400));
}

TEST_CASE("server: silence and half a request end the connection") {
  Fixture f({.idle_timeout_ms = 50});
  f.start();
  for (const char* bytes : {"", "GET /hel", "POST /echo HTTP/1.1\r\nContent-Length: 5\r\n\r\nab"}) {
    CAPTURE(bytes);
    CHECK(f.raw(bytes).empty());
  }
  for (const char* head : {"", "POST /echo HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n"}) {
    RawSocket dripping(f.port);  // one byte at a time does not renew the time
    dripping.send(head);
    std::jthread drip([&](std::stop_token stop) {
      while (!stop.stop_requested()) {
        dripping.send("G");
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
      }
    });
    CHECK(dripping.read_all().empty());
  }
}

TEST_CASE("server: a large body has the time that it takes while it comes") {
  Fixture f({.idle_timeout_ms = 300});
  f.start();
  const std::string piece(64 << 10, 'p');
  RawSocket slow(f.port);
  slow.send("POST /echo HTTP/1.1\r\nConnection: close\r\nContent-Length: 1048576\r\n\r\n" +
            piece);
  for (int i = 1; i < 16; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(40));
    slow.send(piece);
  }
  CHECK(is_status(slow.read_all(), 200));
}

TEST_CASE("server: more connections than allowed are closed") {
  Fixture f({.max_connections = 2});
  f.start();
  RawSocket one(f.port), two(f.port);
  one.send(kHello);
  two.send(kHello);
  CHECK(one.read_until("hello").ends_with("hello"));
  CHECK(two.read_until("hello").ends_with("hello"));
  CHECK(f.raw(kLastHello).empty());
  one.send(kLastHello);
  CHECK(one.read_all().ends_with("hello"));
}

TEST_CASE("server: start says what is wrong") {
  Server first({});
  const auto port = first.start();
  REQUIRE(port.ok());
  CHECK_FALSE(first.start().ok());
  const auto second = Server({.port = *port}).start();
  REQUIRE_FALSE(second.ok());
  CHECK(second.error().code() == ErrorCode::unavailable);
  CHECK(second.error().message().find("127.0.0.1:" + std::to_string(*port)) != std::string::npos);
  CHECK(Server({.address = "here"}).start().error().code() == ErrorCode::invalid_input);
  CHECK(Server({.port = 70'000}).start().error().code() == ErrorCode::invalid_input);
}

TEST_CASE("server: stop lets a running handler finish") {
  Fixture f;
  std::latch entered{1}, release{1};
  f.server.route("GET", "/slow", [&](const ServerRequest&) {
    entered.count_down();
    release.wait();
    return ServerResponse::text(200, "done");
  });
  f.start();
  RawSocket idle(f.port);
  auto answer = std::async(std::launch::async, [&] { return f.get("/slow"); });
  entered.wait();
  auto stopped = std::async(std::launch::async, [&] { f.server.stop(); });
  CHECK(idle.read_all().empty());  // closed: stopping has begun
  release.count_down();
  const auto response = answer.get();
  CHECK(response.body == "done");
  CHECK(header(response.headers, "connection") == "close");
  stopped.get();
  f.server.stop();
  CHECK_FALSE(RawSocket(f.port).connected());
}

TEST_CASE("server: when the grace is over, handlers that stop waits for are told") {
  std::latch told{1}, entered{1};
  Fixture f({.stop_grace_ms = 20, .on_grace_over = [&] { told.count_down(); }});
  f.server.route("GET", "/slow", [&](const ServerRequest&) {
    entered.count_down();
    told.wait();
    return ServerResponse::text(200, "too late");
  });
  f.start();
  RawSocket socket(f.port);
  socket.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
  entered.wait();
  f.server.stop();
  CHECK(told.try_wait());
}

TEST_CASE("server: stop cuts an endless stream when its grace is over") {
  Fixture f({.stop_grace_ms = 20});
  std::latch flowing{1};
  f.server.route("GET", "/endless", [](const ServerRequest&) {
    ServerResponse response;
    response.next = []() -> std::optional<std::string> { return "x"; };
    return response;
  });
  f.start();
  const auto read = [&, first = true](std::string_view) mutable {
    if (std::exchange(first, false)) flowing.count_down();
    return true;
  };
  auto answer = std::async(std::launch::async, [&] {
    return f.client.send({.url = f.url("/endless"),
                          .timeout_ms = 0,
                          .max_response_bytes = SIZE_MAX,
                          .on_body = read});
  });
  flowing.wait();
  f.server.stop();
  CHECK_FALSE(answer.get().ok());
}
