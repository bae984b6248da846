#include "serve/chat_response.h"

#include "base/text.h"

namespace slipway::serve {
namespace {

constexpr std::string_view id_prefix = "chatcmpl-";

std::string finish_reason(const ChatAnswer& answer) {
  if (!answer.calls.empty()) return "tool_calls";
  return answer.completion.finish == model::FinishReason::length ? "length" : "stop";
}

json::Value usage_json(const model::Completion& completion) {
  auto details = json::Value::object();
  details.set("cached_tokens", completion.cached_prompt_tokens);
  auto usage = json::Value::object();
  usage.set("prompt_tokens", completion.prompt_tokens)
      .set("completion_tokens", completion.completion_tokens)
      .set("total_tokens", completion.prompt_tokens + completion.completion_tokens)
      .set("prompt_tokens_details", std::move(details));
  return usage;
}

// Without being asked for them a model gives its tokens as well, but zeros with them.
json::Value logprobs_json(const model::Completion& completion, bool asked) {
  if (!asked || completion.tokens.empty()) return nullptr;
  auto content = json::Value::array();
  for (const auto& token : completion.tokens) {
    auto bytes = json::Value::array();
    for (const char c : token.text) bytes.push_back(int{static_cast<unsigned char>(c)});
    auto one = json::Value::object();
    one.set("token", token.text)
        .set("logprob", token.logprob)
        .set("bytes", std::move(bytes))
        .set("top_logprobs", json::Value::array());
    content.push_back(std::move(one));
  }
  auto logprobs = json::Value::object();
  logprobs.set("content", std::move(content)).set("refusal", nullptr);
  return logprobs;
}

std::string arguments_text(const skill::Call& call) {
  auto arguments = json::Value::object();
  for (const auto& argument : call.arguments) arguments.set(argument.name, argument.value);
  return arguments.dump();
}

json::Value choices(json::Value choice) {
  auto list = json::Value::array();
  list.push_back(std::move(choice));
  return list;
}

}  // namespace

std::string completion_id(const std::string& trace_id) { return std::string(id_prefix) + trace_id; }

std::string trace_id_of(const std::string& id) {
  return starts_with(id, id_prefix) ? id.substr(id_prefix.size()) : id;
}

json::Value ChatForm::head(const char* object) const {
  auto value = json::Value::object();
  value.set("id", completion_id(trace_id))
      .set("object", object)
      .set("created", created_s)
      .set("model", model)
      .set("system_fingerprint", fingerprint);
  return value;
}

json::Value ChatForm::tool_calls(const ChatAnswer& answer, bool indexed) const {
  auto list = json::Value::array();
  for (size_t i = 0; i < answer.calls.size(); ++i) {
    auto function = json::Value::object();
    function.set("name", answer.calls[i].function)
        .set("arguments", arguments_text(answer.calls[i]));
    auto call = json::Value::object();
    if (indexed) call.set("index", i);
    call.set("id", "call_" + trace_id.substr(0, 20) + "_" + std::to_string(i))
        .set("type", "function")
        .set("function", std::move(function));
    list.push_back(std::move(call));
  }
  return list;
}

json::Value ChatForm::completion(const ChatAnswer& answer) const {
  auto message = json::Value::object();
  message.set("role", "assistant")
      .set("content", answer.calls.empty() ? json::Value(answer.content) : json::Value())
      .set("refusal", nullptr);
  if (!answer.calls.empty()) message.set("tool_calls", tool_calls(answer, false));
  auto choice = json::Value::object();
  choice.set("index", 0)
      .set("message", std::move(message))
      .set("logprobs", logprobs_json(answer.completion, logprobs))
      .set("finish_reason", finish_reason(answer));
  return head("chat.completion")
      .set("choices", choices(std::move(choice)))
      .set("usage", usage_json(answer.completion));
}

json::Value ChatForm::chunk(json::Value delta, const std::string& finish) const {
  auto choice = json::Value::object();
  choice.set("index", 0)
      .set("delta", std::move(delta))
      .set("logprobs", nullptr)
      .set("finish_reason", finish.empty() ? json::Value() : json::Value(finish));
  return head("chat.completion.chunk").set("choices", choices(std::move(choice)));
}

json::Value ChatForm::last_chunk(const ChatAnswer& answer) const {
  auto last = chunk(json::Value::object(), finish_reason(answer));
  last.get("choices")->as_array()[0].set(
      "logprobs", logprobs_json(answer.completion, logprobs));
  return last;
}

json::Value ChatForm::usage_chunk(const ChatAnswer& answer) const {
  return head("chat.completion.chunk")
      .set("choices", json::Value::array())
      .set("usage", usage_json(answer.completion));
}

json::Value ChatForm::text_delta(std::string_view text) {
  auto delta = json::Value::object();
  delta.set("content", text);
  return delta;
}

json::Value ChatForm::calls_delta(const ChatAnswer& answer) const {
  auto delta = json::Value::object();
  delta.set("tool_calls", tool_calls(answer, true));
  return delta;
}

}  // namespace slipway::serve
