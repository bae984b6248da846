#include "model/chat_wire.h"

#include <algorithm>

#include "base/clock.h"
#include "base/text.h"

namespace slipway::model {
namespace {

constexpr size_t max_object_bytes = 16 << 20;
constexpr size_t max_head_bytes = 64 << 10;
constexpr size_t max_error_bytes = 300;

Error not_an_answer(const std::string& why) {
  return Error::unavailable(
      "the endpoint's answer is not a chat completion: " + why,
      "is this the base URL of an OpenAI-compatible server, such as http://host:8080/v1?");
}

// {"error": {"message": ...}}, {"error": "..."}, {"message": ...} or {"detail": ...}.
std::string error_of(const json::Value& value) {
  if (const json::Value* error = value.get("error"); error && !error->is_null()) {
    return error->is_string() ? error->as_string() : error->text("message", "unnamed error");
  }
  return {};
}

int count_of(const json::Value& value, std::string_view key) {
  return static_cast<int>(std::clamp(value.number(key), 0.0, 1e9));
}

}  // namespace

json::Value chat_request_json(const Request& request, const std::string& model) {
  const Decoding& d = request.decoding;
  auto messages = json::Value::array();
  for (const Message& m : request.messages) {
    auto message = json::Value::object();
    message.set("role", m.role).set("content", m.content);
    messages.push_back(std::move(message));
  }
  auto body = json::Value::object();
  body.set("model", model).set("messages", std::move(messages));
  body.set("stream", true).set("stream_options", json::Value::object().set("include_usage", true));
  body.set("max_tokens", d.max_tokens).set("temperature", d.temperature).set("top_p", d.top_p);
  if (d.top_k > 0) body.set("top_k", d.top_k);
  constexpr uint64_t largest_seed = 0x7fff'ffff;  // some servers keep 32 bits
  body.set("seed", d.seed & largest_seed);
  if (!d.stop.empty()) {
    auto stop = json::Value::array();
    for (const std::string& text : d.stop) stop.push_back(text);
    body.set("stop", std::move(stop));
  }
  if (d.logprobs) body.set("logprobs", true);
  return body;
}

Status ChatReader::feed(std::string_view bytes) {
  if (form_ == Form::unknown) {
    const size_t first = bytes.find_first_not_of(" \t\r\n\xef\xbb\xbf");
    if (first == std::string_view::npos) return {};
    form_ = bytes[first] == '{' ? Form::object : Form::events;
  }
  const size_t limit = form_ == Form::object ? max_object_bytes : max_head_bytes;
  if (form_ == Form::object && bytes.size() > limit - head_.size())
    return not_an_answer("it is too long");
  head_.append(bytes.substr(0, limit - head_.size()));
  if (form_ == Form::object) return {};
  Status taken;
  SLIPWAY_CHECK(parser_.feed(bytes, [&](const http::SseEvent& event) {
    taken = take_event(event.data);
    return taken.ok();
  }));
  return taken;
}

Status ChatReader::take_event(const std::string& data) {
  if (trim(data) == "[DONE]") {
    finished_ = true;
    return {};
  }
  const auto value = json::parse(data);
  if (!value.ok()) return not_an_answer(value.error().message());
  return take_object(*value, true);
}

Status ChatReader::take_object(const json::Value& value, bool streamed) {
  if (const std::string error = error_of(value); !error.empty()) {
    return Error::unavailable(
        "the endpoint stopped with an error: " + safe_line(error, max_error_bytes),
        "read the server's log");
  }
  const json::Value* choices = value.get("choices");
  if (choices && choices->is_array() && choices->size() > 0) {
    take_choice(choices->as_array().front(), streamed);
  } else if (!streamed) {
    return not_an_answer("it has no \"choices\"");
  }
  if (const json::Value* usage = value.get("usage"); usage && usage->is_object())
    take_usage(*usage);
  return {};
}

void ChatReader::take_choice(const json::Value& choice, bool streamed) {
  if (const json::Value* logprobs = choice.get("logprobs")) {
    const json::Value* content = logprobs->get("content");
    if (content && content->is_array()) {
      for (const json::Value& token : content->as_array()) {
        completion_.tokens.push_back({-1, token.text("token"), token.number("logprob")});
      }
    }
  }
  if (const json::Value* message = choice.get(streamed ? "delta" : "message"))
    take_text(message->text("content"));
  const std::string reason = choice.text("finish_reason");
  if (reason.empty() && streamed) return;
  finished_ = true;
  completion_.finish = reason == "length" ? FinishReason::length : FinishReason::stop;
}

void ChatReader::take_text(const std::string& text) {
  if (text.empty()) return;
  if (first_text_ms_ == 0) first_text_ms_ = steady_ms();
  completion_.text += text;
  if (on_text_) on_text_(text);
}

void ChatReader::take_usage(const json::Value& usage) {
  completion_.prompt_tokens = count_of(usage, "prompt_tokens");
  completion_.completion_tokens = count_of(usage, "completion_tokens");
  if (const json::Value* details = usage.get("prompt_tokens_details")) {
    completion_.cached_prompt_tokens = count_of(*details, "cached_tokens");
  }
}

Status ChatReader::finish() {
  if (form_ == Form::object) {
    const auto value = json::parse(head_);
    if (!value.ok()) return not_an_answer(value.error().message());
    return take_object(*value, false);
  }
  // An event whose blank line never came is incomplete, and so is the answer without its end.
  if (finished_) return {};
  if (form_ == Form::unknown) return not_an_answer("it is empty");
  if (!text_seen()) return not_an_answer("'" + safe_line(head_, 80) + "'");
  return Error::unavailable("the endpoint's answer broke off",
                            "try again; read the server's log if it repeats");
}

// The key goes before the text is cut: half of one would not be found any more.
std::string ChatReader::safe_line(std::string_view said, size_t most_bytes) const {
  return one_line(replace_all(said, key_, "***"), most_bytes);
}

std::string ChatReader::error_text() const {
  const auto value = json::parse(head_);
  if (!value.ok()) return head_.find('<') == 0 ? std::string() : safe_line(head_, max_error_bytes);
  std::string text = error_of(*value);
  for (const char* key : {"message", "detail"}) {
    if (text.empty()) text = value->text(key);
  }
  return safe_line(text, max_error_bytes);
}

}  // namespace slipway::model
