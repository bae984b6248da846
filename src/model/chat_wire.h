// The chat-completions exchange as text: a Request becomes a JSON body, the bytes of a response
// become a Completion. No network.
//
//     ChatReader reader;
//     reader.feed("data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\n\n");
//     if (reader.finish().ok()) use(reader.completion());
//
// Understands a stream of server-sent events and, from servers that ignore "stream", one JSON
// object. One response, one thread. Source: the chat-completions API as OpenAI publishes it and
// llama-server, vLLM and Ollama implement it.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "http/sse.h"
#include "json/value.h"
#include "model/model.h"

namespace slipway::model {

json::Value chat_request_json(const Request& request, const std::string& model);

class ChatReader {
 public:
  using OnText = std::function<void(std::string_view text)>;
  // `key`: what the server was sent, and may say in an error.
  explicit ChatReader(OnText on_text = {}, std::string key = {})
      : on_text_(std::move(on_text)), key_(std::move(key)) {}

  // Takes body bytes in any pieces and passes on text as it arrives. After an error the rest need
  // not be read.
  Status feed(std::string_view bytes);
  // The body has ended. Errors: unavailable (it ended too early, is no answer, or tells of an
  // error).
  Status finish();

  Completion& completion() { return completion_; }
  bool text_seen() const { return !completion_.text.empty(); }
  double first_text_ms() const {
    return first_text_ms_;
  }  // steady_ms() of the first text; 0: none yet
  // The server's own words in an error body, one short line; empty when it has none.
  std::string error_text() const;

 private:
  enum class Form { unknown, events, object };

  Status take_event(const std::string& data);
  Status take_object(const json::Value& value, bool streamed);
  void take_choice(const json::Value& choice, bool streamed);
  void take_usage(const json::Value& usage);
  void take_text(const std::string& text);

  std::string safe_line(std::string_view text, size_t most_bytes) const;

  OnText on_text_;
  std::string key_;
  Form form_ = Form::unknown;
  http::SseParser parser_;
  std::string head_;  // the body when it is an object, and its first bytes when it is not
  Completion completion_;
  bool finished_ = false;  // a finish_reason or [DONE] was seen
  double first_text_ms_ = 0;
};

}  // namespace slipway::model
