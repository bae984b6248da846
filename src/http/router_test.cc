#include "http/router.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

using namespace slipway;
using http::Router;
using http::ServerRequest;
using http::ServerResponse;

namespace {

http::Handler named(std::string name) {
  return [name](const ServerRequest&) { return ServerResponse::text(200, name); };
}

Router sample() {
  Router router;
  router.add("GET", "/runs/{id}", named("run"));
  router.add("DELETE", "/runs/{id}", named("delete"));
  router.add("GET", "/runs/search", named("search"));
  router.add("GET", "/runs/{id}/files/{path*}", named("file"));
  router.add("GET", "/{page*}", named("page"));
  router.add("POST", "/runs/search", named("post search"));
  return router;
}

std::string found(const Router& router, std::string_view method, std::string_view path) {
  const auto match = router.find(method, path);
  REQUIRE(match.ok());
  return match->handler ? (*match->handler)({}).body : "";
}

}  // namespace

TEST_CASE("router: the most specific route of the method wins") {
  const Router router = sample();
  CHECK(found(router, "GET", "/runs/7") == "run");
  CHECK(found(router, "HEAD", "/runs/7") == "run");
  CHECK(found(router, "DELETE", "/runs/search") == "delete");
  CHECK(found(router, "GET", "/runs/search") == "search");
  CHECK(found(router, "POST", "/runs/search") == "post search");
  CHECK(found(router, "GET", "/runs/7/files/a/b") == "file");
  CHECK(found(router, "GET", "/runs/") == "page");  // an empty segment is no parameter
  CHECK(found(router, "GET", "/") == "page");
}

TEST_CASE("router: parameters are decoded after the split") {
  const Router router = sample();
  CHECK(router.find("GET", "/runs/a%2Fb%20c")->params.at("id") == "a/b c");
  CHECK(router.find("GET", "/runs/7/files/a/b%20c/")->params.at("path") == "a/b c/");
  CHECK_FALSE(router.find("GET", "/runs/%zz").ok());
  CHECK_FALSE(router.find("GET", "/runs/%00").ok());
}

TEST_CASE("router: a path without the method lists those it has") {
  const auto match = sample().find("PUT", "/runs/7");
  CHECK(match->handler == nullptr);
  CHECK(match->allowed == std::vector<std::string>{"DELETE", "GET", "HEAD"});
  Router small;
  small.add("GET", "/a", named("a"));
  CHECK(small.find("GET", "/b")->allowed.empty());
  CHECK(small.find("GET", "/a/")->allowed.empty());
}

TEST_CASE("router: queries") {
  const auto query = http::parse_query("a=1&b=x+y%2B&&c&=d&a=2&e=f=g");
  REQUIRE(query.ok());
  const std::vector<std::pair<std::string, std::string>> wanted = {
      {"a", "1"}, {"b", "x y+"}, {"c", ""}, {"", "d"}, {"a", "2"}, {"e", "f=g"}};
  CHECK(*query == wanted);
  CHECK_FALSE(http::parse_query("a=%").ok());
}

TEST_CASE("router: an encoded query is read back") {
  CHECK(rc::check([](const std::string& name, const std::string& value) {
    RC_PRE(name.find('\0') == std::string::npos && value.find('\0') == std::string::npos);
    const auto query =
        http::parse_query(http::percent_encode(name) + "=" + http::percent_encode(value));
    RC_ASSERT(query.ok());
    RC_ASSERT(query->size() == 1);
    RC_ASSERT(query->front() == std::make_pair(name, value));
  }));
}
