#include "candidate/confidence.h"

#include <doctest/doctest.h>

#include "candidate/candidate.h"

using namespace slipway;
using namespace slipway::candidate;

namespace {

std::shared_ptr<const skill::SkillSet> parcels() {
  auto tools = json::parse(R"([{"function": {"name": "parcel.track",
    "description": "Retrieves the delivery status of a parcel by its tracking number.",
    "parameters": {"type": "object", "required": ["number"], "properties": {
      "number": {"type": "string"}, "carrier": {"type": "string", "enum": ["DHL", "UPS"]}}}}}])");
  REQUIRE(tools.ok());
  auto skill = skill::parse_tools(*tools);
  REQUIRE(skill.ok());
  auto skills = std::make_shared<skill::SkillSet>();
  REQUIRE(skills->add(*skill).ok());
  return skills;
}

std::vector<skill::Call> track(const std::string& number) {
  return {{"parcel.track", {{"number", number}, {"carrier", "DHL"}}}};
}

}  // namespace

TEST_CASE("words shared with the function, and arguments that were said") {
  const auto skills = parcels();
  const auto sure = confidence_of("track my parcel JD 4711", track("JD4711"), *skills, -0.1);
  const auto invented = confidence_of("track my parcel", track("12345"), *skills, -0.1);
  const auto elsewhere = confidence_of("play some jazz", track("12345"), *skills, -0.1);
  CHECK(sure.grounded == 1);  // the enum needs no word
  CHECK(invented.grounded == 0);
  CHECK(elsewhere.relevance == 0);
  CHECK(sure.value > invented.value);
  CHECK(invented.value > elsewhere.value);
  CHECK(confidence_of("track my parcel JD 4711", track("JD4711"), *skills, -3).value < sure.value);
}

TEST_CASE("the least sure of several calls decides") {
  const auto skills = parcels();
  auto both = track("JD4711");
  both.push_back(track("999")[0]);
  CHECK(confidence_of("track parcel JD 4711", both, *skills, 0).grounded == 0);
}

TEST_CASE("calls below the candidate's threshold become none(); what is no call stays") {
  Candidate c;
  c.skills = parcels();
  c.min_confidence = 0.5;
  const std::string text = "parcel.track(number='12345')";
  CHECK(settle(c, {.text = "play some jazz"}, text, -2).text == "none()");
  CHECK(settle(c, {.text = "delivery status of parcel number 12345"}, text, 0).text == text);
  CHECK(settle(c, {.text = "play some jazz"}, "no idea", -2).text == "no idea");
  CHECK_FALSE(settle(c, {.text = "x"}, "none()", -2).confidence.has_value());
  c.min_confidence = 0;
  CHECK(settle(c, {.text = "play some jazz"}, text, -2).text == text);
}

TEST_CASE("an input's own functions replace the candidate's, in prompt and grammar alike") {
  Candidate c;
  c.prompt = {"p", "{{ tools[0].function.name }} {{ input }}"};
  c.skills = std::make_shared<skill::SkillSet>();
  c.constrain = true;
  auto tools = json::parse(R"([{"type": "function", "function": {"name": "a.b.c"}}])");
  REQUIRE(tools.ok());
  Input input{.text = "go", .history = {}, .context = json::Value::object()};
  input.context.set("functions", *tools);
  auto request = make_request(c, input, constraint_of(c));
  REQUIRE_MESSAGE(request.ok(), request.error().to_string());
  CHECK(request->messages.at(0).content == "a.b.c go");
  CHECK(fits(*request->constraint, "a.b.c()"));

  input.context.set("functions", "nonsense");
  CHECK_FALSE(make_request(c, input, nullptr).ok());
}

TEST_CASE("optional texts that nobody said are left out") {
  auto skill = skill::parse_skill(R"json({"slipway_skill": 1, "name": "weather", "tools": [
      {"type": "function", "function": {"name": "now", "parameters": {"type": "object", "required": ["city"],
        "properties": {"city": {"type": "string"}, "days": {"type": "integer"}, "rain": {"type": "boolean"},
                       "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]}}}}}]})json");
  REQUIRE(skill.ok());
  skill::SkillSet skills;
  REQUIRE(skills.add(std::move(*skill)).ok());
  const auto left = [&](const std::string& request, const std::string& written) {
    const auto calls = skill::parse_calls(written);
    REQUIRE(calls.ok());
    return skill::print_calls(without_unsaid(request, *calls, skills), skills);
  };
  CHECK(left("weather in oslo", "weather.now(city='oslo', unit='celsius')") ==
        "weather.now(city='oslo')");
  CHECK(left("oslo in Celsius", "weather.now(city='oslo', unit='celsius')") ==
        "weather.now(city='oslo', unit='celsius')");
  CHECK(left("here", "weather.now(city='oslo', days=3, rain=true)") ==
        "weather.now(city='oslo', days=3, rain=true)");
  CHECK(left("x", "weather.now(city='a', unit='celsius')\nweather.now(city='b')") ==
        "weather.now(city='a')\nweather.now(city='b')");
}
