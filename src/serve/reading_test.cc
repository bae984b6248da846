#include "serve/reading.h"

#include <doctest/doctest.h>

#include "http/client.h"

namespace slipway::serve {
namespace {

TEST_CASE("a reading server answers GET and nothing else") {
  auto server = ReadingServer::start({.store = nullptr, .project = "lab"});
  REQUIRE(server.ok());
  const auto url = (*server)->url() + "/healthz";
  CHECK(http::Client().send({.url = url})->status == 200);
  for (const std::string method : {"POST", "PUT", "PATCH", "DELETE"}) {
    const auto refused = http::Client().send({.method = method, .url = url, .body = "{}"});
    REQUIRE(refused.ok());
    CHECK(refused->status == 405);
  }
  const auto foreign = http::Client().send({.url = url, .headers = {{"Host", "evil.example"}}});
  REQUIRE(foreign.ok());
  CHECK(foreign->status == 403);
  (*server)->stop();
}

TEST_CASE("off loopback it wants a token") {
  CHECK_FALSE(ReadingServer::start({.store = nullptr, .address = "0.0.0.0"}).ok());
}

}  // namespace
}  // namespace slipway::serve
