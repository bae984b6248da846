#include <doctest/doctest.h>

#include <algorithm>
#include <thread>

#include "skill/automaton.h"
#include "skill/grammar.h"
#include "skill/test_skills.h"

namespace slipway::skill {
namespace {

using Constraint = model::Constraint;

SkillSet skills_of(const std::string& schema) {
  const auto file =
      R"({"slipway_skill": 1, "name": "s", "tools": [{"type": "function", "function": {"name": "f",
      "parameters": {"type": "object", "required": ["x"], "properties": {"x": )" +
      schema + "}}}}]}";
  auto skill = parse_skill(file);
  REQUIRE_MESSAGE(skill.ok(), skill.error().to_string());
  SkillSet skills;
  REQUIRE(skills.add(std::move(*skill)).ok());
  return skills;
}

// Does the grammar of a parameter `x` of this schema accept this value?
bool takes(const std::string& schema, const std::string& value,
           const GrammarOptions& options = {}) {
  return fits(*call_grammar(skills_of(schema), options), "s.f(x=" + value + ")");
}

// A random text of the language: any allowed byte, later rather those that lead to an end.
std::string random_walk(const Constraint& grammar, testing::Random& random) {
  std::string text;
  auto state = grammar.start();
  while (true) {
    const bool closing = text.size() > 60;
    if (grammar.accepts(state) && (closing || testing::below(random, 2) == 0)) return text;
    std::vector<unsigned char> allowed;
    for (int byte = 0; byte < 256; ++byte) {
      if (grammar.next(state, static_cast<unsigned char>(byte)) != Constraint::dead) {
        allowed.push_back(static_cast<unsigned char>(byte));
      }
    }
    if (allowed.empty() && grammar.accepts(state)) return text;
    REQUIRE_MESSAGE(!allowed.empty(), "a dead end after ", text);
    REQUIRE(text.size() < 2000);
    auto byte = allowed[random() % allowed.size()];
    const bool escaped = !text.empty() && text.back() == '\\';
    for (const unsigned char end : {'\'', ']', '}', ')'}) {
      const bool possible = std::find(allowed.begin(), allowed.end(), end) != allowed.end();
      if (possible && !escaped && (closing || testing::below(random, 6) == 0)) {
        byte = end;
        break;
      }
    }
    text += static_cast<char>(byte);
    state = grammar.next(state, byte);
  }
}

}  // namespace

TEST_CASE("grammar: canonical calls and nothing else") {
  const auto grammar = call_grammar(testing::home());
  for (const char* text : {"none()", "home.get_time()", "home.get_weather(location='boston')",
                           "home.get_weather(location='it\\'s', unit='fahrenheit', days=14)",
                           "home.set()", "home.set(on=true)", "home.get_time()\nhome.get_time()"}) {
    CHECK_MESSAGE(fits(*grammar, text), text);
  }
  for (const char* text :
       {"", "none", "home.get_time", "home.get_time() ", " home.get_time()", "home.get_weather()",
        "home.get_weather('x')", "home.get_weather(location=\"x\")",
        "home.get_weather(location='')", "home.get_weather(days=3, location='x')",
        "home.get_weather(location='x',days=3)", "home.get_weather(location='x', days=15)",
        "home.get_time()\n", "home.get_weather(location='a\nb')",
        "home.get_weather(location='\xc0\xaf')", "none()\nnone()",
        "home.get_weather(location='\xed\xa0\x80')", "home.get_weather(location='\x7f')",
        "home.unknown()"}) {
    CHECK_MESSAGE(!fits(*grammar, text), text);
  }
}

TEST_CASE("grammar: denied functions are no part of it") {
  const auto grammar = call_grammar(testing::home());
  CHECK(!fits(*grammar, "home.open_door(door='front')"));
  auto state = grammar->start();
  for (const unsigned char byte : std::string("home.")) state = grammar->next(state, byte);
  CHECK(grammar->next(state, 'o') == Constraint::dead);
  CHECK(grammar->next(state, 'g') != Constraint::dead);
}

TEST_CASE("grammar: options") {
  const auto skills = testing::home();
  const auto one = call_grammar(skills, {.max_calls = 1, .allow_no_call = false});
  CHECK(fits(*one, "home.get_time()"));
  CHECK(!fits(*one, "home.get_time()\nhome.get_time()"));
  CHECK(!fits(*one, "none()"));
  const auto three = call_grammar(skills, {.max_calls = 3});
  CHECK(fits(*three, "home.get_time()\nhome.set()\nhome.get_time()"));
  CHECK(!fits(*three, "home.get_time()\nhome.set()\nhome.get_time()\nhome.set()"));
  CHECK(one->fingerprint() != three->fingerprint());
  CHECK(three->fingerprint() == call_grammar(skills, {.max_calls = 3})->fingerprint());
  CHECK(three->fingerprint() != call_grammar({}, {.max_calls = 3})->fingerprint());
}

TEST_CASE("grammar: strings and their bounds") {
  const auto five = R"({"type": "string", "minLength": 2, "maxLength": 5})";
  CHECK(takes(five, "'世世世世世'"));
  CHECK(!takes(five, "'世世世世世世'"));
  CHECK(!takes(five, "'a'"));
  CHECK(takes(five, R"('\'\\\n\tx')"));
  CHECK(takes(R"({"type": "string", "minLength": 3})", "'abcdefghijklmnop'"));
  CHECK(!takes(R"({"type": "string", "minLength": 3})", "'ab'"));
  CHECK(takes(R"({"type": "string", "minLength": 0})", "''"));
  const GrammarOptions short_strings{.max_string_bytes = 7};
  CHECK(takes(R"({"type": "string"})", "'世世a'", short_strings));
  CHECK(!takes(R"({"type": "string"})", "'世世ab'", short_strings));
}

TEST_CASE("grammar: a free string needs few states, however long") {
  const auto grammar = call_grammar(skills_of(R"({"type": "string"})"));
  CHECK(fits(*grammar, "s.f(x='" + std::string(5000, 'a') + "')"));
  CHECK(dynamic_cast<const Automaton&>(*grammar).states() < 20);
}

TEST_CASE("grammar: numbers") {
  const auto small = R"({"type": "integer", "minimum": -3, "maximum": 12})";
  for (const char* n : {"-3", "0", "12", "9"}) CHECK_MESSAGE(takes(small, n), n);
  for (const char* n : {"-4", "13", "007", "1.0", "-0", ""}) CHECK_MESSAGE(!takes(small, n), n);
  const auto positive = R"({"type": "integer", "minimum": 0, "maximum": 50000})";
  CHECK(takes(positive, "50000"));
  CHECK(!takes(positive, "500000"));
  CHECK(!takes(positive, "-1"));
  CHECK(takes(R"({"type": "integer"})", "-123456789012345"));
  CHECK(!takes(R"({"type": "integer"})", "1234567890123456"));
  for (const char* n : {"0", "-0.5", "0.25", "3", "123456789.123456", "0.0002", "0.000001"})
    CHECK_MESSAGE(takes(R"({"type": "number"})", n), n);
  for (const char* n : {"-0", "1.", "1.50", ".5", "1e3", "1.1234567"})
    CHECK_MESSAGE(!takes(R"({"type": "number"})", n), n);
  CHECK(!takes(R"({"type": "number", "minimum": 0})", "-0.5"));
}

TEST_CASE("grammar: lists, objects, alternatives, anything") {
  const auto two =
      R"({"type": "array", "items": {"type": "boolean"}, "minItems": 1, "maxItems": 2})";
  CHECK(takes(two, "[true]"));
  CHECK(takes(two, "[true, false]"));
  CHECK(!takes(two, "[]"));
  CHECK(!takes(two, "[true, false, true]"));
  CHECK(takes(R"({"type": "array", "items": {"type": "null"}, "maxItems": 0})", "[]"));
  CHECK(!takes(R"({"type": "array", "items": {"type": "null"}, "maxItems": 0})", "[null]"));
  CHECK(takes(R"({"type": "array", "items": {"type": "null"}, "minItems": 2})",
              "[null, null, null]"));
  CHECK(!takes(R"({"type": "array", "items": {"type": "null"}, "minItems": 2})", "[null]"));
  const auto place =
      R"({"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "null"}},
        "required": ["b"]})";
  CHECK(takes(place, "{'b': null}"));
  CHECK(takes(place, "{'a': 1, 'b': null}"));
  CHECK(!takes(place, "{'a': 1}"));
  CHECK(!takes(place, "{'b': null, 'a': 1}"));
  CHECK(takes(R"({"type": "object", "additionalProperties": false})", "{}"));
  CHECK(!takes(R"({"type": "object", "additionalProperties": false})", "{'a': 1}"));
  CHECK(takes(R"({"enum": ["a", 1], "nullable": true})", "null"));
  CHECK(takes("{}", "[{'a': [1, 'b']}, null, true, -2.5]"));
  CHECK(!takes("{}", "[[[[1]]]]"));
}

TEST_CASE("property: every canonical call is accepted byte by byte") {
  const auto skills = testing::home();
  const auto grammar = call_grammar(skills);
  testing::Random random(11);
  for (int i = 0; i < 2000; ++i) {
    std::vector<Call> calls;
    for (int n = testing::below(random, 4); n >= 0; --n)
      calls.push_back(testing::random_call(random, skills));
    const auto text = print_calls(calls, skills);
    CHECK_MESSAGE(fits(*grammar, text), text);
  }
}

TEST_CASE("property: every text of the language parses, checks, and has no dead end") {
  const auto skills = testing::home();
  const auto grammar = call_grammar(skills);
  testing::Random random(12);
  for (int i = 0; i < 2000; ++i) {
    const auto text = random_walk(*grammar, random);
    INFO(text);
    const auto calls = parse_calls(text);
    if (!calls.ok() && calls.error().message().find("is given twice") != std::string::npos)
      continue;  // keys of free objects
    REQUIRE_MESSAGE(calls.ok(), calls.error().to_string());
    for (const auto& call : *calls) {
      const auto checked = check_call(call, skills);
      REQUIRE_MESSAGE(checked.ok(), checked.error().to_string());
      CHECK(fits(*grammar, print_call(*checked, skills)));
    }
  }
}

TEST_CASE("grammar: states are the same for threads that race to build them") {
  const auto skills = testing::home();
  const auto grammar = call_grammar(skills);
  testing::Random random(13);
  std::vector<std::string> texts;
  for (int i = 0; i < 200; ++i)
    texts.push_back(print_call(testing::random_call(random, skills), skills));
  std::vector<std::vector<Constraint::State>> ends(4);
  {
    std::vector<std::jthread> threads;
    for (auto& mine : ends) {
      threads.emplace_back([&] {
        for (const auto& text : texts) {
          auto state = grammar->start();
          for (const unsigned char byte : text) state = grammar->next(state, byte);
          mine.push_back(state);
        }
      });
    }
  }
  for (const auto& mine : ends) CHECK(mine == ends[0]);
}

namespace {

bool fits_schema(const std::string& schema, std::string_view text) {
  const auto parsed = json::parse(schema);
  REQUIRE(parsed.ok());
  const auto grammar = value_grammar(*parsed);
  REQUIRE(grammar.ok());
  return fits(*grammar->constraint, text);
}

TEST_CASE("response formats: what fits the schema, and nothing else") {
  const std::string person = R"({"type": "object", "properties": {
      "name": {"type": "string"}, "age": {"type": "integer", "minimum": 0, "maximum": 150},
      "mood": {"enum": ["good", "bad", null]}, "home": {"$ref": "#/$defs/Place"}},
    "required": ["name", "mood", "home"], "additionalProperties": false,
    "$defs": {"Place": {"type": "object", "properties": {"town": {"type": "string"}},
                        "required": ["town"], "additionalProperties": false}}})";
  CHECK(fits_schema(person,
                    R"({"name": "Ada \"A\"", "age": 36, "mood": null, "home": {"town": ""}})"));
  CHECK(fits_schema(person, R"({"name": "", "mood": "good", "home": {"town": "ulm"}})"));
  CHECK_FALSE(
      fits_schema(person, R"({"name": "x", "age": 151, "mood": "good", "home": {"town": "a"}})"));
  CHECK_FALSE(fits_schema(person, R"({"name": "x", "mood": "so so", "home": {"town": "a"}})"));
  CHECK_FALSE(fits_schema(person, R"({"name": "x", "mood": "bad"})"));
  const std::string flags = R"({"type": "array", "items": {"type": "boolean"}, "maxItems": 2})";
  CHECK(fits_schema(flags, "[true, false]"));
  CHECK_FALSE(fits_schema(flags, "[true, false, true]"));
  CHECK(fits_schema(R"({"type": "object"})", R"({"a": [1, {"b": null}], "c": "d"})"));
  CHECK_FALSE(fits_schema(R"({"type": "object"})", "[1]"));
}

TEST_CASE("response formats: what the language cannot hold to is noted, no schema is refused") {
  const auto loose = value_grammar(*json::parse(R"({"type": "string", "pattern": "^a+$"})"));
  REQUIRE(loose.ok());
  CHECK_FALSE(loose->notes.empty());
  CHECK_FALSE(value_grammar(json::Value("text")).ok());
  CHECK_FALSE(value_grammar(*json::parse(R"({"$ref": "http://elsewhere/x"})")).ok());
  CHECK(value_grammar(*json::parse(R"({"type": "integer"})"))->constraint->fingerprint() !=
        value_grammar(*json::parse(R"({"type": "number"})"))->constraint->fingerprint());
}

}  // namespace
}  // namespace slipway::skill
