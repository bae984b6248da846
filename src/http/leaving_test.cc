#include <atomic>
#include <future>
#include <latch>
#include <thread>

#include "http/server_fixture_test.h"

namespace slipway::http {
namespace {

TEST_CASE("server: a peer who leaves is seen while the handler runs, one who stays is not gone") {
  ServerFixture f;
  std::latch entered{2};
  std::promise<bool> left, left_stream;
  const auto wait_for_leaving = [&](const ServerRequest& r, std::promise<bool>& seen) {
    entered.count_down();
    for (int i = 0; i < 1000 && !r.left.cancelled(); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    seen.set_value(r.left.cancelled());
  };
  f.server.route("GET", "/whole", [&](const ServerRequest& r) {
    wait_for_leaving(r, left);
    return ServerResponse::text(200, "nobody reads this");
  });
  f.server.route("GET", "/silent", [&](const ServerRequest& r) {
    ServerResponse response;
    response.next = [&, r]() -> std::optional<std::string> {
      wait_for_leaving(r, left_stream);
      return std::nullopt;
    };
    return response;
  });
  std::atomic<int> gone{0};
  f.server.route("GET", "/here", [&](const ServerRequest& r) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    gone += r.left.cancelled();
    return ServerResponse::text(200, "here");
  });
  f.start();
  {
    RawSocket whole(f.port), silent(f.port);
    whole.send("GET /whole HTTP/1.1\r\nHost: x\r\n\r\n");
    silent.send("GET /silent HTTP/1.1\r\nHost: x\r\n\r\n");
    entered.wait();
  }
  CHECK(left.get_future().get());
  CHECK(left_stream.get_future().get());

  RawSocket stays(f.port);
  const std::string here = "GET /here HTTP/1.1\r\nHost: x\r\n\r\n";
  stays.send(here);
  CHECK(stays.read_until("\r\n\r\nhere").ends_with("here"));
  stays.send(here + here);  // while the first is answered, the second waits
  stays.send("GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::string rest = stays.read_all();
  CHECK(rest.find("\r\n\r\nhere") != rest.rfind("\r\n\r\nhere"));
  CHECK(rest.ends_with("hello"));
  CHECK(gone == 0);
}

}  // namespace
}  // namespace slipway::http
