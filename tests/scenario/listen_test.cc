// Speech through the real program: a spoken request acts, and everything of it is on record.
#include <doctest/doctest.h>

#include "base/files.h"
#include "json/value.h"
#include "project.h"

using namespace slipway;
using namespace slipway::scenario;

namespace {

const std::string jfk = std::string(SPEECH_SHARE) + "/jfk.wav";

bool can_hear() {
  const auto folder = models_folder();
  if (!folder.empty() && files::exists(files::join(folder, "whisper-tiny.en.ct2"))) return true;
  MESSAGE("SKIPPED: `slipway models pull whisper-tiny.en` brings its model");
  return false;
}

// Kennedy asks for the weather; he is asked nothing else.
std::string weather_for(const std::string& asked) {
  return asked.find("ellow Americans") != std::string::npos
             ? "weather.get_weather(location='boston')"
             : "none()";
}

std::vector<json::Value> lines(const std::string& out) {
  std::vector<json::Value> all;
  size_t at = 0;
  while (at < out.size()) {
    const auto end = out.find('\n', at);
    auto value = json::parse(out.substr(at, end - at));
    REQUIRE(value.ok());
    all.push_back(std::move(*value));
    if (end == std::string::npos) break;
    at = end + 1;
  }
  return all;
}

}  // namespace

TEST_CASE("a request from a recording acts, and leaves a trace of all its steps") {
  if (!can_hear()) return;
  Fixture f(says(weather_for), weather_service());
  f.box.set_env("SLIPWAY_MODELS", models_folder());
  const int before = f.service.count();
  const auto outcome = f.box.run({"listen", "--wav", jfk, "--mute", "--json"});
  INFO(outcome.out, outcome.err);
  CHECK(outcome.exit_code == exits::ok);
  CHECK(f.service.count() == before + 1);
  const auto turns = lines(outcome.out);
  REQUIRE(turns.size() >= 2);
  CHECK(contains(turns[0].text("heard"), "ellow Americans"));
  CHECK(turns[0].flag("acted"));
  CHECK(turns[0].number("end_ms") > turns[0].number("begin_ms"));
  CHECK_FALSE(turns[1].flag("acted"));

  const auto trace = f.box.run({"show", turns[0].text("run_id")});
  INFO(trace.out, trace.err);
  for (const char* span : {"listen", "vad", "asr", "model", "skill.dispatch"})
    CHECK(contains(trace.out, span));
  CHECK(contains(f.box.run({"runs"}).out, "listen"));
  CHECK(f.records().sound());
}

TEST_CASE("a dry run shows what it would do, and does nothing") {
  if (!can_hear()) return;
  Fixture f(says(weather_for), weather_service());
  f.box.set_env("SLIPWAY_MODELS", models_folder());
  const int before = f.service.count();
  const auto outcome = f.box.run({"listen", "--wav", jfk, "--dry-run", "--mute"});
  CHECK(outcome.exit_code == exits::ok);
  CHECK(contains(outcome.out, "weather.get_weather(location='boston')"));
  CHECK(f.service.count() == before);
}

TEST_CASE("clips are scored on words, sentences and calls") {
  if (!can_hear()) return;
  Fixture f(says(weather_for), weather_service());
  f.box.set_env("SLIPWAY_MODELS", models_folder());
  auto row = json::Value::object();
  row.set("file", jfk)
      .set("text",
           "And so, my fellow Americans: ask not what your country can do for you, ask what you "
           "can do for your country.")
      .set("output", "weather.get_weather(location='boston')");
  f.box.write("clips.jsonl", row.dump() + "\n");
  const auto outcome = f.box.run({"eval", "--audio", "clips.jsonl", "--json"});
  INFO(outcome.out, outcome.err);
  REQUIRE(outcome.exit_code == exits::ok);
  const auto figures = outcome.parsed();
  CHECK(figures.number("clips") == 1);
  CHECK(figures.number("word_error") < 0.2);
  CHECK(figures.number("call_accuracy") == 1);
}

TEST_CASE("what cannot be heard is refused with what to do") {
  Fixture f(says("none()"), weather_service());
  check_refused(f.box.run({"listen"}), exits::bad_input, {"--wav"});
  f.box.set_env("SLIPWAY_MODELS", f.box.path("no-models"));
  check_refused(f.box.run({"listen", "--wav", "none.wav"}), exits::not_found, {"whisper-tiny.en"});
  f.box.write("not.wav", "no sound");
  if (!can_hear()) return;
  f.box.set_env("SLIPWAY_MODELS", models_folder());
  check_refused(f.box.run({"listen", "--wav", "none.wav", "--mute"}), exits::not_found,
                {"none.wav"});
  check_refused(f.box.run({"listen", "--wav", "not.wav", "--mute"}), exits::corrupt, {"not.wav"});
  check_refused(f.box.run({"listen", "--wav", "not.wav", "--mute", "--wake", "computer"}),
                exits::not_found, {"okay_nabu"});
}
