// From a gate to a release and back: what may take production's place, on what evidence, and what
// is served when the files have changed since.
#include <doctest/doctest.h>

#include <cstdlib>

#include "project.h"

using namespace slipway;
using namespace slipway::scenario;

namespace {

constexpr int refused = 8;
constexpr int rows = 200;

std::string row(int number, const std::string& tags) {
  const auto place = "place " + std::to_string(number);
  return R"({"id": "r)" + std::to_string(number) + R"(", "input": ")" + place +
         R"(", "output": "weather.get_weather(location=')" + place + "')\"" + tags + "}\n";
}

// What is asked begins with the prompt's word: `bad` is wrong on every fourth row.
std::string answer(const std::string& asked) {
  const auto space = asked.find(' ');
  const auto place = asked.substr(space + 1);
  const auto number = std::atoi(place.substr(place.find(' ') + 1).c_str());
  if (asked.substr(0, space) == "bad" && number % 4 == 0) return "none()";
  return "weather.get_weather(location='" + place + "')";
}

struct Harbour : Fixture {
  Harbour() : Fixture(says(answer), weather_service()) {
    std::string candidates;
    for (const std::string name : {"old", "good", "bad"}) {
      box.write("prompts/" + name + ".jinja", name + " {{ input }}");
      candidates += "[candidates." + name + "]\nmodel = \"fake\"\nprompt = \"prompts/" + name +
                    ".jinja\"\n\n";
    }
    box.replace("slipway.toml", "[datasets.test]", candidates + "[datasets.test]");
    std::string text;
    for (int i = 0; i < rows; ++i) text += row(i, i == 8 ? R"(, "tags": ["safety"])" : "");
    box.write("data/test.jsonl", text);
  }

  json::Value gate(const std::string& candidate, int expected,
                   std::vector<std::string> more = {}) const {
    std::vector<std::string> words = {"gate", candidate, "--json"};
    words.insert(words.end(), more.begin(), more.end());
    const auto outcome = box.run(words);
    INFO(outcome.out, outcome.err);
    REQUIRE(outcome.exit_code == expected);
    return outcome.parsed();
  }

  void release(const std::string& candidate) const {
    const auto done =
        box.run({"promote", candidate, "--force", "--because", "there is nothing to compare with"});
    INFO(done.err);
    REQUIRE(done.exit_code == exits::ok);
  }

  std::string last_asked() const { return asked_of(model.requests().back()); }
  std::string production() const {
    return records().text("SELECT candidate_name FROM releases ORDER BY number DESC LIMIT 1");
  }
};

}  // namespace

TEST_CASE("gate, promote, rollback: the alias is what every command takes") {
  Harbour f;
  check_refused(f.box.run({"gate", "good"}), exits::not_found, {"production", "--against"});
  f.release("old");
  const auto gate = f.gate("good", exits::ok, {"--junit", "out/gate.xml"});
  CHECK(gate.text("verdict") == "pass");
  CHECK(gate.number("p_value") <= 0.05);
  CHECK(gate.get("looks")->number("runs") == 2);
  CHECK(gate.get("looks")->number("candidates") == 2);
  CHECK(contains(f.box.read("out/gate.xml"), "failures=\"0\""));
  const auto run = gate.text("run_id");
  check_refused(f.box.run({"promote", "bad", "--gate", run}), exits::not_permitted,
                {"another candidate"});
  CHECK(f.box.run({"promote", "good", "--gate", run}).exit_code == exits::ok);
  CHECK(f.production() == "good");

  const auto asked = f.box.run({"ask", "--candidate", "production", "place 5"});
  INFO(asked.err);
  CHECK(asked.exit_code == exits::ok);
  CHECK(asked.err.empty());
  CHECK(f.last_asked() == "good place 5");

  CHECK(f.box.run({"rollback", "--because", "a trial"}).exit_code == exits::ok);
  CHECK(f.production() == "old");
  check_refused(f.box.run({"rollback"}), exits::not_found, {"no release before"});
  const auto history = f.box.run({"releases", "--json"}).parsed();
  REQUIRE(history.size() == 3);
  CHECK(history.as_array()[0].text("action") == "rollback");
  CHECK(history.as_array()[0].text("because") == "a trial");
  CHECK(history.as_array()[1].text("gate_run_id") == run);
  CHECK(history.as_array()[2].flag("forced"));
}

TEST_CASE("what was released stays what it was, and changes on disk are told") {
  Harbour f;
  f.release("good");
  f.box.write("prompts/good.jinja", "changed {{ input }}");
  const auto asked = f.box.run({"ask", "--candidate", "production", "place 5"});
  CHECK(asked.exit_code == exits::ok);
  CHECK(contains(asked.err, "note: 'production'"));
  CHECK(contains(asked.err, "prompt changed since"));
  CHECK(f.last_asked() == "good place 5");
  check_refused(f.box.run({"ask", "--candidate", "production", "--constrain", "place 5"}),
                exits::bad_input, {"its parts are fixed"});
  f.box.replace("slipway.toml", "[candidates.good]", "[candidates.production]");
  check_refused(f.box.run({"ask", "place 5"}), exits::bad_input, {"one name must mean one thing"});
}

TEST_CASE("a candidate that is worse fails, is not promoted, and its reasons are in the XML") {
  Harbour f;
  f.release("old");
  const auto gate = f.gate("bad", exits::said_no, {"--must-pass", "safety", "--junit", "g.xml"});
  CHECK(gate.text("verdict") == "fail");
  CHECK(gate.get("must_pass")->get("wrong")->as_array()[0].as_string() == "r8");
  CHECK(contains(f.box.read("g.xml"), "failures=\"2\""));
  check_refused(f.box.run({"promote", "bad", "--gate", gate.text("run_id")}), exits::not_permitted,
                {"did not pass", "fail"});
  check_refused(f.box.run({"promote", "bad"}), exits::not_permitted, {"no gate run"});
  check_refused(f.box.run({"promote", "bad", "--force"}), exits::bad_input, {"--because"});
  CHECK(f.production() == "old");
  check_refused(f.box.run({"gate", "bad", "--must-pass", "sefty"}), exits::bad_input,
                {"neither a tag of a row nor a file"});
  CHECK(f.records().text("SELECT value FROM tags WHERE key = 'verdict'") == "fail");
}

TEST_CASE("too few rows are refused before anybody looks at them") {
  Harbour f;
  f.box.write("data/test.jsonl", row(1, "") + row(2, ""));
  const int before = f.model.count();
  const auto gate = f.gate("good", refused, {"--against", "old"});
  CHECK(gate.text("verdict") == "refused");
  CHECK(gate.number("rows_needed") >= 149);
  CHECK(f.model.count() == before);
  CHECK(f.gate("bad", refused, {"--against", "good", "--margin", "0.01"}).number("rows_needed") >
        gate.number("rows_needed"));
}

TEST_CASE("an endpoint's run is scored again; what no longer fits is named") {
  Fixture f(says("none()"), weather_service());
  const auto again = f.box.run({"reproduce", f.first_run, "--json"});
  INFO(again.out, again.err);
  CHECK(again.exit_code == exits::ok);
  CHECK(again.parsed().text("grade") == "replay");
  CHECK(f.box.run({"reproduce", f.first_run, "--grade", "token"}).exit_code == exits::said_no);
  const auto object = f.records().text(
      "SELECT json_extract(inputs, '$.rows_object') FROM runs WHERE id = '" + f.first_run + "'");
  f.box.write("data/test.jsonl", row(1, ""));  // the store has the rows
  CHECK(f.box.run({"reproduce", f.first_run, "--verify"}).exit_code == exits::ok);
  f.box.write(".slipway/objects/" + object.substr(0, 2) + "/" + object, "damaged");
  const auto lost = f.box.run({"reproduce", f.first_run, "--json"});
  CHECK(lost.exit_code == exits::said_no);
  CHECK(lost.parsed().text("first_difference") == "dataset_sha256");
}

TEST_CASE("an evaluation with a model is reproduced bit for bit though the files have changed") {
  SLIPWAY_NEEDS_MODEL();
  Sandbox box;
  REQUIRE(box.run({"init"}).exit_code == exits::ok);
  const auto hashed = box.run({"eval", "--json", "--limit", "3", "--logprobs"});
  INFO(hashed.err);
  REQUIRE(hashed.exit_code == exits::ok);
  const auto plain = box.run({"eval", "--json", "--limit", "3"});
  for (const auto& path : files_under(box.path("prompts")))
    box.write(path.substr(box.project().size() + 1), "something else {{ input }}");
  const auto again = box.run({"reproduce", hashed.parsed().text("run_id"), "--json"});
  INFO(again.out, again.err);
  CHECK(again.exit_code == exits::ok);
  CHECK(again.parsed().text("grade") == "bit");
  CHECK(again.parsed().number("equal_hashes") == 3);
  const auto tokens = box.run({"reproduce", plain.parsed().text("run_id"), "--json"});
  CHECK(tokens.parsed().text("grade") == "token");
  const Records records(box.path(".slipway"));
  CHECK(records.integer("SELECT count(*) FROM runs WHERE kind = 'reproduce'") == 2);
}
