// `slipway serve` as the program that it is: started, asked, corrected, stopped.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/stat.h>

#include "base/files.h"
#include "project.h"
#include "serving.h"

using namespace slipway;
using namespace slipway::scenario;

namespace {

std::string feedback(const std::string& trace, const std::string& output) {
  auto value = json::Value::object();
  return value.set("trace_id", trace).set("correct", false).set("output", output).dump();
}

}  // namespace

TEST_CASE("a served request acts, its correction becomes a row, SIGTERM ends it well") {
  Fixture f(says("weather.get_weather(location='boston')"), weather_service());
  Serving serving(f.box);
  const int before = f.service.count();
  const auto turn = parsed(serving.post("/v1/assistant", R"({"input": "boston"})").body);
  CHECK(turn.flag("acted"));
  CHECK(turn.text("reply") == "It is 7 degrees in boston.");
  CHECK(f.service.count() == before + 1);

  const auto noted =
      parsed(serving.post("/v1/feedback", feedback(turn.text("trace_id"), "none()")).body);
  CHECK(noted.text("path") == f.box.path(".slipway/feedback.jsonl"));
  CHECK(contains(f.box.read(".slipway/feedback.jsonl"), "\"output\":\"none()\""));

  const std::string request =
      R"({"model": "plain", "messages": [{"role": "user", "content": "boston"}]})";
  const auto chat = parsed(serving.post("/v1/chat/completions", request).body);
  CHECK(chat.get("choices")->as_array().at(0).text("finish_reason") == "tool_calls");
  CHECK(f.service.count() == before + 1);

  serving.child.signal(SIGTERM);
  CHECK(serving.child.wait() == exits::ok);
  const auto records = f.records();
  const auto run = serving.started.text("run_id");
  CHECK(records.text("SELECT status FROM runs WHERE id = '" + run + "'") == "finished");
  CHECK(records.integer("SELECT count(DISTINCT trace_id) FROM trace_index WHERE run_id = '" + run +
                        "'") == 2);
  // The corrected row is a dataset like any other.
  f.box.replace("slipway.toml", "data/test.jsonl", ".slipway/feedback.jsonl");
  const auto evaluated = f.box.run({"eval", "--json"});
  CHECK(evaluated.exit_code == exits::ok);
}

TEST_CASE("for other machines there is a token, which nobody is told") {
  Fixture f(says("none()"), weather_service());
  Serving serving(f.box, {"--host", "0.0.0.0"});
  CHECK(serving.started.flag("token_required"));
  const auto path = serving.started.text("token_file");
  struct stat status{};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  const auto token = files::read(path).value_or("").substr(0, 64);
  CHECK(serving.post("/v1/assistant", R"({"input": "x"})").status == 401);
  CHECK(serving.post("/v1/assistant", R"({"input": "x"})", token).status == 200);
  serving.child.signal(SIGINT);
  CHECK(serving.child.wait() == exits::ok);
  CHECK_FALSE(contains(serving.said(), token));
}

TEST_CASE("a port that is taken, and a candidate that is not there") {
  Fixture f(says("none()"), weather_service());
  const auto url = f.service.url();
  const auto port = url.substr(url.rfind(':') + 1);
  check_refused(f.box.run({"serve", "--port", port}), exits::unavailable, {port, "another port"});
  check_refused(f.box.run({"serve", "--candidate", "plian"}), exits::not_found,
                {"did you mean 'plain'?"});
  check_refused(f.box.run({"serve", "--host", "example.org"}), exits::bad_input, {"example.org"});
  f.check_sound();
}
