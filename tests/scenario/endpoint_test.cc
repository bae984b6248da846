// A model behind an endpoint that is down, refuses, is busy or dies.
#include <doctest/doctest.h>

#include <atomic>

#include "project.h"

using namespace slipway;
using namespace slipway::scenario;

namespace {

Peer::Script answers(int status, std::string body) {
  return [status, body = std::move(body)](const http::ServerRequest&, int) {
    return json_answer(status, body);
  };
}

}  // namespace

TEST_CASE("an endpoint that is down is unavailable") {
  Fixture f(says("none()"), weather_service());
  const auto dead = "http://127.0.0.1:" + std::to_string(closed_port());
  f.box.replace("slipway.toml", f.model.url(), dead);
  check_refused(f.box.run({"ask", "boston"}), exits::unavailable, {dead.substr(7)});
  check_refused(f.box.run({"eval"}), exits::unavailable, {dead.substr(7), "row "});
  const auto records = f.records();
  CHECK(records.text("SELECT status FROM runs WHERE kind = 'ask'") == "failed");
  f.check_sound();
}

TEST_CASE("an endpoint that refuses says whose configuration to look at") {
  Fixture f(answers(401, R"({"error": {"message": "bad key"}})"), weather_service());
  check_refused(f.box.run({"ask", "boston"}), exits::not_permitted,
                {"401", "bad key", "key", "configuration"});
  f.check_sound();
}

TEST_CASE("an endpoint without that model says how to list them") {
  Fixture f(answers(404, R"({"error": {"message": "no model"}})"), weather_service());
  check_refused(f.box.run({"ask", "boston"}), exits::not_found, {"scripted", "/models"});
}

TEST_CASE("an endpoint that does not speak the protocol is named") {
  Fixture f(answers(200, "<html>hello</html>"), weather_service());
  check_refused(f.box.run({"ask", "boston"}), exits::unavailable,
                {"not a chat completion", "OpenAI-compatible"});
}

TEST_CASE("another model takes none of the adapters that were made for the candidate's own") {
  Fixture f(says("weather.get_weather(location='boston')"), weather_service());
  f.box.replace("slipway.toml", "[candidates.plain]\n",
                "[candidates.plain]\nadapters = [\"adapters/own.gguf\"]\n");
  f.box.write("adapters/own.gguf", "GGUF");
  check_refused(f.box.run({"ask", "boston"}), exits::bad_input, {"adapter", "'fake'"});
  CHECK(f.box.run({"ask", "--model", "fake", "boston"}).exit_code == exits::ok);
  check_refused(f.box.run({"ask", "--model", "fake", "--adapter", "adapters/own.gguf", "boston"}),
                exits::bad_input, {"adapter", "'fake'"});
}

TEST_CASE("a busy endpoint is asked again") {
  Fixture f(
      [](const http::ServerRequest&, int nth) {
        return nth == 0 ? json_answer(429, R"({"error": {"message": "slow down"}})")
                        : completion("weather.get_weather(location='boston')");
      },
      weather_service());
  const int before = f.model.count();
  const auto turn = f.box.run({"ask", "boston"});
  CHECK(turn.exit_code == exits::ok);
  CHECK(turn.err.empty());
  CHECK(f.model.count() - before == 2);
  CHECK(f.service.count() == 1);
}

TEST_CASE("an evaluation that loses its endpoint continues with the rows that are left") {
  std::atomic<bool> dead = false;
  Fixture f(
      [&](const http::ServerRequest& request, int) {
        if (asked_of(request) == "oslo" && dead) return json_answer(401, "{}");
        return completion("weather.get_weather(location='" + asked_of(request) + "')");
      },
      weather_service());
  dead = true;
  f.box.write("data/test.jsonl", f.box.read("data/test.jsonl") +
                                     R"({"id": "p", "input": "paris", "output": "none"})" "\n");
  check_refused(f.box.run({"eval"}), exits::not_permitted, {"row o", "401"});
  CHECK(f.records().integer("SELECT count(*) FROM cases") == 3 + 3);
  dead = false;
  const auto before = f.model.count();
  const auto continued = f.box.run({"eval", "--json"});
  INFO(continued.err);
  REQUIRE(continued.exit_code == exits::ok);
  CHECK(continued.parsed().flag("resumed"));
  CHECK(continued.parsed().number("already_done") == 3);
  CHECK(f.model.count() - before == 1);
  const auto records = f.records();
  CHECK(records.integer("SELECT count(*) FROM runs WHERE status = 'finished'") == 2);
  CHECK(records.integer("SELECT count(*) FROM runs") == 2);
}
