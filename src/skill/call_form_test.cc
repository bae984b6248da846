#include "skill/call_form.h"

#include <doctest/doctest.h>

#include "base/text.h"
#include "skill/call.h"
#include "skill/grammar.h"
#include "skill/test_skills.h"

namespace slipway::skill {
namespace {

using testing::home;

const std::vector<CallForm> forms = {CallForm::python, CallForm::qwen, CallForm::llama3,
                                     CallForm::mistral, CallForm::functiongemma};

std::string read(const std::string& text, CallForm form) {
  const auto calls = parse_form(text, form);
  REQUIRE_MESSAGE(calls.ok(), calls.error().to_string());
  return print_calls(*calls, home());
}

std::string refusal(const std::string& text, CallForm form) {
  const auto calls = parse_form(text, form);
  REQUIRE_MESSAGE(!calls.ok(), text);
  return calls.error().message();
}

TEST_CASE("what each family writes") {
  const std::string wanted = "home.get_weather(location='boston', days=3)";
  CHECK(read("<tool_call>\n{\"name\": \"home.get_weather\", \"arguments\": {\"location\": "
             "\"boston\", \"days\": 3}}\n</tool_call>",
             CallForm::qwen) == wanted);
  CHECK(read(R"(<|python_tag|>{"name": "home.get_weather", "parameters": )"
             R"({"days": 3, "location": "boston"}})",
             CallForm::llama3) == wanted);
  CHECK(read(R"({"type": "function", "name": "home.get_weather", "parameters": )"
             R"({"location": "boston", "days": 3}})",
             CallForm::llama3) == wanted);
  CHECK(read(R"([TOOL_CALLS][{"name": "home.get_weather", "arguments": {"location": "boston", )"
             R"("days": 3}, "id": "a1"}])",
             CallForm::mistral) == wanted);
  CHECK(read(R"([TOOL_CALLS]home.get_weather[ARGS]{"location": "boston", "days": 3})",
             CallForm::mistral) == wanted);
  CHECK(read("<start_function_call>call:home.get_weather{location:<escape>boston<escape>,days:3}"
             "<end_function_call>",
             CallForm::functiongemma) == wanted);
}

TEST_CASE("several calls, and none") {
  const std::string two = "home.get_time()\nhome.get_weather(location='oslo')";
  CHECK(read("I will look.\n<tool_call>{\"name\":\"home.get_time\"}</tool_call>\n<tool_call>\n"
             "{\"name\":\"home.get_weather\",\"arguments\":{\"location\":\"oslo\"}}",
             CallForm::qwen) == two);
  CHECK(read(R"({"name": "home.get_time", "parameters": {}}; {"name": "home.get_weather", )"
             R"("parameters": {"location": "oslo"}})",
             CallForm::llama3) == two);
  CHECK(read(R"([TOOL_CALLS] [{"name": "home.get_time", "arguments": {}}, )"
             R"({"name": "home.get_weather", "arguments": {"location": "oslo"}}])",
             CallForm::mistral) == two);
  CHECK(read("<start_function_call>call:home.get_time{}<end_function_call><start_function_call>"
             "call:home.get_weather{location:<escape>oslo<escape>}<end_function_call>",
             CallForm::functiongemma) == two);
  for (const auto form : forms) {
    if (form == CallForm::python) continue;
    CHECK(read("", form) == "none()");
    CHECK(read("I cannot help with that.", form) == "none()");
    CHECK(print_form({}, home(), form).empty());
  }
}

TEST_CASE("a refusal says where and what was expected") {
  CHECK(refusal("<tool_call>\n{\"name\": 3}\n</tool_call>", CallForm::qwen) ==
        "call, line 2, column 10: expected the function's name in quotes, found '3'");
  CHECK(refusal("<tool_call>{\"arguments\": {}}</tool_call>", CallForm::qwen) ==
        "call, line 1, column 12: this call has no \"name\"");
  CHECK(refusal("<tool_call>{\"name\": \"a\", \"args\": {}}</tool_call>", CallForm::qwen) ==
        "call, line 1, column 26: expected \"name\" or \"arguments\", found '\"'");
  CHECK(refusal("<tool_call>{\"name\": \"a\"}</tool_call> ok", CallForm::qwen) ==
        "call, line 1, column 38: expected <tool_call> or the end of the text, found 'o'");
  CHECK(refusal(R"({"name": "a", "parameters": [1]})", CallForm::llama3) ==
        "call, line 1, column 29: expected an object of arguments, found '['");
  CHECK(refusal(R"({"name": "a", "name": "b"})", CallForm::llama3) ==
        "call, line 1, column 15: 'name' is given twice");
  CHECK(refusal("[TOOL_CALLS]a{}", CallForm::mistral) ==
        "call, line 1, column 14: expected [ARGS], found '{'");
  CHECK(refusal("<start_function_call>call:a{b:<escape>c}", CallForm::functiongemma) ==
        "call, line 1, column 41: expected the closing <escape>, found the end of the text");
  for (const auto form : forms) {
    CHECK(refusal("\xff", form) == "call, line 1, column 1: the text is not valid UTF-8");
    CHECK(refusal(std::string(70'000, ' '), form).find("64 KiB") != std::string::npos);
  }
  std::string many;
  for (int i = 0; i < 17; ++i) many += "<tool_call>{\"name\":\"a\"}</tool_call>";
  CHECK(refusal(many, CallForm::qwen).find("more than 16 calls") != std::string::npos);
}

TEST_CASE("what is printed is read back, in every form") {
  const auto skills = home();
  testing::Random random(11);
  for (int i = 0; i < 500; ++i) {
    std::vector<Call> calls;
    const auto count = testing::below(random, 4);
    for (int k = 0; k < count; ++k) calls.push_back(testing::random_call(random, skills));
    const auto canonical = print_calls(calls, skills);
    if (canonical.find("<escape>") != std::string::npos) continue;
    for (const auto form : forms) {
      const auto text = print_form(calls, skills, form);
      CAPTURE(text);
      const auto back = parse_form(text, form);
      REQUIRE_MESSAGE(back.ok(), back.error().to_string());
      CHECK(print_calls(*back, skills) == canonical);
    }
  }
}

TEST_CASE("the grammar of a form holds what is printed in it") {
  const auto skills = home();
  testing::Random random(12);
  for (const auto form : {CallForm::qwen, CallForm::llama3, CallForm::mistral}) {
    CAPTURE(form_name(form));
    const auto grammar = call_grammar(skills, {.form = form});
    CHECK(grammar->fingerprint() != call_grammar(skills)->fingerprint());
    CHECK(fits(*grammar, ""));
    for (int i = 0; i < 200; ++i) {
      const std::vector<Call> calls = {testing::random_call(random, skills)};
      const auto text = print_form(calls, skills, form);
      const auto python = print_calls(calls, skills);
      if (!fits(*call_grammar(skills), python)) continue;
      CHECK_MESSAGE(fits(*grammar, text), text);
      CHECK(!fits(*grammar, text + "x"));
      CHECK(!fits(*grammar, text.substr(0, text.size() - 1)));
    }
  }
  const auto qwen = call_grammar(skills, {.form = CallForm::qwen});
  CHECK(!fits(*qwen,
              "<tool_call>\n{\"name\": \"home.open_door\", \"arguments\": {\"door\": "
              "\"front\"}}\n</tool_call>"));
  CHECK(fits(*qwen,
             "<tool_call>\n{\"name\": \"home.get_weather\", \"arguments\": {\"location\": "
             "\"it's \\\"x\\\"\"}}\n</tool_call>"));
}

}  // namespace
}  // namespace slipway::skill
