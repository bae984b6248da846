#include <doctest/doctest.h>

#include "skill/signature.h"

namespace slipway::skill {
namespace {

constexpr const char* weather_file = R"json({
  "slipway_skill": 1, "name": "weather", "description": "Forecasts.",
    "base_url": "http://127.0.0.1:8765/",
  "tools": [
    {"type": "function", "function": {"name": "get_weather",
      "description": "The weather at a place.", "strict": true,
      "parameters": {"type": "object", "additionalProperties": false, "required": ["location"],
        "properties": {
        "location": {"type": "string", "description": "a city"},
        "unit": {"type": "string", "enum": ["celsius", "fahrenheit"], "default": "celsius"}}}}},
    {"type": "function", "function": {"name": "report", "parameters": {"type": "object",
      "properties": {"text": {"type": "string"}}}}}
  ],
  "functions": {
    "get_weather": {"http": {"method": "GET", "path": "/weather/{location}",
      "query": {"unit": "{unit}", "key": "${KEY}"},
                             "headers": {"X-Place": "{location}"}, "timeout_ms": 500},
                    "reply": "It is {{ result.temperature }} degrees."},
    "report": {"http": {"method": "POST", "path": "/reports", "body": {"text": "{text}", "n": 1},
      "idempotent": true}}
  }
})json";

// The file with one text replaced, and the error that results.
std::string error_with(const std::string& from, const std::string& to) {
  std::string text = weather_file;
  const auto at = text.find(from);
  REQUIRE_MESSAGE(at != std::string::npos, from);
  text.replace(at, from.size(), to);
  const auto skill = parse_skill(text);
  return skill.ok() ? "" : skill.error().to_string();
}

bool mentions(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("skill file: read") {
  const auto skill = parse_skill(weather_file);
  REQUIRE_MESSAGE(skill.ok(), skill.error().to_string());
  CHECK(skill->name == "weather");
  CHECK(skill->base_url == "http://127.0.0.1:8765");
  const auto& get = skill->functions.at(0);
  CHECK(get.qualified_name() == "weather.get_weather");
  CHECK(get.permission == Permission::allow);
  CHECK(get.http.idempotent);
  CHECK(get.http.timeout_ms == 500);
  CHECK(get.http.query.at(1) == std::pair<std::string, std::string>{"key", "${KEY}"});
  CHECK(get.parameters.at(0).required);
  CHECK(get.parameters.at(0).description == "a city");
  CHECK(*get.parameters.at(1).default_value == json::Value("celsius"));
  CHECK(get.reply == "It is {{ result.temperature }} degrees.");
  const auto& report = skill->functions.at(1);
  CHECK(report.permission == Permission::confirm);
  CHECK(report.http.idempotent);
}

TEST_CASE("skill file: errors name the path and the nearest key") {
  CHECK(mentions(error_with("\"slipway_skill\": 1", "\"slipway_skill\": 2"),
                 "version 2 is not known"));
  CHECK(mentions(error_with("\"slipway_skill\": 1, ", ""), "not a skill file"));
  CHECK(mentions(error_with("\"base_url\"", "\"base_ulr\""),
                 "unknown key 'base_ulr'; did you mean 'base_url'?"));
  CHECK(mentions(error_with("\"reply\"", "\"repy\""),
                 "functions.get_weather: unknown key 'repy'; did you mean 'reply'?"));
  CHECK(mentions(error_with("\"report\": {\"http\"", "\"reprt\": {\"http\""),
                 "functions: unknown key 'reprt'; did you mean 'report'?"));
  CHECK(mentions(error_with("\"timeout_ms\": 500", "\"timeout_ms\": 0"),
                 "functions.get_weather.http.timeout_ms must be"));
  CHECK(mentions(error_with("/weather/{location}", "/weather/{locaton}"),
                 "{locaton} is no parameter of weather.get_weather; did you mean {location}?"));
  CHECK(mentions(error_with("/weather/{location}", "/weather?x=1"),
                 "functions.get_weather.http.path"));
  CHECK(mentions(error_with("/weather/{location}", "//evil/"), "functions.get_weather.http.path"));
  CHECK(mentions(error_with("/weather/{location}", "/${KEY}"), "headers and query only"));
  CHECK(mentions(error_with("\"text\": \"{text}\"", "\"text\": \"${KEY}\""),
                 "http.body.text: ${KEY}"));
  CHECK(mentions(error_with("X-Place", "Host"), "'Host' is set by the client"));
  CHECK(mentions(error_with("X-Place", "X Place"), "no header name"));
  CHECK(mentions(error_with("\"method\": \"GET\"", "\"method\": \"GTE\""),
                 "http.method must be one of GET"));
  CHECK(mentions(
      error_with("\"type\": \"string\", \"description\"", "\"type\": \"text\", \"description\""),
      "tools[0].function.parameters.properties.location.type: unknown type 'text'"));
  CHECK(
      mentions(error_with("\"name\": \"report\"", "\"name\": \"get_weather\""), "is there twice"));
  CHECK(mentions(error_with("\"name\": \"report\"", "\"name\": \"re port\""), "no function name"));
  CHECK(mentions(error_with("\"required\": [\"location\"]", "\"required\": [\"place\"]"),
                 "no property 'place'"));
  CHECK(
      mentions(error_with("\"idempotent\": true}", "\"idempotent\": 1}"), "must be true or false"));
}

TEST_CASE("skill file: base_url is an origin and nothing more") {
  for (const char* bad : {"ftp://h", "http://h/v1", "http://user@h", "http://h?x",
                          "http://{location}", "h", "http://"}) {
    CHECK_MESSAGE(error_with("http://127.0.0.1:8765/", bad) != "", bad);
  }
  CHECK(error_with("http://127.0.0.1:8765/", "https://api.example.com") == "");
}

TEST_CASE("skill set: find, duplicates, and files that read back the same") {
  auto skill = parse_skill(weather_file);
  REQUIRE(skill.ok());
  SkillSet skills;
  REQUIRE(skills.add(*skill).ok());
  CHECK(skills.add(*skill).error().code() == ErrorCode::already_exists);
  REQUIRE(skills.find("weather.report"));
  CHECK(skills.find("weather.report")->name == "report");
  CHECK(skills.find("weather") == nullptr);
  CHECK(skills.find("weather.") == nullptr);
  CHECK(skills.find("report") == nullptr);
  CHECK(skills.skill_of(*skills.find("weather.report"))->name == "weather");
  CHECK(skills.to_tools().as_array().at(1).get("function")->text("name") == "weather.report");

  const auto written = skills.to_json();
  const auto again = parse_skill(written.as_array().at(0).dump());
  REQUIRE_MESSAGE(again.ok(), again.error().to_string());
  CHECK(skill_to_json(*again).dump() == written.as_array().at(0).dump());
}

TEST_CASE("functions without a skill's name are called by their own, dots included") {
  auto tools = json::parse(R"([{"function": {"name": "a.b.c"}}, {"function": {"name": "get"}}])");
  REQUIRE(tools.ok());
  const auto brought = parse_tools(*tools);
  REQUIRE_MESSAGE(brought.ok(), brought.error().to_string());
  SkillSet skills;
  REQUIRE(skills.add(*brought).ok());
  REQUIRE(skills.find("a.b.c"));
  CHECK(skills.find("a.b.c")->qualified_name() == "a.b.c");
  CHECK(skills.find("get")->qualified_name() == "get");
  CHECK(skills.find("a.b") == nullptr);
  CHECK(skills.find(".get") == nullptr);
  CHECK(skills.skill_of(*skills.find("get"))->name.empty());
  CHECK(skills.add(*brought).error().code() == ErrorCode::already_exists);

  const auto file = skill_to_json(*brought).dump();
  const auto again = parse_skill(file);
  REQUIRE_MESSAGE(again.ok(), again.error().to_string());
  CHECK(skill_to_json(*again).dump() == file);

  for (const char* bad : {R"({})", R"([1])", R"([{"function": {"name": "a..b"}}])",
                          R"([{"function": {"name": ".a"}}])", R"([{"function": {"name": ""}}])"}) {
    const auto value = json::parse(bad);
    REQUIRE(value.ok());
    CHECK_MESSAGE(!parse_tools(*value).ok(), bad);
  }
  CHECK_FALSE(parse_skill(R"({"slipway_skill": 1, "name": "", "tools": []})").ok());
}

TEST_CASE("skill file: tools alone are enough to decide, and fail with the path of the file") {
  const auto skill =
      parse_skill(R"({"slipway_skill": 1, "name": "s", "tools": [{"function": {"name": "f"}}]})");
  REQUIRE_MESSAGE(skill.ok(), skill.error().to_string());
  CHECK(skill->functions.at(0).permission == Permission::confirm);
  CHECK(load_skill_file("/nonexistent/skill.json").error().code() == ErrorCode::not_found);
}

}  // namespace slipway::skill
