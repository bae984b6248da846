#include "dataset/vary.h"

#include <doctest/doctest.h>

#include <set>

#include "dataset/dataset.h"
#include "skill/call.h"
#include "skill/said.h"

using namespace slipway;
using namespace slipway::dataset;

namespace {

skill::SkillSet skills() {
  const auto skill = skill::parse_skill(R"({"slipway_skill": 1, "name": "s", "tools": [
    {"type": "function", "function": {"name": "play", "parameters": {
      "type": "object", "properties": {
      "title": {"type": "string", "x-slipway-said": true},
      "by": {"x-slipway-said": true, "anyOf": [{"type": "string"},
             {"type": "array", "items": {"type": "string"}}]},
      "room": {"type": "string", "enum": ["hall", "attic"]}}}}}]})");
  REQUIRE(skill.ok());
  skill::SkillSet set;
  REQUIRE(set.add(*skill).ok());
  return set;
}

Example row(const std::string& id, const std::string& input, const std::string& output) {
  Example example;
  example.id = id;
  example.input = input;
  example.output = output;
  return example;
}

const std::vector<Example> kRows = {
    row("a", "Play Hey Jude by the beatles in the hall",
        "s.play(title='hey jude', by='the beatles', room='hall')"),
    row("b", "play waterloo", "s.play(title='waterloo')"),
    row("c", "play under pressure by queen and bowie",
        "s.play(title='under pressure', by=['queen', 'bowie'])"),
    row("d", "help me", "none()"),
    row("e", "play help by help", "s.play(title='help', by='help')"),
    row("f", "play yesterday", "s.play(title='tomorrow')"),
};

}  // namespace

TEST_CASE("a copy says what other rows said, in the text and in the call alike") {
  const auto set = skills();
  const auto all = vary(kRows, set, {.copies = 40, .seed = 3});
  REQUIRE(all.size() == 41 * kRows.size());
  std::set<std::string> titles;
  for (size_t i = kRows.size(); i < all.size(); ++i) {
    const auto& example = all[i];
    INFO(example.id, " ", example.input, " ", example.output);
    const auto number = i % kRows.size();
    if (number > 2) {  // no call, a place that is not the only one, a value that was not said
      CHECK(example.input == kRows[number].input);
      CHECK(example.output == kRows[number].output);
      continue;
    }
    auto calls = skill::parse_calls(example.output);
    REQUIRE(calls.ok());
    for (const auto& argument : calls->at(0).arguments) {
      if (argument.name == "room") CHECK(argument.value.as_string() == "hall");
      if (argument.name == "title") titles.insert(argument.value.as_string());
      auto values = argument.value.is_array() ? argument.value.as_array()
                                              : json::Array{argument.value};
      for (const auto& value : values) CHECK(skill::is_said(value.as_string(), {example.input}));
    }
  }
  CHECK(titles == std::set<std::string>{"hey jude", "waterloo", "under pressure"});
}

TEST_CASE("the rows come first as they were; the seed decides the others") {
  const auto set = skills();
  const auto one = vary(kRows, set, {.seed = 1}), again = vary(kRows, set, {.seed = 1});
  const auto other = vary(kRows, set, {.copies = 4, .seed = 2});
  for (size_t i = 0; i < kRows.size(); ++i) CHECK(one[i].input == kRows[i].input);
  CHECK(one[kRows.size()].id == "a~1");
  CHECK(to_jsonl(one) == to_jsonl(again));
  CHECK(other.size() == 5 * kRows.size());
  const auto same = vary(kRows, set, {.copies = 1, .seed = 1, .share = 0});
  CHECK(same[kRows.size()].input == kRows[0].input);
}
