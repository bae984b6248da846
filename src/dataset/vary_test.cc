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
  REQUIRE(all.size() > 20 * 3);
  std::set<std::string> titles;
  for (size_t i = kRows.size(); i < all.size(); ++i) {
    const auto& example = all[i];
    INFO(example.id, " ", example.input, " ", example.output);
    // The others: no call, a place that is not the only one, a value that was not said.
    REQUIRE(std::string("abc").find(example.id[0]) != std::string::npos);
    CHECK(example.input != kRows[static_cast<size_t>(example.id[0] - 'a')].input);
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

TEST_CASE("of many names some are put together from two; days and times are not") {
  const auto set = skills();
  std::vector<Example> rows;
  std::set<std::string> titles, names;
  for (int i = 0; i < 120; ++i) {
    const auto n = std::to_string(i);
    const auto title = "song" + n + " of" + n;
    const auto by = std::to_string(i % 24) + " " + std::to_string(i % 5);  // few words, many values
    rows.push_back(row(n, "play " + title + " by " + by,
                       "s.play(title='" + title + "', by='" + by + "')"));
    titles.insert(title), names.insert(by);
  }
  size_t joined = 0;
  const auto all = vary(rows, set, {.copies = 4, .seed = 5});
  for (size_t i = rows.size(); i < all.size(); ++i) {
    const auto calls = skill::parse_calls(all[i].output);
    REQUIRE(calls.ok());
    const auto& title = calls->at(0).arguments[0].value.as_string();
    CHECK(skill::is_said(title, {all[i].input}));
    CHECK(names.contains(calls->at(0).arguments[1].value.as_string()));
    joined += !titles.contains(title);
  }
  CHECK(joined > 70);  // of 480, three quarters of a third
  CHECK(joined < 170);
  for (const auto& example : vary(rows, set, {.copies = 4, .seed = 5, .joined = 0})) {
    const auto calls = skill::parse_calls(example.output);
    CHECK(titles.contains(calls->at(0).arguments[0].value.as_string()));
  }
}

TEST_CASE("the rows come first as they were; the seed decides the others") {
  const auto set = skills();
  const VaryOptions options{.copies = 4, .seed = 1};
  const auto one = vary(kRows, set, options), again = vary(kRows, set, options);
  const auto other = vary(kRows, set, {.copies = 4, .seed = 2});
  for (size_t i = 0; i < kRows.size(); ++i) CHECK(one[i].input == kRows[i].input);
  REQUIRE(one.size() > kRows.size());
  CHECK(one[kRows.size()].id.substr(1) == "~1");
  CHECK(to_jsonl(one) == to_jsonl(again));
  CHECK(to_jsonl(one) != to_jsonl(other));
  CHECK(vary(kRows, set, {.copies = 3, .seed = 1, .share = 0}).size() == kRows.size());
}
