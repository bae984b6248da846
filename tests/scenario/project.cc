#include "project.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace slipway::scenario {
namespace {

constexpr const char* project_toml = R"(slipway = 1
name = "scenario"
skills = ["skills/*.json"]
candidate = "plain"

[candidates.plain]
model = "fake"
prompt = "prompts/plain.jinja"
max_tokens = 48

[datasets.test]
path = "data/test.jsonl"

[endpoints.fake]
url = "ENDPOINT/v1"
model = "scripted"
)";

constexpr const char* rows =
    R"rows({"id": "b", "input": "boston", "output": "weather.get_weather(location='boston')"}
{"id": "o", "input": "oslo", "output": "weather.get_weather(location='oslo')"}
{"id": "n", "input": "who are you", "output": "none()"}
)rows";

std::string with(std::string text, std::string_view name, std::string_view value) {
  text.replace(text.find(name), name.size(), value);
  return text;
}

std::string all_cases(const Records& records, const std::string& run) {
  std::string text;
  for (const auto& row : records.rows("SELECT idx, example_id, passed, output, latency_ms "
                                      "FROM cases WHERE run_id = '" + run + "' ORDER BY idx")) {
    for (const auto& cell : row) text += cell + "\n";
  }
  return text;
}

}  // namespace

std::string weather_skill(const std::string& base_url) {
  return with(R"({
  "slipway_skill": 1,
  "name": "weather",
  "base_url": "BASE_URL",
  "tools": [
    {"type": "function", "function": {
      "name": "get_weather",
      "description": "The weather at a place.",
      "parameters": {
        "type": "object",
        "properties": {"location": {"type": "string"}, "days": {"type": "integer"}},
        "required": ["location"]}}},
    {"type": "function", "function": {
      "name": "report_storm",
      "description": "Warn the neighbours.",
      "parameters": {"type": "object", "properties": {}}}}
  ],
  "functions": {
    "get_weather": {
      "http": {"method": "GET", "path": "/weather/{location}", "timeout_ms": 4000},
      "reply": "It is {{ result.temperature }} degrees in {{ arguments.location }}."
    },
    "report_storm": {
      "permission": "confirm",
      "http": {"method": "POST", "path": "/storm"},
      "reply": "They know."
    }
  }
}
)",
              "BASE_URL", base_url);
}

void write_project(const Sandbox& box, const std::string& endpoint, const std::string& service) {
  box.write("slipway.toml", with(project_toml, "ENDPOINT", endpoint));
  box.write("skills/weather.json", weather_skill(service));
  box.write("prompts/plain.jinja", "{{ input }}");
  box.write("data/test.jsonl", rows);
}

Peer::Script weather_service() {
  return [](const http::ServerRequest&, int) { return json_answer(200, R"({"temperature": 7})"); };
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

void check_refused(const Outcome& outcome, int exit_code,
                   std::initializer_list<std::string_view> says) {
  INFO("stdout: ", outcome.out, "\nstderr: ", outcome.err);
  CHECK(outcome.exit_code == exit_code);
  CHECK(outcome.out.empty());
  CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
  CHECK(outcome.err.starts_with("slipway: "));
  for (const auto& part : says) {
    INFO("wanted: ", std::string(part));
    CHECK(contains(outcome.err, part));
  }
}

Fixture::Fixture(Peer::Script model_says, Peer::Script service_says)
    : model([says = std::move(model_says)](const http::ServerRequest& request, int nth) {
        // The run made beforehand has answers of its own, whatever the scenario's model says.
        constexpr int rows_of_first_run = 3;
        if (nth < rows_of_first_run) return completion("none()");
        return says(request, nth - rows_of_first_run);
      }),
      service(std::move(service_says)) {
  write_project(box, model.url(), service.url());
  const auto made = box.run({"eval", "--json"});
  INFO("stderr: ", made.err);
  REQUIRE(made.exit_code == exits::ok);
  first_run = made.parsed().text("run_id");
  first_cases = all_cases(records(), first_run);
  REQUIRE(!first_cases.empty());
}

void Fixture::check_sound() const {
  CHECK(records().sound());
  CHECK(all_cases(records(), first_run) == first_cases);
  write_project(box, model.url(), service.url());
  const auto listed = box.run({"runs", "--json", "--limit", "100"});
  CHECK(listed.exit_code == exits::ok);
  const auto runs = listed.parsed();
  const auto& list = runs.as_array();
  CHECK(std::any_of(list.begin(), list.end(), [&](const json::Value& run) {
    return run.text("id") == first_run && run.text("status") == "finished";
  }));
}

}  // namespace slipway::scenario
