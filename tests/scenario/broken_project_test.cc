// What somebody gets who made a mistake in a file or in a command.
#include <doctest/doctest.h>

#include "project.h"

using namespace slipway;
using namespace slipway::scenario;

namespace {

constexpr const char* good_row =
    R"row({"input": "boston", "output": "weather.get_weather(location='boston')"})row";

// Runs eval on a dataset of one good row, then `second`, then another good one.
Outcome eval_with_row(const Fixture& f, const std::string& second) {
  const std::string last = R"row({"input": "oslo", "output": "none()"})row";
  f.box.write("data/test.jsonl", good_row + ("\n" + second) + "\n" + last + "\n");
  return f.box.run({"eval"});
}

}  // namespace

TEST_CASE("a broken slipway.toml is refused with line and remedy") {
  Fixture f(says("none()"), weather_service());
  SUBCASE("syntax") {
    f.box.replace("slipway.toml", "name = \"scenario\"", "name = \"scenario");
    check_refused(f.box.run({"eval"}), exits::bad_input, {"slipway.toml: line 2", "correct"});
  }
  SUBCASE("an unknown key") {
    f.box.replace("slipway.toml", "max_tokens", "max_tokns");
    check_refused(f.box.run({"eval"}), exits::bad_input,
                  {"line 9: unknown key 'candidates.plain.max_tokns'",
                   "did you mean 'max_tokens'?"});
  }
  SUBCASE("a wrong type") {
    f.box.replace("slipway.toml", "max_tokens = 48", "max_tokens = \"many\"");
    check_refused(f.box.run({"eval"}), exits::bad_input,
                  {"line 9: candidates.plain.max_tokens must be a whole number"});
  }
  SUBCASE("a value out of range") {
    f.box.replace("slipway.toml", "max_tokens = 48", "max_tokens = 0");
    check_refused(f.box.run({"eval"}), exits::bad_input, {"max_tokens must be between"});
  }
  SUBCASE("a missing key") {
    f.box.replace("slipway.toml", "prompt = \"prompts/plain.jinja\"\n", "");
    check_refused(f.box.run({"eval"}), exits::bad_input,
                  {"[candidates.plain] has no 'prompt'", "add prompt"});
  }
  SUBCASE("a newer format") {
    f.box.replace("slipway.toml", "slipway = 1", "slipway = 2");
    check_refused(f.box.run({"eval"}), exits::bad_input, {"slipway = 1"});
  }
  f.check_sound();
}

TEST_CASE("what the project does not have is not found, and the nearest name is offered") {
  Fixture f(says("none()"), weather_service());
  SUBCASE("candidate") {
    check_refused(f.box.run({"eval", "--candidate", "plian"}), exits::not_found,
                  {"no candidate 'plian'", "did you mean 'plain'?"});
  }
  SUBCASE("dataset") {
    check_refused(f.box.run({"eval", "--dataset", "dev"}), exits::not_found,
                  {"no dataset 'dev'", "slipway.toml defines test"});
  }
  SUBCASE("run") {
    check_refused(f.box.run({"show", "0000000000"}), exits::not_found, {"0000000000"});
  }
  SUBCASE("prompt file") {
    f.box.replace("slipway.toml", "prompts/plain.jinja", "prompts/plane.jinja");
    check_refused(f.box.run({"eval"}), exits::not_found, {"prompts/plane.jinja"});
  }
  SUBCASE("dataset file") {
    f.box.replace("slipway.toml", "data/test.jsonl", "data/tset.jsonl");
    check_refused(f.box.run({"eval"}), exits::not_found, {"data/tset.jsonl"});
  }
  SUBCASE("scorer") {
    check_refused(f.box.run({"eval", "--scorer", "cal"}), exits::not_found, {"'cal'", "call"});
  }
  f.check_sound();
}

TEST_CASE("a broken prompt says where") {
  Fixture f(says("none()"), weather_service());
  f.box.write("prompts/plain.jinja", "{{ input }}\n{% for x in %}\n");
  check_refused(f.box.run({"eval"}), exits::bad_input,
                {"prompt 'plain'", "line 2"});
  f.check_sound();
}

TEST_CASE("outside a project the way to begin is named") {
  Sandbox box;
  for (const char* command : {"eval", "runs", "ask"}) {
    check_refused(box.run({command}), exits::not_found, {"no slipway.toml", "slipway init"});
  }
  CHECK(files_under(box.project()).empty());
}

TEST_CASE("a broken dataset row is named by its line") {
  Fixture f(says("none()"), weather_service());
  SUBCASE("bad JSON") {
    check_refused(eval_with_row(f, R"({"input": "x", )"), exits::bad_input,
                  {"data/test.jsonl line 2:"});
  }
  SUBCASE("no output") {
    check_refused(eval_with_row(f, R"({"input": "x"})"), exits::bad_input,
                  {"data/test.jsonl line 2:", "'output' is missing"});
  }
  SUBCASE("a misspelt key") {
    check_refused(eval_with_row(f, R"({"input": "x", "ouput": "none"})"), exits::bad_input,
                  {"data/test.jsonl line 2:", "ouput"});
  }
  SUBCASE("the same row twice") {
    check_refused(eval_with_row(f, good_row), exits::bad_input, {"line 2", "line 1"});
  }
  SUBCASE("no rows at all") {
    f.box.write("data/test.jsonl", "\n\n");
    check_refused(f.box.run({"eval"}), exits::bad_input, {"data/test.jsonl has no rows"});
  }
  f.check_sound();
}

TEST_CASE("a broken skill file is named with the place in it") {
  Fixture f(says("none()"), weather_service());
  SUBCASE("bad JSON") {
    f.box.write("skills/weather.json", "{\n  \"slipway_skill\": 1,\n");
    check_refused(f.box.run({"eval"}), exits::bad_input, {"skills/weather.json", "line 3"});
  }
  SUBCASE("an unknown key") {
    f.box.replace("skills/weather.json", "\"timeout_ms\"", "\"timeout\"");
    check_refused(f.box.run({"ask", "boston"}), exits::bad_input,
                  {"skills/weather.json", "timeout", "timeout_ms"});
  }
  SUBCASE("a host that an argument would choose") {
    f.box.write("skills/weather.json", weather_skill("http://{location}.example"));
    check_refused(f.box.run({"ask", "boston"}), exits::bad_input,
                  {"skills/weather.json", "base_url"});
  }
  f.check_sound();
}

TEST_CASE("a mistyped command or option names the nearest or where to read") {
  Sandbox box;
  check_refused(box.run({"evla"}), exits::bad_input, {"no command 'evla'", "did you mean 'eval'?"});
  check_refused(box.run({"eval", "--dtaset", "x"}), exits::bad_input,
                {"--dtaset", "slipway eval --help"});
  check_refused(box.run({"show"}), exits::bad_input, {"run", "slipway show --help"});
  check_refused(box.run({"eval", "--dataset"}), exits::bad_input, {"--dataset"});
  check_refused(box.run({"models", "pul"}), exits::bad_input, {"'pul'", "pull"});
  write_project(box, "http://127.0.0.1:1", "http://127.0.0.1:1");
  check_refused(box.run({"eval", "--limit", "-3"}), exits::bad_input, {"--limit", "'-3'"});
  check_refused(box.run({"eval", "--limit", "many"}), exits::bad_input, {"--limit", "'many'"});
}

TEST_CASE("every command explains itself") {
  Sandbox box;
  const auto help = box.run({"--help"});
  CHECK(help.exit_code == exits::ok);
  CHECK(help.err.empty());
  for (const std::string command :
       {"demo", "init", "ask", "eval", "runs", "show", "compare", "models"}) {
    INFO(command);
    CHECK(contains(help.out, command));
    const auto own = box.run({command, "--help"});
    CHECK(own.exit_code == exits::ok);
    CHECK(own.err.empty());
    CHECK(contains(own.out, "Examples:\n  slipway " + command));
  }
  CHECK(box.run({}).out == help.out);
  CHECK(box.run({"--version"}).out.starts_with("slipway "));
}
