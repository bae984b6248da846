// One streamed chat completion: a thread of its own asks the model, and `next` gives what has been
// written since, as server-sent events.
//
//     auto stream = std::make_shared<ChatStream>(form, request, answer);
//     SLIPWAY_CHECK(stream->wait_for_first());       // an early failure still has its status
//     response.next = [stream] { return stream->next(); };
//
// Text that waits is joined, so that a slow reader gets fewer and longer pieces and the memory is
// the answer's. Destroying the stream cancels the answer. One reader.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "serve/chat_response.h"

namespace slipway::serve {

class ChatStream {
 public:
  using Answer = std::function<Result<ChatAnswer>(const ChatHooks& hooks)>;
  // `cancel`: from outside, looked at while somebody waits.
  ChatStream(ChatForm form, bool include_usage, int timeout_ms, CancelToken cancel, Answer answer);
  ~ChatStream();
  // Returns when there is something to say. An error: nothing was said yet, and nothing will be.
  Status wait_for_first();
  // The next events as text; nullopt after "[DONE]", or after an error in the middle.
  std::optional<std::string> next();

 private:
  bool has_news() const { return !text_.empty() || result_; }
  void wait_for_news(std::unique_lock<std::mutex>& lock);
  std::string ending(const Result<ChatAnswer>& result) const;

  const ChatForm form_;
  const bool include_usage_;
  const CancelToken cancel_from_outside_;
  CancelSource cancel_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string text_;  // written and not yet given
  std::optional<Result<ChatAnswer>> result_;
  bool said_role_ = false;
  bool said_text_ = false;
  bool over_ = false;
  std::jthread thread_;  // last: it uses the members above
};

}  // namespace slipway::serve
