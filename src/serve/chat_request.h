// A chat-completions request as our own value: what is asked, of whom, and what the caller changed.
// No network, no model.
//
//     SLIPWAY_TRY(request, parse_chat_request(body));
//     request.input.text        // the last user message; what came before it is the history
//
// Pure; thread-safe. Errors: invalid_input and unsupported name the member. What would change the
// answer and is not supported is refused by name; what would not is ignored (docs/serve.md lists
// both). Source: the chat-completions API as OpenAI publishes it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "candidate/candidate.h"
#include "json/value.h"
#include "model/constraint.h"
#include "skill/call.h"

namespace slipway::serve {

// A call that an earlier answer asked for, and what the client's tool said.
struct ToolResult {
  skill::Call call;
  json::Value result;  // JSON, or the text
};

enum class ToolChoice { automatic, none, required, named };

struct ChatRequest {
  std::string model;  // empty: not given
  candidate::Input input;
  std::vector<ToolResult> results;  // after the last user message: only the reply is wanted
  ToolChoice choice = ToolChoice::automatic;
  std::string chosen;  // when named
  std::optional<int> max_tokens;
  std::optional<double> temperature, top_p;
  std::optional<uint64_t> seed;
  std::optional<std::vector<std::string>> stop;
  // `response_format`: the answer is a JSON text of this language; null: words.
  std::shared_ptr<const model::Constraint> format;
  bool logprobs = false;
  bool stream = false;
  bool include_usage = false;
};

Result<ChatRequest> parse_chat_request(const json::Value& body);

// The candidate with what the request changes in it. Errors: invalid_input (no such function).
Result<candidate::Candidate> changed(const candidate::Candidate& candidate,
                                     const ChatRequest& request);

}  // namespace slipway::serve
