#include "serve/access.h"

#include <sys/stat.h>

#include "base/files.h"
#include "serve/fixture_test.h"

using namespace slipway;
using namespace slipway::serve;

TEST_CASE("a token is made once, for its owner alone") {
  const store::TestFolder folder;
  const auto config = folder.path() + "/config";
  const auto token = stored_token(config);
  REQUIRE(token.ok());
  CHECK(token->size() == 64);
  CHECK(*stored_token(config) == *token);
  struct stat status{};
  REQUIRE(::stat(token_path(config).c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  REQUIRE(::chmod(token_path(config).c_str(), 0644) == 0);
  CHECK(stored_token(config).error().code() == ErrorCode::permission_denied);
  REQUIRE(files::write_atomic(config + "/other/serve-token", "short\n").ok());
  REQUIRE(::chmod((config + "/other/serve-token").c_str(), 0600) == 0);
  CHECK(stored_token(config + "/other").error().code() == ErrorCode::invalid_input);
}

TEST_CASE("loopback is no protection against a web page") {
  Fixture f;
  const auto status = [&](http::Headers headers) {
    headers.emplace_back("Content-Type", "application/json");
    return f
        .send({.method = "POST",
               .url = "/v1/assistant",
               .headers = headers,
               .body = R"({"input": "hello"})"})
        .status;
  };
  CHECK(status({}) == 200);
  CHECK(status({{"Origin", "http://localhost:3000"}}) == 200);
  CHECK(status({{"Origin", "http://evil.example"}}) == 403);
  CHECK(status({{"Origin", "null"}}) == 403);
  CHECK(status({{"Host", "evil.example"}}) == 403);
  f.headers = {{"Content-Type", "text/plain"}};
  CHECK(f.post("/v1/assistant", R"({"input": "hello"})").status == 415);
  f.headers = {{"Content-Type", "Application/JSON; charset=utf-8"}};
  CHECK(f.post("/v1/assistant", R"({"input": "hello"})").status == 200);
}

TEST_CASE("off loopback nothing but the health checks is open without the token") {
  ServerSettings open;
  open.address = "0.0.0.0";
  CHECK(AppServer::start(open).error().code() == ErrorCode::invalid_input);

  Fixture f([](ServerSettings& settings) {
    settings.address = "0.0.0.0";
    settings.token = "a-token-of-some-length";
  });
  CHECK(f.get("/healthz").status == 200);
  CHECK(f.get("/readyz").status == 200);
  const auto refused = f.chat("words", "hello");
  CHECK(refused.status == 401);
  CHECK(*http::find_header(refused.headers, "WWW-Authenticate") == "Bearer");
  CHECK(refused.json().get("error")->text("type") == "authentication_error");
  CHECK(f.get("/metrics").status == 401);
  CHECK(f.get("/nothing").status == 401);
  f.headers.emplace_back("Authorization", "Bearer a-token-of-some-lengtH");
  CHECK(f.chat("words", "hello").status == 401);
  f.headers.back().second = "bearer a-token-of-some-length";
  CHECK(f.chat("words", "hello").status == 200);
  CHECK(f.get("/metrics").status == 200);
  f.headers.emplace_back("Origin", "http://evil.example");
  CHECK(f.chat("words", "hello").status == 403);
  f.headers.back().second = f.server->url();
  CHECK(f.chat("words", "hello").status == 200);
}
