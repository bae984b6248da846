// `slipway tune` on rows and settings that nothing good can come of: a clear stop, and nothing
// lost.
#include <doctest/doctest.h>

#include "base/files.h"
#include "project.h"

using namespace slipway;
using namespace slipway::scenario;

namespace {

std::string rows_of(int count, const std::string& output) {
  std::string rows;
  for (int i = 0; i < count; ++i) {
    auto row = json::Value::object();
    row.set("input", "place " + std::to_string(i)).set("output", output);
    rows += row.dump() + "\n";
  }
  return rows;
}

struct School : Fixture {
  School() : Fixture(says("none()"), weather_service()) {
    box.write("data/train.jsonl", rows_of(16, "none()"));
    box.replace("slipway.toml", "[datasets.test]",
                "[datasets.train]\npath = \"data/train.jsonl\"\n\n[datasets.test]");
  }

  Outcome tune(std::vector<std::string> more, const std::string& weights = "gemma-3-270m") const {
    std::vector<std::string> words = {"tune",  "train", "--model", weights, "--prompt", "none",
                                      "--dev", "none",  "--batch", "8",   "--epochs", "2"};
    words.insert(words.end(), more.begin(), more.end());
    return box.run(words);
  }
};

}  // namespace

TEST_CASE("a rate that is far too high ends with what to do, its checkpoint kept") {
  SLIPWAY_NEEDS_MODEL();
  School f;
  const auto outcome = f.tune({"--lr", "1e3", "--warmup", "0", "--checkpoint", "1"});
  INFO(outcome.err);
  CHECK(outcome.exit_code == 7);
  for (const char* part : {"diverged at step", "lower the learning rate", "checkpoint of step"})
    CHECK(contains(outcome.err, part));
  const auto at = outcome.err.rfind("kept in ");
  REQUIRE(at != std::string::npos);
  const auto folder = outcome.err.substr(at + 8, outcome.err.find_last_not_of('\n') - at - 7);
  CHECK_FALSE(files::list(folder).empty());
  CHECK_FALSE(files::exists(f.box.path("adapters/tuned.gguf")));
  CHECK(f.records().text("SELECT status FROM runs WHERE kind = 'tune'") == "failed");
  CHECK(f.records().sound());
}

TEST_CASE("a setting that diverges leaves the sweep's race, and the others go on") {
  SLIPWAY_NEEDS_MODEL();
  School f;
  f.box.write("data/dev.jsonl", rows_of(2, "weather.get_weather(location='boston')"));
  f.box.replace("slipway.toml", "[datasets.test]",
                "[datasets.dev]\npath = \"data/dev.jsonl\"\n\n[datasets.test]");
  const auto outcome =
      f.box.run({"sweep", "train", "--model", "gemma-3-270m", "--prompt", "none", "--batch", "8",
                 "--epochs", "2", "--rank", "4", "--lr", "1e3,1e-4", "--warmup", "0", "--json"});
  INFO(outcome.err);
  REQUIRE(outcome.exit_code == exits::ok);
  const auto swept = outcome.parsed();
  const auto& arms = swept.get("arms")->as_array();
  REQUIRE(arms.size() == 2);
  CHECK(arms[0].flag("diverged"));
  CHECK_FALSE(arms[1].flag("diverged"));
  CHECK(swept.number("best") == 1);
  CHECK(f.records().text("SELECT status FROM runs WHERE kind = 'sweep'") == "finished");
}

TEST_CASE("a file that its name calls a test is not learnt from") {
  School f;
  f.box.write("data/house-test.jsonl", rows_of(4, "none()"));
  const auto outcome = f.box.run({"tune", "data/house-test.jsonl", "--model", "gemma-3-270m"});
  CHECK(outcome.exit_code == exits::bad_input);
  CHECK(contains(outcome.err, "is a test split"));
}

TEST_CASE(
    "one answer to everything and a row of ten thousand words are learnt, or left out by name") {
  SLIPWAY_NEEDS_MODEL();
  School f;
  std::string words;
  for (int i = 0; i < 10'000; ++i) words += "word ";
  auto row = json::Value::object();
  row.set("input", words).set("output", "none()");
  f.box.write("data/train.jsonl", row.dump() + "\n" + rows_of(16, "none()"));
  const auto outcome = f.tune({"--lr", "1e-3"});
  INFO(outcome.out, outcome.err);
  CHECK(outcome.exit_code == exits::ok);
  CHECK(contains(outcome.out + outcome.err, "line 1"));
  CHECK(files::exists(f.box.path("adapters/tuned.gguf")));
}

TEST_CASE("copies of rows are varied and learnt beside them") {
  SLIPWAY_NEEDS_MODEL();
  School f;
  f.box.replace("skills/weather.json", "\"type\": \"string\"",
                "\"type\": \"string\", \"x-slipway-said\": true");
  f.box.write("data/train.jsonl",
              R"x({"input": "rain in bari", "output": "weather.get_weather(location='bari')"})x"
              "\n"
              R"x({"input": "is oslo cold", "output": "weather.get_weather(location='oslo')"})x"
              "\n");
  const auto outcome = f.tune({"--copies", "3", "--json"});
  INFO(outcome.err);
  REQUIRE(outcome.exit_code == exits::ok);
  CHECK(outcome.parsed().number("examples") > 2);
  CHECK(outcome.parsed().number("examples") <= 8);
  CHECK(f.records().integer("SELECT json_extract(inputs, '$.copies') FROM runs WHERE kind = "
                            "'tune'") == 3);
  check_refused(f.tune({"--copies", "-1"}), exits::bad_input, {"copies"});
}

TEST_CASE("what cannot be trained or written is told before training") {
  SLIPWAY_NEEDS_MODEL();
  School f;
  CHECK(contains(f.tune({"--out", "/dev/full/adapter.gguf"}).err, "/dev/full"));
  check_refused(f.tune({"--lr", "1e30"}), exits::bad_input, {"--lr"});
  f.box.write("half.gguf", "GGUF and no more");
  check_refused(f.tune({}, "./half.gguf"), exits::corrupt, {"half.gguf"});
  f.box.write("data/train.jsonl", rows_of(3, "not a call"));
  check_refused(f.tune({}), exits::bad_input, {"no row to learn from", "no valid call"});
  CHECK(f.records().integer("SELECT count(*) FROM runs WHERE kind = 'tune'") == 0);
  f.check_sound();
}
