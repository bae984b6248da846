// An answer in the form of the chat-completions API, whole or in the pieces of a stream.
//
//     ChatForm form{.trace_id = id, .model = "tuned", .fingerprint = "fp_..."};
//     form.completion(answer).dump();
//     form.chunk(form.text_delta("Hello")).dump();
//
// Pure; thread-safe. A call's name is its qualified name and its arguments are the text of a JSON
// object, as the API has it; ids are made from the trace, so that both can be found again.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "json/value.h"
#include "serve/chat.h"

namespace slipway::serve {

struct ChatForm {
  std::string trace_id;
  std::string model;  // as it is called here
  std::string fingerprint;
  int64_t created_s = 0;
  bool logprobs = false;  // asked for

  json::Value completion(const ChatAnswer& answer) const;
  // One piece of a stream: `finish` empty until the last.
  json::Value chunk(json::Value delta, const std::string& finish = {}) const;
  json::Value last_chunk(const ChatAnswer& answer) const;   // why it ended, and logprobs
  json::Value usage_chunk(const ChatAnswer& answer) const;  // no choices
  static json::Value text_delta(std::string_view text);
  json::Value calls_delta(const ChatAnswer& answer) const;

 private:
  json::Value head(const char* object) const;
  json::Value tool_calls(const ChatAnswer& answer, bool indexed) const;
};

// "chatcmpl-" + trace id, and back; a bare trace id stays.
std::string completion_id(const std::string& trace_id);
std::string trace_id_of(const std::string& id);

}  // namespace slipway::serve
