#include <doctest/doctest.h>

#include <cmath>

#include "skill/call_form.h"
#include "skill/test_skills.h"

namespace slipway::skill {
namespace {

std::string error_of(std::string_view text) {
  const auto calls = parse_calls(text);
  return calls.ok() ? "" : calls.error().message();
}

bool mentions(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

json::Value first_value(std::string_view text) {
  const auto calls = parse_calls(text);
  REQUIRE_MESSAGE(calls.ok(), text, error_of(text));
  return calls->at(0).arguments.at(0).value;
}

// check_call then print_call, or the error.
std::string checked(std::string_view text) {
  const auto skills = testing::home();
  const auto calls = parse_calls(text);
  if (!calls.ok()) return calls.error().to_string();
  const auto call = check_call(calls->at(0), skills);
  return call.ok() ? print_call(*call, skills) : call.error().to_string();
}

}  // namespace

TEST_CASE("call parser: values") {
  CHECK(first_value("f('boston')") == json::Value("boston"));
  CHECK(first_value(R"(f("it's"))") == json::Value("it's"));
  CHECK(first_value(R"(f('it\'s \"a\" \\ b\n\t\r\/'))") == json::Value("it's \"a\" \\ b\n\t\r/"));
  CHECK(first_value(R"(f('\u00e9\u4e16\ud83d\ude42'))") == json::Value("é世🙂"));
  CHECK(first_value("f(-12)") == json::Value(-12));
  CHECK(first_value("f(1.5e3)") == json::Value(1500));
  CHECK(first_value("f(12345678901234567890)").kind() == json::Kind::number);
  CHECK(first_value("f(True)") == json::Value(true));
  CHECK(first_value("f(false)") == json::Value(false));
  CHECK(first_value("f(None)").is_null());
  CHECK(first_value("f(null)").is_null());
  CHECK(first_value("f([1, 'a', [ ]])") == *json::parse(R"([1, "a", []])"));
  CHECK(first_value("f({'k': 1, b: {\"c\": []}})") == *json::parse(R"({"k": 1, "b": {"c": []}})"));
}

TEST_CASE("call parser: calls, separators, fence, none") {
  const auto call = parse_calls("  weather.get_weather ( 'boston' , days = 3 )\n");
  REQUIRE(call.ok());
  CHECK(call->size() == 1);
  CHECK(call->at(0).function == "weather.get_weather");
  CHECK(call->at(0).arguments.at(0).name.empty());
  CHECK(call->at(0).arguments.at(1).name == "days");
  for (const char* text : {"a()\nb()", "a();b()", "a(), b()", "a() ;\n b()", "```\na()\nb()\n```",
                           "```python\na()\n\nb()```\n"}) {
    const auto calls = parse_calls(text);
    REQUIRE_MESSAGE(calls.ok(), text);
    CHECK(calls->size() == 2);
  }
  REQUIRE(parse_calls("none()").ok());
  CHECK(parse_calls(" none( ) ")->empty());
}

TEST_CASE("call parser: errors say where and what was expected") {
  CHECK(mentions(error_of(""), "expected a function name, found the end"));
  CHECK(mentions(error_of("f(a=1,\n  b=)"), "line 2, column 5: expected a value"));
  CHECK(mentions(error_of("f(a=boston)"), "bare word 'boston'"));
  CHECK(mentions(error_of("f(a=1, 2)"), "no positional argument after a named one"));
  CHECK(mentions(error_of("f(a=1, a=2)"), "column 8: argument 'a' is given twice"));
  CHECK(mentions(error_of("f({'k': 1, k: 2})"), "key 'k' is given twice"));
  CHECK(mentions(error_of("f('abc"), "expected the closing '"));
  CHECK(mentions(error_of("f('a\nb')"), "expected the closing '"));
  CHECK(mentions(error_of(R"(f('\x'))"), "after the backslash"));
  CHECK(mentions(error_of(R"(f('\ud83d'))"), "half a surrogate pair"));
  CHECK(mentions(error_of(R"(f('\ude42'))"), "half a surrogate pair"));
  CHECK(mentions(error_of("f(007)"), "leading zero"));
  CHECK(mentions(error_of("f(1e999)"), "out of range"));
  CHECK(mentions(error_of("f(10minutes)"), "end of the number"));
  CHECK(mentions(error_of("f(1) g(2)"), "between calls"));
  CHECK(mentions(error_of("call: f(1)"), "expected '('"));
  CHECK(mentions(error_of("f(1);"), "expected a function name"));
  CHECK(mentions(error_of("f()\nnone()"), "stands alone"));
  CHECK(mentions(error_of("none(1)"), "stands alone"));
  CHECK(mentions(error_of("```\nf()"), "not closed"));
  CHECK(mentions(error_of("f(\xff)"), "UTF-8"));
}

TEST_CASE("call parser: limits") {
  std::string calls, arguments = "f(0", nested = "f(";
  for (int i = 0; i < 17; ++i) calls += "f()\n";
  for (int i = 0; i < 64; ++i) arguments += ",0";
  for (int i = 0; i < 20; ++i) nested += "[";
  CHECK(parse_calls(calls).error().code() == ErrorCode::exhausted);
  CHECK(parse_calls(arguments + ")").error().code() == ErrorCode::exhausted);
  CHECK(parse_calls(nested).error().code() == ErrorCode::exhausted);
  CHECK(parse_calls("f('" + std::string(70'000, 'a') + "')").error().code() ==
        ErrorCode::exhausted);
}

TEST_CASE("check_call: names, coercions, canonical text") {
  CHECK(checked("home.get_weather('boston')") == "home.get_weather(location='boston')");
  CHECK(checked("home.get_weather(days='3', location='x')") ==
        "home.get_weather(location='x', days=3)");
  CHECK(checked("home.get_weather('x', 'Fahrenheit', 3.0)") ==
        "home.get_weather(location='x', unit='fahrenheit', days=3)");
  CHECK(checked("home.get_weather('x', unit='celsius')") == "home.get_weather(location='x')");
  CHECK(checked("home.get_weather('x', unit=None)") == "home.get_weather(location='x')");
  CHECK(checked("home.get_weather(7)") == "home.get_weather(location='7')");
  CHECK(checked("home.set(level=2e-4)") == "home.set(level=0.0002)");
  CHECK(checked("home.set(on='True', level='-2.50')") == "home.set(level=-2.5, on=true)");
  CHECK(checked("home.set(either=true)") == "home.set(either=true)");
  CHECK(checked("home.set(either='true')") == "home.set(either='true')");
  CHECK(checked("home.set(maybe=null)") == "home.set(maybe=null)");
  CHECK(checked("home.set(where={floor: '2', room: 'hall'})") ==
        "home.set(where={'room': 'hall', 'floor': 2})");
}

TEST_CASE("check_call: errors") {
  CHECK(mentions(checked("home.get_wether('x')"), "did you mean 'home.get_weather'?"));
  CHECK(mentions(checked("get_weather('x')"), "did you mean 'home.get_weather'?"));
  CHECK(mentions(checked("home.get_weather(locaton='x')"), "did you mean 'location'?"));
  CHECK(mentions(checked("home.get_weather(unit='celsius')"), "argument 'location' is missing"));
  CHECK(mentions(checked("home.get_weather('x', location='y')"), "given twice"));
  CHECK(mentions(checked("home.get_weather('x', days=15)"),
                 "expected an integer between 1 and 14, got 15"));
  CHECK(mentions(checked("home.get_weather('x', days='soon')"), "expected an integer"));
  CHECK(mentions(checked("home.get_weather('x', days=2.5)"), "expected an integer"));
  CHECK(
      mentions(checked("home.get_weather('x', unit='kelvin')"), "one of 'celsius', 'fahrenheit'"));
  CHECK(mentions(checked("home.get_weather(null)"), "expected a string"));
  CHECK(mentions(checked("home.get_time(1)"), "takes 0 arguments"));
  CHECK(mentions(checked("home.set(tags=['a', []])"), "argument 'tags'[1]: expected a string"));
  CHECK(mentions(checked("home.set(where={})"), "property 'floor' is missing"));
  CHECK(mentions(checked("home.set(where={floor: 1, x: 2})"), "unknown property 'x'"));
  CHECK(mentions(checked("home.set(code='a')"), "2 to 5 characters"));
  CHECK(checked("home.set(code='世世世世世')") == "home.set(code='世世世世世')");
}

TEST_CASE("property: print, parse and check agree on random calls") {
  const auto skills = testing::home();
  testing::Random random(20261124);
  for (int i = 0; i < 3000; ++i) {
    const auto text = print_call(testing::random_call(random, skills), skills);
    INFO(text);
    const auto calls = parse_calls(text);
    REQUIRE_MESSAGE(calls.ok(), error_of(text));
    const auto call = check_call(calls->at(0), skills);
    REQUIRE_MESSAGE(call.ok(), call.error().to_string());
    CHECK(print_call(*call, skills) == text);
  }
}

TEST_CASE("print_calls: several, none, unchecked") {
  const SkillSet empty;
  CHECK(print_calls({}, empty) == "none()");
  CHECK(print_calls({{"a.b", {{"", json::Value(1)}, {"x", json::Value("it's")}}}, {"c", {}}},
                    empty) == "a.b(1, x='it\\'s')\nc()");
  CHECK(print_value(*json::parse(R"({"a": [1, 2.5, true, null, "\u0007\u0085"]})")) ==
        "{'a': [1, 2.5, true, null, '\\u0007\\u0085']}");
  CHECK(print_value(json::Value(3.0)) == "3");
  CHECK(print_value(json::Value(0.0002)) == "0.0002");
  CHECK(print_value(json::Value(-1e-6)) == "-0.000001");
  CHECK(print_value(json::Value(1.2e-5)) == "0.000012");
  CHECK(print_value(json::Value(1.25e-5)) == "1.25e-05");  // seven digits: not decodable anyway
  CHECK(print_value(json::Value(1e-7)) == "1e-07");
  CHECK(print_value(json::Value(123456789012.25)) == "123456789012.25");
  CHECK(print_value(json::Value(1e15)) == "1e+15");
  CHECK(print_value(json::Value(HUGE_VAL)) == "null");
  CHECK(print_json_value(json::Value(0.0002)) == "0.0002");
}

TEST_CASE("fuzz: mutated calls never crash and what parses prints to a fixpoint") {
  const auto skills = testing::home();
  testing::Random random(7);
  const std::string bytes = "()[]{}'\",:;=.\\u0-9eE+ntTrueFalseNone \n\t`_a\xc3\xa9\xff";
  size_t parsed = 0;
  for (int i = 0; i < 20'000; ++i) {
    auto text = print_calls(
        {testing::random_call(random, skills), testing::random_call(random, skills)}, skills);
    for (int n = testing::below(random, 4); n >= 0; --n) {
      const auto at = random() % (text.size() + 1);
      const char byte = bytes[random() % bytes.size()];
      switch (testing::below(random, 3)) {
        case 0: text.insert(at, 1, byte); break;
        case 1:
          if (at < text.size()) text[at] = byte;
          break;
        default: text.erase(at, random() % 3); break;
      }
    }
    const auto calls = parse_calls(text);
    if (!calls.ok()) continue;
    ++parsed;
    for (const auto& call : *calls) {
      const auto once = print_call(call, {});
      const auto again = parse_calls(once);
      REQUIRE_MESSAGE(again.ok(), once);
      CHECK(print_call(again->at(0), {}) == once);
      (void)check_call(call, skills).ok();
    }
  }
  CHECK(parsed > 1000);
}

}  // namespace slipway::skill
