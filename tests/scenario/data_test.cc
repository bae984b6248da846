// Rows made from rows: what `slipway data vary` writes, records, and refuses.
#include <doctest/doctest.h>

#include "project.h"

using namespace slipway;
using namespace slipway::scenario;

namespace {

void write_snips(const Sandbox& box) {
  box.write("given/train.jsonl",
            R"({"text": "weather in boston tomorrow", "intent": "GetWeather", "slots": [)"
            R"({"slot": "city", "value": "boston"}, {"slot": "timeRange", "value": "tomorrow"}]})"
            "\n"
            R"({"text": "is it cold in oslo on friday", "intent": "GetWeather", "slots": [)"
            R"({"slot": "city", "value": "oslo"}, {"slot": "timeRange", "value": "on friday"}]})"
            "\n");
  box.write("slipway.toml",
            "slipway = 1\nskills = [\"data/snips.json\"]\n"
            "[datasets.train]\npath = \"data/train.jsonl\"\n"
            "[datasets.dev]\npath = \"data/dev.jsonl\"\n");
}

}  // namespace

TEST_CASE("varied rows: a train file, a run, and the same bytes from the same seed") {
  Sandbox box;
  write_snips(box);
  REQUIRE(box.run({"data", "import", "snips", "given"}).exit_code == exits::ok);
  const auto made = box.run({"data", "vary", "train", "--copies", "3", "--share", "1", "--json"});
  REQUIRE_MESSAGE(made.exit_code == exits::ok, made.err);
  CHECK(made.parsed().number("varied") >= 1);
  CHECK(made.parsed().number("rows") == 2 + made.parsed().number("varied"));
  const auto rows = box.read("data/train-varied.jsonl");
  CHECK(contains(rows, "train-2~3"));
  CHECK(box.run({"show", made.parsed().text("run_id")}).exit_code == exits::ok);
  const auto again =
      box.run({"data", "vary", "train", "--copies", "3", "--share", "1", "--out", "again.jsonl"});
  REQUIRE(again.exit_code == exits::ok);
  CHECK(box.read("again.jsonl") == rows);
  // What it wrote is a dataset whose every row the skills accept.
  const auto checked = box.run({"data", "check", "again.jsonl", "--json"});
  REQUIRE_MESSAGE(checked.exit_code == exits::ok, checked.err);
  const auto report = checked.parsed();
  const auto& found = report.get("datasets")->as_array().at(0);
  CHECK(found.number("rows") == made.parsed().number("rows"));
  CHECK(found.number("unreadable") == 0);
  // Varied once more it still loads.
  REQUIRE(box.run({"data", "vary", "again.jsonl", "--share", "1"}).exit_code == exits::ok);
  CHECK(box.run({"data", "check", "data/again-varied.jsonl"}).exit_code == exits::ok);
}

TEST_CASE("an import writes over nothing but what it wrote itself") {
  Sandbox box;
  write_snips(box);
  REQUIRE(box.run({"data", "import", "snips", "given"}).exit_code == exits::ok);
  const auto imported = box.read("data/train.jsonl");
  CHECK(box.run({"data", "import", "snips", "given"}).exit_code == exits::ok);
  box.write("data/snips.json", "{}");
  check_refused(box.run({"data", "import", "snips", "given"}), exits::bad_input,
                {"data/snips.json", "--out"});
  CHECK(box.read("data/snips.json") == "{}");
  CHECK(box.read("data/train.jsonl") == imported);
  check_refused(box.run({"data", "import", "snips", "given", "--out", "given"}), exits::bad_input,
                {"given/train.jsonl"});
}

TEST_CASE("varying: what is measured with stays as it is, what is not there is named") {
  Sandbox box;
  write_snips(box);
  REQUIRE(box.run({"data", "import", "snips", "given"}).exit_code == exits::ok);
  box.write("data/dev.jsonl", box.read("data/train.jsonl"));
  check_refused(box.run({"data", "vary", "dev"}), exits::bad_input, {"to measure with"});
  check_refused(box.run({"data", "vary", "trian"}), exits::not_found, {"did you mean 'train'?"});
  check_refused(box.run({"data", "vary"}), exits::bad_input, {"wants one dataset"});
  check_refused(box.run({"data", "vary", "train", "--copies", "0"}), exits::bad_input, {"copies"});
}
