// A key is used where the user bound it, and is found nowhere else.
#include <doctest/doctest.h>

#include "base/files.h"
#include "base/process.h"
#include "project.h"

using namespace slipway;
using namespace slipway::scenario;

namespace {

constexpr const char* endpoint_key = "sk-scenario-4f9a7c21e8b3d065";
constexpr const char* weather_key = "wk-scenario-93be17f0a2c4d856";

bool holds_a_key(std::string_view bytes) {
  return contains(bytes, endpoint_key) || contains(bytes, weather_key);
}

// Every byte the program left behind: files, decompressed objects, decompressed chunks.
void check_keys_left_nowhere(const Sandbox& box) {
  for (const auto& folder : {box.project(), files::join(box.root(), "home"),
                             files::join(box.root(), "cache"), files::join(box.root(), "config")}) {
    for (const auto& path : files_under(folder)) {
      INFO(path);
      auto bytes = files::read(path);
      REQUIRE(bytes.ok());
      CHECK_FALSE(holds_a_key(*bytes));
      CHECK_FALSE(holds_a_key(unpacked(*bytes)));
    }
  }
  const Records records(box.path(".slipway"));
  for (const auto& row : records.rows("SELECT payload FROM span_chunks")) {
    const auto spans = unpacked(row[0]);
    CHECK(contains(spans, "turn"));  // it was read as it is meant
    CHECK_FALSE(holds_a_key(spans));
  }
}

void check_silent(const Outcome& outcome) {
  CHECK_FALSE(holds_a_key(outcome.out));
  CHECK_FALSE(holds_a_key(outcome.err));
}

std::string header(const http::ServerRequest& request, std::string_view name) {
  const auto* found = http::find_header(request.headers, name);
  return found ? *found : "";
}

// The weather skill with a key in a header and in the query.
void want_key(const Fixture& f) {
  f.box.replace("skills/weather.json", R"("path": "/weather/{location}",)",
                R"("path": "/weather/{location}", "headers": {"X-Api-Key": "${WEATHER_KEY}"},
        "query": {"appid": "${WEATHER_KEY}"},)");
}

void bind_keys(Fixture& f) {
  f.box.set_env("SCENARIO_ENDPOINT_KEY", endpoint_key);
  f.box.set_env("SCENARIO_WEATHER_KEY", weather_key);
  f.box.write_user_config("[keys]\n\"" + f.model.url() + "\" = \"SCENARIO_ENDPOINT_KEY\"\n" +
                          "[secrets.\"" + f.service.url() +
                          "\"]\nWEATHER_KEY = \"SCENARIO_WEATHER_KEY\"\n");
}

}  // namespace

TEST_CASE("keys reach their peers and are left nowhere") {
  Fixture f(says("weather.get_weather(location='boston')"), weather_service());
  want_key(f);
  bind_keys(f);
  const auto turn = f.box.run({"ask", "boston"});
  INFO(turn.out, turn.err);
  CHECK(turn.exit_code == exits::ok);
  check_silent(turn);
  const auto bearer = "Bearer " + std::string(endpoint_key);
  CHECK(header(f.model.requests().back(), "Authorization") == bearer);
  REQUIRE(f.service.count() == 1);
  CHECK(header(f.service.requests()[0], "X-Api-Key") == weather_key);
  CHECK(f.service.requests()[0].query.at("appid") == weather_key);
  CHECK(header(f.service.requests()[0], "Authorization").empty());

  check_silent(f.box.run({"eval"}));
  const auto run = f.records().text("SELECT id FROM runs WHERE kind = 'ask'");
  const auto shown = f.box.run({"show", run, "--json"});
  check_silent(shown);
  CHECK(contains(shown.out, "appid=***"));
  check_keys_left_nowhere(f.box);
  f.check_sound();
}

TEST_CASE("a peer that quotes the key in its refusal cannot make it stored") {
  Fixture f(
      [](const http::ServerRequest& request, int nth) {
        if (nth == 0) return completion("weather.get_weather(location='boston')");
        return json_answer(401, R"({"error": {"message": "bad )" +
                                    header(request, "Authorization") + "\"}}");
      },
      [](const http::ServerRequest& request, int) {
        const auto key = header(request, "X-Api-Key");
        return json_answer(403, R"({"error": "not allowed: )" + key + "\"}");
      });
  want_key(f);
  bind_keys(f);
  const auto refused_by_service = f.box.run({"ask", "boston"});
  CHECK(refused_by_service.exit_code == exits::said_no);
  CHECK(contains(refused_by_service.out, "not allowed: ***"));
  check_silent(refused_by_service);
  const auto refused_by_model = f.box.run({"ask", "boston"});
  CHECK(refused_by_model.exit_code == exits::not_permitted);
  check_silent(refused_by_model);
  check_keys_left_nowhere(f.box);
}

TEST_CASE("a service that echoes the key in its answer cannot make it stored") {
  Fixture f(says("weather.get_weather(location='boston')"),
            [](const http::ServerRequest& request, int) {
              const auto key = header(request, "X-Api-Key");
              return json_answer(200, R"({"temperature": ")" + key + "\"}");
            });
  want_key(f);
  bind_keys(f);
  const auto turn = f.box.run({"ask", "--json", "boston"});
  CHECK(turn.exit_code == exits::ok);
  check_silent(turn);
  check_keys_left_nowhere(f.box);
}

TEST_CASE("a skill that wants a key nobody bound is refused before any request") {
  Fixture f(says("weather.get_weather(location='boston')"), weather_service());
  want_key(f);
  // In the environment under the very name that the skill uses: that is no permission.
  f.box.set_env("WEATHER_KEY", weather_key);
  SUBCASE("bound to nothing") {}
  SUBCASE("bound to another origin") {
    f.box.write_user_config(
        "[secrets.\"https://api.example.com\"]\nWEATHER_KEY = \"WEATHER_KEY\"\n");
  }
  const auto turn = f.box.run({"ask", "boston"});
  INFO(turn.out, turn.err);
  CHECK(turn.exit_code == exits::said_no);
  CHECK(contains(turn.out, "${WEATHER_KEY}"));
  CHECK(contains(turn.out, "in your own configuration"));
  CHECK(f.service.count() == 0);
  check_silent(turn);
  check_keys_left_nowhere(f.box);
}

TEST_CASE("a key in uncommitted work does not reach the recorded diff") {
  Fixture f(says("none()"), weather_service());
  const auto git = [&](std::vector<std::string> arguments) {
    std::vector<std::string> argv = {"git", "-C", f.box.project(), "-c", "user.name=x",
                                     "-c", "user.email=x@example.com"};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    auto output = run_process(argv);
    REQUIRE((output.ok() && output->exit_code == 0));
  };
  f.box.write("notes.txt", "nothing\n");
  git({"init", "-q"});
  git({"add", "slipway.toml", "notes.txt"});
  git({"commit", "-q", "-m", "x"});
  f.box.write("notes.txt", "https://api.example.com/?api_key=" + std::string(weather_key) + "\n");
  REQUIRE(f.box.run({"eval"}).exit_code == exits::ok);
  CHECK(f.records().integer("SELECT count(*) FROM runs WHERE "
                            "json_extract(environment, '$.git.dirty') = 1") == 1);
  REQUIRE(files::remove_all(f.box.path("notes.txt")).ok());
  check_keys_left_nowhere(f.box);
}
