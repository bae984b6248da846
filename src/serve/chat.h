// One chat completion: the candidate's own prompt, constraint and call language behind the form in
// which clients of the OpenAI API ask.
//
//     SLIPWAY_TRY(answer, answer_chat(*served, request, tracer, hooks));
//     answer.calls       // for the client to make; none are made here
//
// Thread-safe. An answer that is no valid call of a candidate with functions is given as text.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/tracer.h"
#include "serve/chat_request.h"
#include "serve/shelf.h"

namespace slipway::serve {

struct ChatHooks {
  // Text as it is written, in the calling thread; not called when functions may be called, as only
  // a whole call can be read.
  std::function<void(std::string_view)> on_text;
  int timeout_ms = 0;
  CancelToken cancel;
};

struct ChatAnswer {
  std::string content;             // empty when there are calls
  std::vector<skill::Call> calls;  // checked against their signatures
  model::Completion completion;
};

Result<ChatAnswer> answer_chat(const Served& served, const ChatRequest& request,
                               const Tracer& tracer, const ChatHooks& hooks);

}  // namespace slipway::serve
