#include <doctest/doctest.h>

#include "skill/request.h"

namespace slipway::skill {
namespace {

constexpr const char* file = R"json({
  "slipway_skill": 1, "name": "s", "base_url": "http://api.example.com:8080",
  "tools": [
    {"function": {"name": "get", "parameters": {"type": "object", "required": ["place"],
      "properties": {
      "place": {"type": "string"}, "unit": {"type": "string", "default": "c"},
        "tags": {"type": "array"}, "day": {}}}}},
    {"function": {"name": "list", "parameters": {"properties": {"a": {}, "b": {}}}}},
    {"function": {"name": "put", "parameters": {"properties": {"id": {},
      "n": {"type": "integer"}, "note": {}}}}},
    {"function": {"name": "send", "parameters": {"properties": {"to": {}, "n": {}, "more": {}}}}}
  ],
  "functions": {
    "get": {"http": {"method": "GET", "path": "/p/{place}/now", "headers": {"X-Day": "d {day}",
      "Authorization": "Bearer ${KEY}"},
                     "query": {"unit": "{unit}", "day": "{day}", "tag": "{tags}", "k": "${KEY}"}}},
    "list": {"http": {"method": "GET", "path": "/list"}},
    "put": {"http": {"method": "PUT", "path": "/things/{id}"}},
    "send": {"http": {"method": "POST", "path": "/send", "body": {"to": ["{to}"],
      "text": "to {to}", "n": "{n}", "more": "{more}"}}}
  }
})json";

DispatchOptions with_key() {
  DispatchOptions options;
  options.secrets["http://api.example.com:8080"]["KEY"] = "s3cr&t";
  return options;
}

Result<RenderedRequest> render(const std::string& function, std::vector<Argument> arguments,
                               const DispatchOptions& options = with_key()) {
  auto skill = parse_skill(file);
  REQUIRE_MESSAGE(skill.ok(), skill.error().to_string());
  SkillSet skills;
  REQUIRE(skills.add(std::move(*skill)).ok());
  return render_request({"s." + function, std::move(arguments)}, *skills.find("s." + function),
                        skills.skills()[0], options);
}

std::string url_of(const std::string& function, std::vector<Argument> arguments) {
  const auto rendered = render(function, std::move(arguments));
  return rendered.ok()
             ? rendered->request.url.substr(std::string("http://api.example.com:8080").size())
             : "error: " + rendered.error().message();
}

}  // namespace

TEST_CASE("request: path, query, defaults, lists, absent arguments") {
  CHECK(url_of("get", {{"place", "new york"}}) == "/p/new%20york/now?unit=c&k=s3cr%26t");
  CHECK(url_of(
            "get",
            {{"place", "x"}, {"unit", "f"}, {"day", 3}, {"tags", *json::parse(R"(["a b", 1])")}}) ==
        "/p/x/now?unit=f&day=3&tag=a%20b&tag=1&k=s3cr%26t");
  CHECK(url_of("list", {}) == "/list");
  CHECK(url_of("list", {{"b", true}, {"a", "&"}}) == "/list?a=%26&b=true");
}

TEST_CASE("request: arguments cannot leave their place") {
  CHECK(url_of("get", {{"place", "a/b?c#d@evil"}}).starts_with("/p/a%2Fb%3Fc%23d%40evil/now?"));
  CHECK(url_of("get", {{"place", "http://evil.example/"}})
            .starts_with("/p/http%3A%2F%2Fevil.example%2F/now?"));
  CHECK(url_of("get", {{"place", "\r\nHost: evil"}}).starts_with("/p/%0D%0AHost%3A%20evil/now?"));
  CHECK(url_of("get", {{"place", "／世"}}).starts_with("/p/%EF%BC%8F%E4%B8%96/now?"));
  CHECK(url_of("get", {{"place", "${KEY}{unit}"}}).starts_with("/p/%24%7BKEY%7D%7Bunit%7D/now?"));
  CHECK(url_of("get", {{"place", "%2e%2e"}}).starts_with("/p/%252e%252e/now?"));
  CHECK(url_of("list", {{"a", "1&b=2#x"}}) == "/list?a=1%26b%3D2%23x");
  for (const char* bad : {"..", ".", "../x", "x/../y", "..\\x", "", "a/./b"}) {
    CHECK_MESSAGE(url_of("get", {{"place", bad}}).starts_with("error: "), bad);
  }
  CHECK(url_of("get", {{"place", "x"}, {"day", "1\r\nX-Evil: 1"}})
            .starts_with("error: s.get: header X-Day"));
  CHECK(url_of("put", {}).starts_with("error: s.put, argument 'id'"));
}

TEST_CASE("request: bodies") {
  const auto put = render("put", {{"id", 7}, {"n", 3}, {"note", "x\"y"}});
  REQUIRE(put.ok());
  CHECK(put->request.body == R"({"n":3,"note":"x\"y"})");
  CHECK(*http::find_header(put->request.headers, "content-type") == "application/json");
  const auto send = render("send", {{"to", "ann"}, {"n", 3}});
  REQUIRE(send.ok());
  CHECK(send->request.body == R"({"to":["ann"],"text":"to ann","n":3})");
  CHECK(render("send", {})->request.body == R"({"to":[]})");
}

TEST_CASE("request: secrets only for the origin they are bound to, and never shown") {
  const auto rendered = render("get", {{"place", "x"}});
  REQUIRE(rendered.ok());
  CHECK(*http::find_header(rendered->request.headers, "Authorization") == "Bearer s3cr&t");
  CHECK(rendered->masked_url.find("s3cr") == std::string::npos);
  CHECK(rendered->masked_url.find("k=***") != std::string::npos);

  DispatchOptions other;
  other.secrets["https://api.example.com:443"]["KEY"] = "s3cr&t";
  const auto refused = render("get", {{"place", "x"}}, other);
  REQUIRE(!refused.ok());
  CHECK(refused.error().code() == ErrorCode::permission_denied);
  CHECK(refused.error().message().find("${KEY}") != std::string::npos);
  CHECK(refused.error().hint().find("http://api.example.com:8080") != std::string::npos);

  DispatchOptions broken;
  broken.secrets["http://api.example.com:8080"]["KEY"] = "a\r\nb";
  CHECK(render("get", {{"place", "x"}}, broken).error().code() == ErrorCode::invalid_input);
}

TEST_CASE("request: which addresses a host may resolve to") {
  const auto name = address_policy_for("api.example.com");
  CHECK(name("93.184.216.34"));
  for (const char* inside : {"127.0.0.1", "10.0.0.1", "192.168.1.1", "169.254.169.254", "::1",
                             "fe80::1", "::ffff:10.0.0.1"}) {
    CHECK_MESSAGE(!name(inside), inside);
  }
  CHECK(address_policy_for("localhost")("127.0.0.1"));
  CHECK(address_policy_for("localhost")("::1"));
  CHECK(!address_policy_for("localhost")("10.0.0.1"));
  CHECK(address_policy_for("10.0.0.1")("10.0.0.1"));
  CHECK(!address_policy_for("10.0.0.1")("10.0.0.2"));
  CHECK(!address_policy_for("127.1")("127.0.0.1"));
  CHECK(address_policy_for("::1")("::1"));
}

}  // namespace slipway::skill
