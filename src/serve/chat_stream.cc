#include "serve/chat_stream.h"

#include <chrono>
#include <utility>

#include "http/sse.h"
#include "serve/service.h"

namespace slipway::serve {
namespace {

constexpr auto glance = std::chrono::milliseconds(100);

std::string event(const json::Value& value) { return http::format_sse({.data = value.dump()}); }

}  // namespace

ChatStream::ChatStream(ChatForm form, bool include_usage, int timeout_ms, CancelToken cancel,
                       Answer answer)
    : form_(std::move(form)),
      include_usage_(include_usage),
      cancel_from_outside_(std::move(cancel)) {
  thread_ = std::jthread([this, timeout_ms, answer = std::move(answer)] {
    ChatHooks hooks;
    hooks.timeout_ms = timeout_ms;
    hooks.cancel = cancel_.token();
    hooks.on_text = [this](std::string_view text) {
      const std::lock_guard lock(mutex_);
      text_ += text;
      changed_.notify_one();
    };
    auto result = answer(hooks);
    const std::lock_guard lock(mutex_);
    result_ = std::move(result);
    changed_.notify_one();
  });
}

ChatStream::~ChatStream() {
  cancel_.cancel();
  thread_.join();
}

void ChatStream::wait_for_news(std::unique_lock<std::mutex>& lock) {
  while (!changed_.wait_for(lock, glance, [&] { return has_news(); })) {
    if (cancel_from_outside_.cancelled()) cancel_.cancel();
  }
}

Status ChatStream::wait_for_first() {
  std::unique_lock lock(mutex_);
  wait_for_news(lock);
  if (text_.empty() && !result_->ok()) return result_->error();
  return Status::success();
}

std::optional<std::string> ChatStream::next() {
  if (over_) return std::nullopt;
  std::string events;
  if (!std::exchange(said_role_, true)) {
    auto role = ChatForm::text_delta("");
    role.set("role", "assistant");
    events = event(form_.chunk(std::move(role)));
  }
  std::unique_lock lock(mutex_);
  wait_for_news(lock);
  if (const auto text = std::exchange(text_, {}); !text.empty()) {
    said_text_ = true;
    events += event(form_.chunk(ChatForm::text_delta(text)));
  }
  if (result_) {
    events += ending(*result_);
    over_ = true;
  }
  return events;
}

std::string ChatStream::ending(const Result<ChatAnswer>& result) const {
  if (!result.ok()) {
    json::Value body;
    body.set("error", error_json(result.error()));
    return event(body);
  }
  std::string events;
  // With functions nothing was written on the way.
  if (!said_text_ && !result->content.empty())
    events += event(form_.chunk(ChatForm::text_delta(result->content)));
  if (!result->calls.empty()) events += event(form_.chunk(form_.calls_delta(*result)));
  events += event(form_.last_chunk(*result));
  if (include_usage_) events += event(form_.usage_chunk(*result));
  return events + http::format_sse({.data = "[DONE]"});
}

}  // namespace slipway::serve
