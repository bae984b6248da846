#include "eval/accepted.h"

#include <doctest/doctest.h>

#include "eval/scorer.h"

using namespace slipway;
using namespace slipway::eval;

namespace {

const char* tools = R"([{"type": "function", "function": {"name": "shop.order", "parameters": {
  "type": "object", "required": ["item", "count"], "properties": {
    "item": {"type": "string"}, "count": {"type": "integer"}, "price": {"type": "number"},
    "gift": {"type": "boolean", "default": false}, "tags": {"type": "array", "items": {"type": "string"}},
    "to": {"type": "object", "properties": {"city": {"type": "string"}, "zip": {"type": "string"}}},
    "parts": {"type": "array", "items": {"type": "object", "properties": {"n": {"type": "integer"}}}}}}}},
  {"type": "function", "function": {"name": "ping"}}])";

dataset::Example expecting(const std::string& output) {
  dataset::Example example;
  example.id = "1";
  example.input = "x";
  example.output = output;
  auto functions = json::parse(tools);
  REQUIRE(functions.ok());
  example.context = json::Value::object();
  example.context.set("functions", *functions);
  return example;
}

Score score(const std::string& accepted, const std::string& output) {
  auto scorer = make_scorer("bfcl", std::make_shared<skill::SkillSet>());
  REQUIRE(scorer.ok());
  return (*scorer)->score(expecting(accepted), output);
}

const std::string tea =
    R"([{"shop.order": {"item": ["green tea", "tea, green"], "count": [2], "gift": ["", true],
        "price": ["", 3.0]}}])";

}  // namespace

TEST_CASE("strings: case, spaces and punctuation make no difference, quotes are one") {
  CHECK(standardise("April 1, 2024") == standardise("april 1,2024"));
  CHECK(standardise("it's") == "it\"s");
  CHECK(standardise("a-b_c/d.e*f^g") == "abcdefg");
}

TEST_CASE("a call passes when each argument is among the accepted values") {
  CHECK(score(tea, "shop.order(item='Green Tea', count=2)").passed);
  CHECK(score(tea, "shop.order(item='tea,green', count=2, gift=true)").passed);
  CHECK(score(tea, "shop.order(item='green tea', count=2, price=3)").passed);  // an int for a float
  CHECK(score(tea, "shop.order('green tea', 2)").passed);
  CHECK_FALSE(score(tea, "shop.order(item='black tea', count=2)").passed);
  CHECK_FALSE(score(tea, "shop.order(item='green tea', count=3)").passed);
  CHECK_FALSE(score(tea, "shop.order(item='green tea', count='2')").passed);  // a text
  CHECK_FALSE(score(tea, "shop.order(item='green tea', count=2, gift=false)").passed);
  CHECK_FALSE(score(tea, "shop.order(item='green tea', count=2, tags=['x'])").passed);
  CHECK_FALSE(score(tea, "ping()").passed);
  CHECK_FALSE(score(tea, "none()").passed);
  CHECK_FALSE(score(tea, "order some tea").valid);
}

TEST_CASE("an argument without \"\" among its values must be given") {
  const std::string accepted =
      R"([{"shop.order": {"item": ["x"], "count": [1], "gift": [false]}}])";
  CHECK_FALSE(score(accepted, "shop.order(item='x', count=1)").passed);
  CHECK(score(accepted, "shop.order(item='x', count=1, gift=false)").passed);
}

TEST_CASE("lists, objects and lists of objects") {
  const std::string accepted =
      R"([{"shop.order": {"item": ["x"], "count": [1], "tags": [["A b", "c"], []],
          "to": [{"city": ["New York"], "zip": ["", "10001"]}], "parts": ["", [{"n": [1]}, {"n": [2]}]]}}])";
  const auto with = [](const std::string& more) {
    return "shop.order(item='x', count=1, " + more + ")";
  };
  CHECK(score(accepted, with("tags=['a b', 'C'], to={'city': 'new york'}")).passed);
  CHECK(score(accepted, with("tags=[], to={'city': 'new york', 'zip': '10001'}")).passed);
  CHECK(
      score(accepted, with("tags=[], to={'city': 'new york'}, parts=[{'n': 1}, {'n': 2}]")).passed);
  CHECK_FALSE(score(accepted, with("tags=['c', 'a b'], to={'city': 'new york'}")).passed);
  CHECK_FALSE(score(accepted, with("tags=[], to={'zip': '10001'}")).passed);
  CHECK_FALSE(score(accepted, with("tags=[], to={'city': 'new york'}, parts=[{'n': 1}]")).passed);
}

TEST_CASE("several calls in any order, each used once") {
  const std::string two = R"([{"shop.order": {"item": ["a"], "count": [1]}},
                              {"shop.order": {"item": ["b", "a"], "count": [1]}}])";
  CHECK(score(two, "shop.order(item='b', count=1)\nshop.order(item='a', count=1)").passed);
  CHECK(score(two, "shop.order(item='a', count=1)\nshop.order(item='a', count=1)").passed);
  CHECK_FALSE(score(two, "shop.order(item='b', count=1)\nshop.order(item='b', count=1)").passed);
  CHECK_FALSE(score(two, "shop.order(item='a', count=1)").passed);
}

TEST_CASE("no call, and any call") {
  CHECK(score("none()", "none()").passed);
  CHECK(score("none()", "I cannot do that").passed);  // as the leaderboard has it
  CHECK_FALSE(score("none()", "I cannot do that").calls->no_call_given);
  CHECK_FALSE(score("none()", "ping()").passed);
  CHECK(score("any()", "ping()").passed);
  CHECK_FALSE(score("any()", "none()").passed);
}

TEST_CASE("counts: functions, arguments, no call") {
  const auto s = score(tea, "shop.order(item='black tea', count=2)");
  CHECK(s.calls->functions_right);
  CHECK(s.calls->arguments_right == 1);
  CHECK(s.calls->arguments_given == 2);
  CHECK(s.calls->arguments_expected == 2);
}

TEST_CASE("accepted calls that are none are refused") {
  for (const char* bad : {"", "[]", "{}", "[1]", R"([{"f": 1}])", R"([{"f": {"a": 1}}])",
                          R"([{"f": {}, "g": {}}])"}) {
    CHECK_MESSAGE(!parse_accepted(bad).ok(), bad);
  }
  auto scorer = make_scorer("bfcl", std::make_shared<skill::SkillSet>());
  REQUIRE(scorer.ok());
  CHECK((*scorer)->expected(expecting(tea)).ok());
  CHECK_FALSE((*scorer)->expected(expecting(R"([{"nothing": {}}])")).ok());
  CHECK_FALSE((*scorer)->expected(expecting(R"([{"ping": {"x": [1]}}])")).ok());
}
