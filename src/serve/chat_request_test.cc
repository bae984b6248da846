#include "serve/chat_request.h"

#include <doctest/doctest.h>

using namespace slipway;
using namespace slipway::serve;

namespace {

Result<ChatRequest> parsed(const std::string& text) {
  auto body = json::parse(text);
  REQUIRE_MESSAGE(body.ok(), text);
  return parse_chat_request(*body);
}

// With one user message.
Result<ChatRequest> with(const std::string& members) {
  return parsed(R"({"messages": [{"role": "user", "content": "hi"}], )" + members + "}");
}

std::string refusal(const std::string& members) {
  const auto request = with(members);
  REQUIRE_MESSAGE(!request.ok(), members);
  return request.error().message();
}

constexpr const char* call_and_result = R"({"messages": [
  {"role": "user", "content": "light in the hall"},
  {"role": "assistant", "content": null, "tool_calls": [
    {"id": "c1", "type": "function",
     "function": {"name": "lights.turn_on", "arguments": "{\"room\": \"hall\"}"}}]},
  {"role": "tool", "tool_call_id": "ID", "content": "{\"room\": \"the hall\"}"}
  MORE]})";

std::string filled(std::string id, const std::string& more = {}) {
  std::string text = call_and_result;
  text.replace(text.find("ID"), 2, id);
  return text.replace(text.find("MORE"), 4, more);
}

}  // namespace

TEST_CASE("the last user message is asked, what came before is the history") {
  const auto request = parsed(R"({"model": "m", "messages": [
    {"role": "developer", "content": "Be brief."}, {"role": "user", "content": "One?"},
    {"role": "assistant", "content": "One."},
    {"role": "user", "content": [{"type": "text", "text": "And "}, {"type": "text", "text": "two?"}]}]})");
  REQUIRE(request.ok());
  CHECK(request->model == "m");
  CHECK(request->input.text == "And two?");
  REQUIRE(request->input.history.size() == 3);
  CHECK(request->input.history[0].role == "system");
  CHECK(request->input.history[2].content == "One.");
  CHECK_FALSE(request->stream);
  CHECK_FALSE(request->max_tokens);
}

TEST_CASE("calls of earlier turns are history in the call language") {
  const auto request = parsed(filled("c1", R"(, {"role": "user", "content": "and the kitchen"})"));
  REQUIRE(request.ok());
  CHECK(request->input.text == "and the kitchen");
  REQUIRE(request->input.history.size() == 3);
  CHECK(request->input.history[1].content == "lights.turn_on(room='hall')");
  CHECK(request->input.history[2].role == "tool");
  CHECK(request->results.empty());
}

TEST_CASE("results of the last calls are matched by id") {
  const auto request = parsed(filled("c1"));
  REQUIRE(request.ok());
  REQUIRE(request->results.size() == 1);
  CHECK(request->results[0].call.function == "lights.turn_on");
  CHECK(request->results[0].result.text("room") == "the hall");
  CHECK(request->input.text == "light in the hall");
  CHECK(parsed(filled("c2")).error().message() ==
        "'messages[2].tool_call_id' must be an id of the calls before it");
}

TEST_CASE("what changes the decoding") {
  const auto request = with(
      R"("temperature": 0.5, "top_p": 0.9, "seed": -1, "max_tokens": 5, "max_completion_tokens": 6,
         "stop": "x", "logprobs": true, "stream": true, "stream_options": {"include_usage": true},
         "n": 1, "frequency_penalty": 0, "presence_penalty": null, "user": "u",
         "response_format": {"type": "text"}, "tool_choice": "auto", "context": {"room": "hall"})");
  REQUIRE_MESSAGE(request.ok(), request.error().to_string());
  CHECK(*request->max_tokens == 6);
  CHECK(request->include_usage);
  CHECK(request->input.context.text("room") == "hall");
  candidate::Candidate c;
  c.skills = std::make_shared<skill::SkillSet>();
  c.decoding.stop = {"\n"};
  const auto with_it = changed(c, *request);
  REQUIRE(with_it.ok());
  CHECK(with_it->decoding.temperature == 0.5);
  CHECK(with_it->decoding.seed == ~uint64_t{0});
  CHECK(with_it->decoding.stop == std::vector<std::string>{"x"});
  CHECK(with_it->decoding.logprobs);
  auto untouched = with(R"("stop": null)");
  CHECK(changed(c, *untouched)->id() == c.id());
}

TEST_CASE("what cannot be honoured is refused by name") {
  CHECK(refusal(R"("n": 2)").starts_with("'n' other than 1 is not supported"));
  CHECK(refusal(R"("frequency_penalty": 0.1)").starts_with("'frequency_penalty' other than 0"));
  CHECK(refusal(R"("logit_bias": {"5": 1})").starts_with("'logit_bias'"));
  CHECK(refusal(R"("functions": [])").starts_with("'functions'"));
  CHECK(refusal(R"("response_format": {"type": "json_schema", "json_schema": {}})")
            .starts_with("'response_format.json_schema.schema'"));
  CHECK(refusal(R"("response_format": {"type": "xml"})").starts_with("'response_format.type'"));
  CHECK(refusal(R"("response_format": {"type": "json_schema", "json_schema": {"strict": true,
                   "schema": {"type": "string", "pattern": "^a$"}}})")
            .starts_with("a strict 'response_format'"));
  CHECK(refusal(R"("temperature": 3)") == "'temperature' must be a number from 0.0 to 2.0");
  CHECK(refusal(R"("temperature": "hot")").starts_with("'temperature'"));
  CHECK(refusal(R"("top_p": 0)") == "'top_p' must be above 0");
  CHECK(refusal(R"("max_tokens": 0)").starts_with("'max_tokens'"));
  CHECK(refusal(R"("stop": [1])").starts_with("'stop'"));
  CHECK(refusal(R"("model": 5)").starts_with("'model'"));
  CHECK(refusal(R"("tool_choice": "maybe")").starts_with("'tool_choice'"));
  CHECK(parsed("{}").error().message() == "'messages' is missing");
  for (const char* messages :
       {"[]", "5", R"([{"role": "system", "content": "x"}])", R"([{"role": "user"}])",
        R"([{"role": "user", "content": 5}])", R"([{"role": "king", "content": "x"},
          {"role": "user", "content": "x"}])",
        R"([{"role": "user", "content": [{"type": "image_url"}]}])",
        R"([{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}])",
        R"([5, {"role": "user", "content": "x"}])"}) {
    CHECK_MESSAGE(!parsed(R"({"messages": )" + std::string(messages) + "}").ok(), messages);
  }
}
