// A prompt is searched: better examples are found, nothing of test is seen, a kill loses nothing.
#include <doctest/doctest.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "project.h"

using namespace slipway;
using namespace slipway::scenario;

namespace {

std::string row(const std::string& id, const std::string& input) {
  return R"({"id": ")" + id + R"(", "input": ")" + input +
         R"(", "output": "weather.get_weather(location=')" + input + "')\"}\n";
}

// Right as often as its prompt has worked examples, and on half of the rows whatever it has.
std::string answer(const std::string& asked) {
  size_t examples = 0;
  for (size_t at = asked.find("request: "); at != std::string::npos;
       at = asked.find("request: ", at + 1))
    ++examples;
  const auto last = asked.rfind("request: ") + 9;
  const auto input = asked.substr(last, asked.find('\n', last) - last);
  const auto number = static_cast<size_t>(input[input.size() - 1] - '0');
  return number < examples ? "weather.get_weather(location='" + input + "')" : "none()";
}

struct Yard : Fixture {
  Yard() : Fixture(says(answer), weather_service()) {
    box.write("prompts/plain.jinja",
              "Write the call. Say no more.\n\nrequest: rome\ncall: weather.get_weather("
              "location='rome')\n\nrequest: {{ input }}\ncall:");
    std::string train, dev;
    for (int i = 0; i < 40; ++i) train += row("t" + std::to_string(i), "town " + std::to_string(i));
    for (int i = 0; i < 40; ++i) dev += row("d" + std::to_string(i), "port " + std::to_string(i));
    box.write("data/train.jsonl", train + row("x", "secret place 1"));
    box.write("data/dev.jsonl", dev);
    box.write("data/test.jsonl", row("s", "secret place 1"));
    box.replace("slipway.toml", "[datasets.test]",
                "[datasets.train]\npath = \"data/train.jsonl\"\n\n[datasets.dev]\npath = "
                "\"data/dev.jsonl\"\n\n[datasets.test]");
  }
};

std::vector<std::string> words(const std::string& minutes) {
  return {"optimize", "--candidate", "plain", "--minutes", minutes, "--attempts", "4", "--json"};
}

}  // namespace

TEST_CASE("more examples are found to be better, adopted, and never taken from test") {
  Yard f;
  const auto before = f.model.count();
  const auto found = f.box.run(words("5"));
  INFO(found.out, found.err);
  REQUIRE(found.exit_code == exits::ok);
  const auto value = found.parsed();
  const auto& first = value.get("attempts")->as_array()[0];
  CHECK(value.get("best")->number("passed") > first.number("passed"));
  CHECK(value.get("best")->number("rows") == 40);
  const auto prompt = f.box.read("prompts/optimized.jinja");
  CHECK(contains(prompt, "request: town "));
  CHECK_FALSE(contains(prompt, "secret"));
  CHECK(contains(value.text("toml"), "[candidates.optimized]"));
  const auto asked = f.model.requests();
  for (size_t i = static_cast<size_t>(before); i < asked.size(); ++i)
    CHECK_FALSE(contains(asked_of(asked[i]), "secret"));
  CHECK(f.records().integer("SELECT count(*) FROM runs WHERE kind = 'eval' AND "
                            "json_extract(inputs, '$.split') = 'test' AND id != '" +
                            f.first_run + "'") == 0);
  CHECK(f.records().integer("SELECT count(*) FROM runs WHERE parent_id = '" + value.text("run_id") +
                            "'") >= 5);
}

TEST_CASE("a search that was killed continues: what was measured is not asked again") {
  Yard f;
  const auto begun = f.model.count();
  {
    auto child = f.box.start(words("5"));
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (f.model.count() < begun + 60) {
      REQUIRE(std::chrono::steady_clock::now() < deadline);
      REQUIRE_FALSE(child.ended());
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    child.signal(SIGKILL);
    child.wait();
  }
  const auto at_kill = f.model.count();
  const auto again = f.box.run(words("5"));
  INFO(again.err);
  REQUIRE(again.exit_code == exits::ok);
  CHECK(again.parsed().flag("resumed"));
  const auto resumed_cost = f.model.count() - at_kill;
  Yard whole;
  const auto start = whole.model.count();
  const auto other = whole.box.run(words("5"));
  REQUIRE(other.exit_code == exits::ok);
  CHECK(resumed_cost < whole.model.count() - start);
  CHECK(f.box.read("prompts/optimized.jinja") == whole.box.read("prompts/optimized.jinja"));
  CHECK(f.records().integer("SELECT count(*) FROM runs WHERE kind = 'optimize'") == 1);
}

TEST_CASE("what cannot be searched is said at once") {
  Yard f;
  check_refused(f.box.run({"optimize", "--candidate", "plain", "--dev", "test"}), exits::bad_input,
                {"test split"});
  f.box.write("prompts/plain.jinja", "{{ input }}");
  check_refused(f.box.run({"optimize", "--candidate", "plain"}), exits::bad_input,
                {"request: {{ input }}"});
}
