#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>

#include "http/server.h"
#include "skill/dispatch.h"
#include "skill/redact.h"

namespace slipway::skill {
namespace {

struct Services {
  http::Server server{http::ServerOptions{}};
  http::Server other{http::ServerOptions{}};
  int port = 0, other_port = 0;
  std::atomic<int> flaky = 0, posts = 0, other_requests = 0, deletes = 0, looped = 0;

  Services() {
    using http::ServerRequest, http::ServerResponse;
    const auto json = [](int status, const char* text) {
      return [=](const ServerRequest&) { return ServerResponse::json(status, text); };
    };
    server.route("GET", "/weather/{place}", [](const ServerRequest& r) {
      return ServerResponse::json(
          200, R"({"place": )" + json::quote(r.params.at("place")) + R"(, "temperature": 7})");
    });
    server.route("GET", "/flaky", [this](const ServerRequest&) {
      return flaky++ == 0 ? ServerResponse::json(500, "{}") : ServerResponse::text(200, "fine");
    });
    server.route("POST", "/post", [this](const ServerRequest&) {
      ++posts;
      return ServerResponse::json(500, R"({"error": {"message": "broken\nfor s3cret"}})");
    });
    server.route("DELETE", "/delete", [this](const ServerRequest&) {
      ++deletes;
      return ServerResponse{204, {}, "", {}};
    });
    server.route("GET", "/bad", [](const ServerRequest& r) {
      return ServerResponse::json(
          422, R"({"detail": "key )" + r.query.at("api_key") + std::string(500, 'x') + "\"}");
    });
    server.route("GET", "/escaped", json(422, R"(["key s3cr\u0065t"])"));
    server.route("GET", "/slow", [](const ServerRequest&) {
      std::this_thread::sleep_for(std::chrono::milliseconds(400));
      return ServerResponse::text(200, "late");
    });
    server.route("GET", "/large", [](const ServerRequest&) {
      return ServerResponse::text(200, std::string(5000, 'x'));
    });
    server.route("GET", "/away", [this](const ServerRequest&) {
      return ServerResponse{
          302,
          {{"Location", "http://127.0.0.1:" + std::to_string(other_port) + "/stolen"}},
          "",
          {}};
    });
    server.route("GET", "/near", [](const ServerRequest&) {
      return ServerResponse{307, {{"Location", "/weather/near"}}, "", {}};
    });
    server.route("GET", "/loop", [this](const ServerRequest&) {
      ++looped;
      return ServerResponse{302, {{"Location", "loop"}}, "", {}};
    });
    server.route("POST", "/moved", [](const ServerRequest&) {
      return ServerResponse{303, {{"Location", "/weather/x"}}, "", {}};
    });
    server.route("GET", "/text", json(200, "not json"));
    other.route("GET", "/stolen", [this](const ServerRequest&) {
      ++other_requests;
      return ServerResponse::text(200, "stolen");
    });
    auto bound = server.start(), other_bound = other.start();
    REQUIRE(bound.ok());
    REQUIRE(other_bound.ok());
    port = *bound;
    other_port = *other_bound;
  }

  std::string origin() const { return "http://127.0.0.1:" + std::to_string(port); }
};

constexpr const char* functions = R"json(
    "get_weather": {"http": {"method": "GET", "path": "/weather/{location}",
      "query": {"api_key": "${KEY}"}}},
    "flaky": {"http": {"method": "GET", "path": "/flaky"}}, "slow": {"http": {"method": "GET",
      "path": "/slow", "timeout_ms": 100}},
    "post": {"permission": "allow", "http": {"method": "POST", "path": "/post",
      "headers": {"X-Key": "${KEY}"}}},
    "remove": {"http": {"method": "DELETE", "path": "/delete"}}, "denied": {"permission": "deny",
      "http": {"method": "GET", "path": "/flaky"}},
    "bad": {"http": {"method": "GET", "path": "/bad", "query": {"api_key": "${KEY}"}}},
    "escaped": {"http": {"method": "GET", "path": "/escaped", "query": {"api_key": "${KEY}"}}},
    "large": {"http": {"method": "GET", "path": "/large", "max_response_bytes": 1000}},
    "away": {"http": {"method": "GET", "path": "/away"}}, "near": {"http": {"method": "GET",
      "path": "/near"}},
    "loop": {"http": {"method": "GET", "path": "/loop"}}, "text": {"http": {"method": "GET",
      "path": "/text"}},
    "moved": {"permission": "allow", "http": {"method": "POST", "path": "/moved"}},
      "unbound": {"permission": "allow"})json";

SkillSet skills_at(const std::string& base_url) {
  std::string tools =
      R"({"function": {"name": "get_weather",
        "parameters": {"properties": {"location": {"type": "string"}},
                      "required": ["location"]}}})";
  for (const char* name : {"flaky", "slow", "post", "remove", "denied", "bad", "escaped", "large",
                           "away", "near", "loop", "text", "moved", "unbound"}) {
    tools += R"(, {"function": {"name": ")" + std::string(name) + "\"}}";
  }
  auto skill = parse_skill(R"({"slipway_skill": 1, "name": "s", "base_url": ")" + base_url +
                           R"(", "tools": [)" + tools + R"(], "functions": {)" + functions + "}}");
  REQUIRE_MESSAGE(skill.ok(), skill.error().to_string());
  SkillSet skills;
  REQUIRE(skills.add(std::move(*skill)).ok());
  return skills;
}

class Fixture {
 public:
  Fixture() : skills(skills_at(services.origin())) {
    options.secrets[services.origin()]["KEY"] = "s3cret";
  }

  Result<Outcome> run(const std::string& function, std::vector<Argument> arguments = {}) {
    const std::lock_guard lock(mutex);
    spans.clear();
    const Tracer tracer("0123456789abcdef0123456789abcdef",
                        [this](SpanRecord span) { spans.push_back(std::move(span)); });
    return Dispatcher(options).dispatch({"s." + function, std::move(arguments)}, skills, tracer,
                                        nullptr, context);
  }
  template <typename T>
  T attribute(const std::string& name) const {
    REQUIRE(spans.size() == 1);
    for (const auto& [key, value] : spans[0].attributes) {
      if (key == name) return std::get<T>(value);
    }
    FAIL("no attribute " << name);
    return {};
  }

  Services services;
  SkillSet skills;
  DispatchOptions options;
  CallContext context;
  std::vector<SpanRecord> spans;
  std::mutex mutex;
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "dispatch: a call is answered, traced, and shows no secret") {
  const auto outcome = run("get_weather", {{"", "new york"}});
  REQUIRE_MESSAGE(outcome.ok(), outcome.error().to_string());
  CHECK(outcome->acted);
  CHECK(outcome->status == 200);
  CHECK(outcome->attempts == 1);
  CHECK(outcome->result.text("place") == "new york");
  CHECK(outcome->url == services.origin() + "/weather/new%20york?api_key=***");
  CHECK(spans.at(0).name == "skill.dispatch");
  CHECK(spans.at(0).ok);
  CHECK(attribute<std::string>("http.url") == outcome->url);
  CHECK(attribute<std::string>("http.method") == "GET");
  CHECK(attribute<int64_t>("http.status") == 200);
  CHECK(attribute<int64_t>("attempts") == 1);
  CHECK(run("text")->result == json::Value("not json"));
}

TEST_CASE("dispatch: a secret goes before a line is cut in it") {
  const std::string key(40, 'k');
  CHECK(bounded_line(std::string(180, 'x') + key, {key}) == std::string(180, 'x') + "***");
  CHECK(bounded_line(std::string(198, 'x') + key, {key}) == std::string(197, 'x') + "...");
}

TEST_CASE_FIXTURE(Fixture, "dispatch: a secret that a service escapes as JSON does is found") {
  const std::vector<std::string> keys{"ab/c&\"é😀"};
  const auto redacted = [&](const std::string& text) { return without_secrets(text, keys); };
  CHECK(redacted(R"({"k": "-ab\/c\u0026\"\u00E9\uD83D\ude00-"})") == R"({"k": "-***-"})");
  CHECK(redacted(R"(ab/c\u0026\"é😀 \u0061b\/c&\"é😀)") == "*** ***");
  for (const std::string kept : {R"(\u0026 \x \u12 ab\/c \ud83d)", R"(\)", R"(a\\b)", ""})
    CHECK(redacted(kept) == kept);
  CHECK(without_secrets(std::string(R"(q\\y)"), {R"(q\y)"}) == "***");
  CHECK(without_secrets(std::string(R"(a\/b)"), {""}) == R"(a\/b)");
  const auto refused = run("escaped");
  REQUIRE(!refused.ok());
  CHECK(refused.error().message().find(R"(answered 422: ["key ***"])") != std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "dispatch: injected arguments stay data") {
  for (const char* text : {"x@evil.example", "\r\nX-Evil: 1", "http://evil.example/", "a/b",
                           "世?x=1#y", "${KEY}", "%2e%2e%2f"}) {
    const auto outcome = run("get_weather", {{"location", text}});
    REQUIRE_MESSAGE(outcome.ok(), text, outcome.error().to_string());
    CHECK(outcome->result.text("place") == text);
  }
  CHECK(run("get_weather", {{"location", "../flaky"}}).error().code() == ErrorCode::invalid_input);
  CHECK(services.flaky == 0);
}

TEST_CASE_FIXTURE(Fixture, "dispatch: retries what may be repeated, and nothing else") {
  const auto flaky = run("flaky");
  REQUIRE_MESSAGE(flaky.ok(), flaky.error().to_string());
  CHECK(flaky->attempts == 2);
  CHECK(flaky->result == json::Value("fine"));
  const auto post = run("post");
  REQUIRE(!post.ok());
  CHECK(post.error().code() == ErrorCode::unavailable);
  CHECK(services.posts == 1);
  CHECK(post.error().message().find("answered 500: broken for ***") != std::string::npos);
  CHECK(!spans.at(0).ok);
  CHECK(attribute<int64_t>("http.status") == 500);
}

TEST_CASE_FIXTURE(Fixture, "dispatch: down, slow, refused, too large") {
  const auto slow = run("slow");
  REQUIRE(!slow.ok());
  CHECK(slow.error().code() == ErrorCode::timeout);
  const auto bad = run("bad");
  REQUIRE(!bad.ok());
  CHECK(bad.error().code() == ErrorCode::invalid_input);
  CHECK(bad.error().message().find("s3cret") == std::string::npos);
  CHECK(bad.error().message().find("422: key ***") != std::string::npos);
  CHECK(bad.error().message().size() < 400);
  CHECK(run("large").error().code() == ErrorCode::exhausted);
  services.server.stop();
  const auto down = run("get_weather", {{"location", "x"}});
  REQUIRE(!down.ok());
  CHECK(down.error().code() == ErrorCode::unavailable);
  CHECK(down.error().to_string().find("s3cret") == std::string::npos);
  CHECK(attribute<int64_t>("attempts") == 3);
  CHECK(attribute<int64_t>("http.status") == 0);
}

TEST_CASE_FIXTURE(Fixture, "dispatch: redirects stay at the origin") {
  const auto away = run("away");
  REQUIRE(!away.ok());
  CHECK(away.error().code() == ErrorCode::permission_denied);
  CHECK(away.error().message().find("redirects to http://127.0.0.1:" +
                                    std::to_string(services.other_port)) != std::string::npos);
  CHECK(services.other_requests == 0);
  const auto near = run("near");
  REQUIRE_MESSAGE(near.ok(), near.error().to_string());
  CHECK(near->result.text("place") == "near");
  options.max_retries = 0;
  CHECK(run("loop").error().code() == ErrorCode::unavailable);
  CHECK(services.looped == 4);
  CHECK(run("moved").error().code() == ErrorCode::unavailable);
}

TEST_CASE_FIXTURE(Fixture, "dispatch: permissions") {
  const auto unasked = run("remove");
  REQUIRE(!unasked.ok());
  CHECK(unasked.error().code() == ErrorCode::permission_denied);
  CHECK(unasked.error().message() == "s.remove needs confirmation");
  std::string asked;
  bool answer = false;
  options.confirm = [&](const Call& call, const Function& function) {
    asked = call.function + " " + function.http.method;
    return answer;
  };
  CHECK(run("remove").error().message() == "s.remove needs confirmation, which was not given");
  CHECK(asked == "s.remove DELETE");
  CHECK(services.deletes == 0);
  answer = true;
  const auto done = run("remove");
  REQUIRE_MESSAGE(done.ok(), done.error().to_string());
  CHECK(done->acted);
  CHECK(done->status == 204);
  CHECK(done->result.is_null());
  CHECK(services.deletes == 1);
  CHECK(run("denied").error().code() == ErrorCode::permission_denied);
  CHECK(services.flaky == 0);
}

TEST_CASE_FIXTURE(Fixture, "dispatch: refused before anything is sent") {
  CHECK(run("unbound").error().code() == ErrorCode::unsupported);
  CHECK(run("unknown").error().code() == ErrorCode::not_found);
  CHECK(run("get_weather").error().code() == ErrorCode::invalid_input);
  options.secrets.clear();
  const auto unbound = run("get_weather", {{"location", "x"}});
  REQUIRE(!unbound.ok());
  CHECK(unbound.error().code() == ErrorCode::permission_denied);
  CHECK(unbound.error().message().find("${KEY}") != std::string::npos);
  CancelSource source;
  source.cancel();
  options.cancel = source.token();
  CHECK(run("flaky").error().code() == ErrorCode::cancelled);
  CHECK(services.flaky == 0);
}

TEST_CASE_FIXTURE(Fixture, "dispatch: one call can be ended alone, also at the question") {
  CancelSource source;
  options.confirm = [&](const Call&, const Function&) {
    source.cancel();
    return false;
  };
  context.cancel = source.token();
  CHECK(run("remove").error().code() == ErrorCode::cancelled);
  CHECK(run("flaky").error().code() == ErrorCode::cancelled);
  CHECK(services.flaky == 0);
  context.cancel = {};
  CHECK(run("flaky").ok());
}

}  // namespace slipway::skill
