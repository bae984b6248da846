// The whole voyage on the home example with the real model: an adapter is trained, passes the gate
// against what is in production, takes its place, is served, hears a spoken request and acts, is
// corrected; all of it is handed over, and computed again, bit for bit, by somebody else.
#include <doctest/doctest.h>

#include <csignal>
#include <sstream>

#include "base/files.h"
#include "base/process.h"
#include "house.h"
#include "project.h"
#include "serving.h"

using namespace slipway;
using namespace slipway::scenario;

namespace {

constexpr int train_rows = 126;
constexpr int test_rows = 21;

constexpr const char* project = R"(slipway = 1
name = "voyage"
skills = ["skills/*.json"]
candidate = "tuned"

[candidates.naive]
model = "gemma-3-270m"
prompt = "prompts/naive.jinja"
max_tokens = 24

[candidates.tuned]
model = "gemma-3-270m"
adapters = ["adapters/tuned.gguf"]
prompt = "prompts/short.jinja"
constrain = true
max_tokens = 64

[datasets.train]
path = "data/train.jsonl"

[datasets.test]
path = "data/test.jsonl"

[datasets.corrected]
path = ".slipway/feedback.jsonl"
)";

// Rows of the example's training set that speak of lights and nothing else: few, and soon learnt.
void write_rows(const Sandbox& box) {
  std::istringstream all(home_example("data/train.jsonl"));
  std::string train, test;
  int count = 0;
  for (std::string line; std::getline(all, line) && count < train_rows + test_rows;) {
    if (line.find("\"lights.turn_o") == std::string::npos) continue;
    if (!line.ends_with("\"tags\": [\"lights\"]}")) continue;
    // Every seventh is kept from training.
    (count++ % 7 == 0 ? test : train) += line + "\n";
  }
  REQUIRE(count == train_rows + test_rows);
  box.write("data/train.jsonl", train);
  box.write("data/test.jsonl", test);
}

void write_voyage(const Sandbox& box, const House& house) {
  box.write("slipway.toml", project);
  for (const std::string name : {"prompts/naive.jinja", "prompts/short.jinja"})
    box.write(name, home_example(name));
  write_home_skills(box, house);
  write_rows(box);
}

json::Value must(const Sandbox& box, std::vector<std::string> words) {
  words.emplace_back("--json");
  const auto outcome = box.run(words);
  INFO(words[0], ": ", outcome.out, outcome.err);
  REQUIRE(outcome.exit_code == exits::ok);
  return outcome.parsed();
}

bool can_hear() {
  const bool voice = run_process({"espeak-ng", "--version"}).ok();
  return voice && files::exists(files::join(models_folder(), "whisper-tiny.en.ct2"));
}

std::string spoken(const Sandbox& box, const std::string& words) {
  const auto path = box.path("request.wav");
  REQUIRE(run_process({"espeak-ng", "-s", "140", "-w", path, words}).ok());
  return path;
}

}  // namespace

TEST_CASE("the voyage: tune, gate, promote, serve, hear, correct, hand over, reproduce") {
  SLIPWAY_NEEDS_MODEL();
  if (!can_hear()) {
    MESSAGE("SKIPPED: espeak-ng and `slipway models pull whisper-tiny.en` are needed");
    return;
  }
  House house;
  Sandbox box;
  write_voyage(box, house);

  must(box, {"promote", "naive", "--force", "--because", "the first there is"});
  const auto tuned = must(box, {"tune", "train", "--model", "gemma-3-270m", "--dev", "none",
                                "--epochs", "2", "--batch", "8"});
  const auto gate = must(box, {"gate", "tuned", "--margin", "0.35"});
  CHECK(gate.text("verdict") == "pass");
  must(box, {"promote", "tuned", "--gate", gate.text("run_id")});

  Serving serving(box, {"--candidate", "production"});
  const auto heard = must(box, {"listen", "--candidate", "production", "--mute", "--wav",
                                spoken(box, "turn on the kitchen lights")});
  CHECK(heard.flag("acted"));
  CHECK(contains(heard.text("output"), "lights.turn_on"));
  CHECK(contains(house.state("/lights").dump(), "kitchen"));
  const auto turn =
      parsed(serving.post("/v1/assistant", R"({"input": "turn off the kitchen lights"})").body);
  CHECK(turn.flag("acted"));
  auto correction = json::Value::object();
  correction.set("trace_id", heard.text("trace_id"))
      .set("correct", false)
      .set("output", "lights.turn_off(room='kitchen')");
  CHECK(serving.post("/v1/feedback", correction.dump()).status == 200);
  serving.child.signal(SIGTERM);
  CHECK(serving.child.wait() == exits::ok);
  const auto corrected = must(box, {"eval", "--candidate", "production", "--dataset", "corrected"});
  CHECK(corrected.get("exact_match")->number("total") == 1);

  const auto measured = must(box, {"eval", "--candidate", "production", "--dataset", "test",
                                   "--limit", "8", "--logprobs"});
  const auto run = measured.text("run_id");
  const auto bundle = box.root() + "/lab.slipway";
  must(box, {"bundle", "--all", "--out", bundle});

  Sandbox elsewhere;
  CHECK(must(elsewhere, {"open", bundle, "runs"}).size() > 5);
  REQUIRE(elsewhere.run({"init"}).exit_code == exits::ok);
  must(elsewhere, {"unbundle", bundle});
  const auto again = must(elsewhere, {"reproduce", run, "--grade", "bit"});
  CHECK(again.text("grade") == "bit");
  CHECK(again.number("equal_hashes") == 8);
  CHECK(Records(elsewhere.path(".slipway")).sound());
}
