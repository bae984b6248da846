// What a model writes is no deed: the turn that did not act says so, whatever the model claims.
#include <doctest/doctest.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <latch>
#include <thread>

#include "base/files.h"
#include "project.h"

using namespace slipway;
using namespace slipway::scenario;

namespace {

constexpr const char* boston = "weather.get_weather(location='boston')";

// Nothing was done: exit 1, the reason on stdout, nothing on stderr.
void check_did_not_act(const Outcome& outcome, std::initializer_list<std::string_view> says) {
  INFO("stdout: ", outcome.out, "\nstderr: ", outcome.err);
  CHECK(outcome.exit_code == exits::said_no);
  CHECK(outcome.err.empty());
  for (const auto& part : says) {
    INFO("wanted: ", std::string(part));
    CHECK(contains(outcome.out, part));
  }
}

}  // namespace

TEST_CASE("a call that succeeds is reported with the service's own answer") {
  Fixture f(says(boston), weather_service());
  const auto turn = f.box.run({"ask", "boston"});
  INFO(turn.err);
  CHECK(turn.exit_code == exits::ok);
  CHECK(turn.err.empty());
  CHECK(contains(turn.out, "It is 7 degrees in boston."));
  REQUIRE(f.service.count() == 1);
  CHECK(f.service.requests()[0].path == "/weather/boston");
  CHECK(f.box.run({"ask", "--candidate", "plain", "new", "york"}).exit_code == exits::ok);
  CHECK(asked_of(f.model.requests().back()) == "new york");
  f.check_sound();
}

TEST_CASE("requests come a line each, and the exit code is that of all of them") {
  Fixture f(says([](const std::string& asked) {
              return asked == "boston" ? std::string(boston) : std::string("no idea");
            }),
            weather_service());
  CHECK(f.box.run({"ask"}, "boston\n\nboston\n").exit_code == exits::ok);
  CHECK(f.service.count() == 2);
  const auto mixed = f.box.run({"ask", "--json"}, "nowhere\nboston\n");
  CHECK(mixed.exit_code == exits::said_no);
  CHECK(std::count(mixed.out.begin(), mixed.out.end(), '\n') == 2);
  CHECK(f.service.count() == 3);
}

TEST_CASE("an answer that is no valid call does nothing") {
  std::string answer, reason;
  SUBCASE("unknown function") {
    answer = "weather.get_wether(location='x')";
    reason = "get_weather";
  }
  SUBCASE("unknown argument") {
    answer = "weather.get_weather(place='x')";
    reason = "place";
  }
  SUBCASE("wrong type") {
    answer = "weather.get_weather(location='x', days='soon')";
    reason = "days";
  }
  SUBCASE("missing argument") {
    answer = "weather.get_weather()";
    reason = "location";
  }
  SUBCASE("prose") {
    answer = "Sure! The weather is fine.";
    reason = "no call";
  }
  Fixture f(says(answer), weather_service());
  check_did_not_act(f.box.run({"ask", "boston"}), {reason});
  const auto json = f.box.run({"ask", "--json", "boston"});
  CHECK(json.exit_code == exits::said_no);
  CHECK_FALSE(json.parsed().flag("acted", true));
  CHECK(json.parsed().text("output") == answer);

  const auto measured = f.box.run({"eval", "--json"});
  CHECK(measured.exit_code == exits::ok);
  CHECK(measured.parsed().get("valid_calls")->number("passed", -1) == 0);
  CHECK(f.service.count() == 0);
  f.check_sound();
}

TEST_CASE("no function fits: nothing to do is no failure") {
  Fixture f(says("none()"), weather_service());
  const auto turn = f.box.run({"ask", "who are you"});
  CHECK(turn.exit_code == exits::ok);
  CHECK_FALSE(turn.out.empty());
  CHECK(f.service.count() == 0);
}

TEST_CASE("a service that is down is named with its address") {
  Fixture f(says(boston), weather_service());
  const auto dead = "http://127.0.0.1:" + std::to_string(closed_port());
  f.box.write("skills/weather.json", weather_skill(dead));
  check_did_not_act(f.box.run({"ask", "boston"}), {"✗", dead.substr(7), "start the server"});
  f.check_sound();
}

TEST_CASE("a slow service is given up after the skill's own time") {
  Fixture f(says(boston), [](const http::ServerRequest&, int) {
    std::this_thread::sleep_for(std::chrono::seconds(2));
    return json_answer(200, R"({"temperature": 7})");
  });
  f.box.replace("skills/weather.json", "\"timeout_ms\": 4000", "\"timeout_ms\": 200");
  check_did_not_act(f.box.run({"ask", "boston"}), {"✗", "weather.get_weather"});
  f.check_sound();
}

TEST_CASE("a service's failure and its words reach the person") {
  int status = 500;
  SUBCASE("500") { status = 500; }
  SUBCASE("404") { status = 404; }
  Fixture f(says(boston), [status](const http::ServerRequest&, int) {
    return json_answer(status, R"({"error": "no such station"})");
  });
  check_did_not_act(f.box.run({"ask", "boston"}),
                    {"✗", "no such station", std::to_string(status)});
  // A GET is tried again when the service failed, never when it refused.
  CHECK(f.service.count() == (status == 500 ? 3 : 1));
  f.check_sound();
}

TEST_CASE("a redirect to another host is refused, and that host hears nothing") {
  Peer elsewhere(weather_service());
  Fixture f(says(boston), [&](const http::ServerRequest&, int) {
    http::ServerResponse answer = json_answer(302, "{}");
    answer.headers.emplace_back("Location", elsewhere.url() + "/weather/boston");
    return answer;
  });
  check_did_not_act(f.box.run({"ask", "boston"}), {"✗", "redirect", "base_url"});
  CHECK(f.service.count() == 1);
  CHECK(elsewhere.count() == 0);
  f.check_sound();
}

TEST_CASE("an answer cut short or nonsense is no success of the model's") {
  Fixture f(says(boston), [](const http::ServerRequest&, int) {
    return http::ServerResponse::text(200, "<html>sunny</html>");
  });
  const auto turn = f.box.run({"ask", "--json", "boston"});
  // 200 is the service's word that it acted; the reply falls back to what it said.
  CHECK(turn.exit_code == exits::ok);
  CHECK(turn.parsed().get("calls")->as_array().at(0).number("status") == 200);
  f.check_sound();
}

TEST_CASE("a risky call waits for a yes") {
  Fixture f(says("weather.report_storm()"), weather_service());
  check_did_not_act(f.box.run({"ask", "warn them"}), {"✗ weather.report_storm()", "confirm"});
  CHECK(f.service.count() == 0);
  const auto dry = f.box.run({"ask", "--dry-run", "warn them"});
  CHECK(dry.exit_code == exits::ok);
  CHECK(contains(dry.out, "weather.report_storm()"));
  CHECK(f.service.count() == 0);
  const auto done = f.box.run({"ask", "--yes", "warn them"});
  CHECK(done.exit_code == exits::ok);
  CHECK(contains(done.out, "They know."));
  CHECK(f.service.count() == 1);
  f.check_sound();
}

TEST_CASE("Ctrl-C while the service is asked ends with 130, and the run was stopped") {
  std::latch over(1);
  Fixture f(says(boston), [&](const http::ServerRequest&, int) {
    over.wait();
    return json_answer(200, R"({"temperature": 7})");
  });
  auto child = f.box.start({"ask", "boston"});
  while (f.service.count() == 0 && !child.ended())
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  child.signal(SIGINT);
  CHECK(child.wait() == exits::cancelled);
  over.count_down();
  CHECK(f.records().text("SELECT status FROM runs WHERE kind = 'ask'") == "killed");
  CHECK(f.records().integer("SELECT count(DISTINCT trace_id) FROM trace_index") == 1);
  f.check_sound();
}

TEST_CASE("a stranger's words move no cursor") {
  const std::string wipe = "\\u001b[2K\\u001b]0;x\\u0007\\u009b2J";
  Fixture f(says(boston), [&](const http::ServerRequest&, int) {
    return json_answer(200, R"({"temperature": ")" + wipe + "\"}");
  });
  f.box.write("skills/evil.json", R"({"slipway_skill": 1, "name": "evil", "mcp": {"command": [")" +
                                      wipe + R"("]}, "functions": {}})");
  const auto shown = f.box.run({"skills"});
  CHECK(contains(shown.out, "evil: from an MCP server that is not trusted:"));
  const auto refused = f.box.run({"ask", "boston"});
  CHECK(refused.exit_code == exits::not_permitted);
  REQUIRE(files::remove_all(f.box.path("skills/evil.json")).ok());
  const auto told = f.box.run({"ask", "boston"});
  CHECK(told.exit_code == exits::ok);
  for (const auto& ran : {shown, refused, told}) {
    INFO(ran.out, ran.err);
    for (const char* control : {"\x1b", "\x07", "\xC2\x9B"}) {
      CHECK_FALSE(contains(ran.out, control));
      CHECK_FALSE(contains(ran.err, control));
    }
  }
}

TEST_CASE("a conversation on standard input answers each line") {
  Fixture f(says([](const std::string& asked) {
              return "weather.get_weather(location='" + asked + "')";
            }),
            weather_service());
  const auto talk = f.box.run({"ask"}, "boston\noslo\n\n");
  CHECK(talk.exit_code == exits::ok);
  CHECK(contains(talk.out, "in boston."));
  CHECK(contains(talk.out, "in oslo."));
  const auto records = f.records();
  CHECK(records.integer("SELECT count(*) FROM runs WHERE kind = 'ask'") == 1);
  CHECK(records.integer("SELECT count(DISTINCT trace_id) FROM trace_index") == 2);
}
