#include "eval/scorer.h"

#include <doctest/doctest.h>

using namespace slipway;
using namespace slipway::eval;

namespace {

std::shared_ptr<const skill::SkillSet> lights() {
  skill::Function on;
  on.skill = "lights";
  on.name = "turn_on";
  auto schema = json::Value::object();
  schema.set("type", "string");
  on.parameters = {{"room", "", schema, true, {}}};
  auto set = std::make_shared<skill::SkillSet>();
  REQUIRE(set->add({"lights", "", "http://127.0.0.1:1", {on}}).ok());
  return set;
}

dataset::Example expecting(const std::string& output) {
  dataset::Example example;
  example.id = "1";
  example.output = output;
  return example;
}

}  // namespace

TEST_CASE("call: equal in canonical form passes, another argument does not") {
  auto scorer = make_scorer("call", lights());
  REQUIRE(scorer.ok());
  const auto example = expecting("lights.turn_on(room='kitchen')");
  CHECK((*scorer)->score(example, " lights.turn_on( \"kitchen\" ) ").passed);
  const auto other = (*scorer)->score(example, "lights.turn_on(room='hall')");
  CHECK_FALSE(other.passed);
  CHECK(other.valid);
  CHECK_FALSE((*scorer)->score(example, "Sure! I turned it on.").valid);
  CHECK_FALSE((*scorer)->score(example, "lights.explode(room='kitchen')").valid);
  CHECK((*scorer)->score(expecting("none()"), "none()").passed);
  CHECK_FALSE((*scorer)->score(expecting("none()"), "lights.turn_on(room='kitchen')").passed);
}

TEST_CASE("fields: the stated lines, white space and case folded") {
  auto scorer = make_scorer("fields", lights());
  REQUIRE(scorer.ok());
  const auto example = expecting("location: Boston\ntemperature: 7\nconditions: rain");
  CHECK((*scorer)->score(example, "location: boston\nTemperature:  7\nconditions: Rain.\n").passed);
  const auto wrong =
      (*scorer)->score(example, "location: boston\ntemperature: 8\nconditions: rain");
  CHECK_FALSE(wrong.passed);
  CHECK(wrong.valid);
  CHECK(wrong.reason.find("temperature") != std::string::npos);
  CHECK_FALSE((*scorer)->score(example, "It is 7 degrees in Boston").valid);
  const auto other_order = "Here it is:\nconditions: rain\ntemperature: 7\nlocation: boston";
  CHECK((*scorer)->score(example, other_order).passed);
  CHECK_FALSE((*scorer)->score(expecting("I do not know."), "location: boston").passed);
  const auto twice = expecting("item: milk\nitem: eggs");
  CHECK((*scorer)->score(twice, "item: eggs\nitem: milk").passed);
  CHECK_FALSE((*scorer)->score(twice, "item: milk").passed);
}

TEST_CASE("json: equal values") {
  auto scorer = make_scorer("json", lights());
  REQUIRE(scorer.ok());
  CHECK((*scorer)->score(expecting(R"({"a": 1, "b": 2})"), R"( {"b":2,"a":1.0} )").passed);
  CHECK_FALSE((*scorer)->score(expecting("{}"), "{").valid);
}

TEST_CASE("an unknown scorer is refused by name") {
  CHECK_FALSE(make_scorer("magic", lights()).ok());
}
