#include "model/endpoint.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <thread>

#include "base/clock.h"
#include "base/text.h"
#include "http/client.h"
#include "model/chat_wire.h"

namespace slipway::model {
namespace {

constexpr int longest_attempt_ms = 600'000;
constexpr size_t max_response_bytes = 64 << 20;
constexpr int max_parallel = 256;

struct Attempt {
  Result<Completion> result;
  bool again = false;        // the same request may succeed
  double asked_wait_ms = 0;  // the server's own word
};

// Fills in what the answer's timings are: waiting before this attempt, until the first text, and
// the rest.
void set_times(Completion& c, double asked_at, double sent_at, double first_text_at) {
  const double end = steady_ms();
  const double first = first_text_at > 0 ? first_text_at : end;
  c.queue_ms = sent_at - asked_at;
  c.prompt_ms = first - sent_at;
  c.decode_ms = end - first;
  c.total_ms = end - asked_at;
}

class EndpointModel final : public Model {
 public:
  EndpointModel(const OpenOptions& options, const RetryPolicy& policy)
      : url_(options.endpoint_url),
        key_(options.api_key),
        model_(options.endpoint_model),
        max_sequences_(std::clamp(options.max_sequences, 1, max_parallel)),
        policy_(policy) {
    while (!url_.empty() && url_.back() == '/') url_.pop_back();
    info_.name = options.name.empty() ? url_ + "#" + model_ : options.name;
    info_.kind = "endpoint";
    info_.engine_id = "endpoint";
    info_.has_chat_template = true;
  }

  const ModelInfo& info() const override { return info_; }
  Result<Completion> complete(const Request& request) override {
    return run(request, request.cancel);
  }
  Status complete_all(std::span<const Request> requests, const Done& done,
                      CancelToken cancel) override;
  Result<std::string> render(const std::vector<Message>&) const override {
    return Error::unsupported("an endpoint does not show the text that its model reads",
                              "use a GGUF model to see the rendered prompt");
  }
  Result<std::vector<int32_t>> tokenize(std::string_view) const override {
    return Error::unsupported("an endpoint does not show its model's tokens", "use a GGUF model");
  }

 private:
  Result<Completion> run(const Request& request, const CancelToken& cancel);
  Attempt attempt(const Request& request, const std::string& body, const CancelToken& cancel,
                  double asked_at);
  Attempt judge_status(const http::Response& response, const ChatReader& reader) const;
  Error clean(const Error& error) const;

  std::string url_;
  std::string key_;
  std::string model_;
  int max_sequences_;
  RetryPolicy policy_;
  ModelInfo info_;
  http::Client client_;
};

// Some servers quote the key in their errors.
Error EndpointModel::clean(const Error& error) const {
  const auto hide = [&](const std::string& text) {
    return mask_secrets(replace_all(text, key_, "***"));
  };
  return Error(error.code(), hide(error.message()), hide(error.hint()));
}

Attempt EndpointModel::judge_status(const http::Response& response,
                                    const ChatReader& reader) const {
  const int status = response.status;
  const std::string said = reader.error_text();
  const std::string text = "the endpoint " + url_ + " answered with status " +
                           std::to_string(status) + (said.empty() ? "" : ": " + said);
  if (status == 401 || status == 403) {
    const char* what =
        key_.empty()
            ? "set the key variable that your configuration names for this endpoint"
            : "check the key in the variable that your configuration names for this endpoint";
    return {Error::permission_denied(text, what)};
  }
  if (status == 404) {
    return {Error::not_found(
        text, "is '" + model_ + "' a model of this endpoint (GET " + url_ +
                  "/models lists them), and does the URL end where its API begins, as in /v1?")};
  }
  if (status >= 300 && status < 400) {
    return {Error::unavailable(text + "; redirects are not followed",
                               "configure the URL that it leads to")};
  }
  Attempt attempt{Error::unavailable(
                      text, status == 429 ? "ask less at once, or later" : "read the server's log"),
                  worth_retrying(status),
                  retry_after_ms(response.headers, now_unix_ms()).value_or(0)};
  if (status < 500 && !attempt.again)
    attempt.result = Error::invalid_input(text, "check the model's limits");
  return attempt;
}

Attempt EndpointModel::attempt(const Request& request, const std::string& body,
                               const CancelToken& cancel, double asked_at) {
  const double sent_at = steady_ms();
  ChatReader reader(request.on_text, key_);
  Status read;
  http::Request message;
  message.method = "POST";
  message.url = url_ + "/chat/completions";
  message.headers = {{"Content-Type", "application/json"}, {"Accept", "text/event-stream"}};
  if (!key_.empty()) message.headers.emplace_back("Authorization", "Bearer " + key_);
  message.body = body;
  message.cancel = cancel;
  message.max_response_bytes = max_response_bytes;
  const double left_ms =
      request.timeout_ms > 0 ? asked_at + request.timeout_ms - sent_at : longest_attempt_ms;
  message.timeout_ms = static_cast<int>(std::clamp<double>(left_ms, 1, longest_attempt_ms));
  message.on_body = [&](std::string_view bytes) {
    read = reader.feed(bytes);
    return read.ok() && !cancel.cancelled();
  };
  const auto response = client_.send(message);
  if (cancel.cancelled()) return {Error::cancelled()};
  const bool untold = !reader.text_seen() || !request.on_text;
  if (!response.ok()) {
    return {response.error(), untold && response.error().code() == ErrorCode::unavailable};
  }
  if (response->status < 200 || response->status >= 300) return judge_status(*response, reader);
  if (read.ok()) {
    const bool had_text = reader.text_seen();
    read = reader.finish();
    if (!read.ok()) return {read.error(), untold && had_text};
  }
  if (!read.ok()) return {read.error()};
  set_times(reader.completion(), asked_at, sent_at, reader.first_text_ms());
  return {std::move(reader.completion())};
}

Result<Completion> EndpointModel::run(const Request& request, const CancelToken& cancel) {
  const double asked_at = steady_ms();
  const std::string body = chat_request_json(request, model_).dump();
  for (int n = 0;; ++n) {
    Attempt tried = attempt(request, body, cancel, asked_at);
    if (tried.result.ok()) return tried.result;
    const Error error = clean(tried.result.error());
    if (!tried.again || n + 1 >= policy_.max_attempts || tried.asked_wait_ms > policy_.max_asked_ms)
      return error;
    const double wait_ms = std::max(tried.asked_wait_ms, backoff_ms(policy_, n));
    // A wait that would use up the time is not begun: the peer's own error says more than
    // "timeout".
    if (request.timeout_ms > 0 && steady_ms() + wait_ms >= asked_at + request.timeout_ms)
      return error;
    if (!retry_pause(wait_ms, cancel)) return Error::cancelled();
  }
}

Status EndpointModel::complete_all(std::span<const Request> requests, const Done& done,
                                   CancelToken cancel) {
  constexpr auto poll = std::chrono::milliseconds(20);
  std::vector<CancelSource> sources(requests.size());
  std::atomic<size_t> next{0};
  std::mutex done_mutex;
  // Declared before the workers, so that it still watches while they are joined.
  std::jthread watcher([&](const std::stop_token& stop) {
    for (; !stop.stop_requested(); std::this_thread::sleep_for(poll)) {
      for (size_t i = 0; i < requests.size(); ++i) {
        if (cancel.cancelled() || requests[i].cancel.cancelled()) sources[i].cancel();
      }
    }
  });
  const auto work = [&] {
    for (size_t i = next++; i < requests.size(); i = next++) {
      Result<Completion> result = Error::cancelled();
      if (!cancel.cancelled()) result = run(requests[i], sources[i].token());
      const std::lock_guard lock(done_mutex);
      if (done) done(i, std::move(result));
    }
  };
  {
    std::vector<std::jthread> workers;
    const size_t count = std::min<size_t>(static_cast<size_t>(max_sequences_), requests.size());
    for (size_t i = 0; i < count; ++i) workers.emplace_back(work);
  }
  if (cancel.cancelled()) return Error::cancelled();
  return {};
}

Status check_options(const OpenOptions& options) {
  const auto url = http::parse_url(options.endpoint_url);
  if (!url.ok()) return url.error();
  if (!url->query.empty()) {
    return Error::invalid_input("an endpoint's URL carries no query",
                                "name the base URL, as in http://host:8080/v1");
  }
  if (options.endpoint_model.empty()) {
    return Error::invalid_input("no model is named for the endpoint " + options.endpoint_url,
                                "write the URL as http://host:8080/v1#model");
  }
  const bool plain = std::all_of(options.api_key.begin(), options.api_key.end(),
                                 [](unsigned char c) { return c > ' ' && c < 0x7f; });
  if (!plain) {
    return Error::invalid_input(
        "the endpoint's key has a blank, a line end or another character that no key has",
        "set its variable again");
  }
  return {};
}

}  // namespace

Result<std::shared_ptr<Model>> open_endpoint(const OpenOptions& options,
                                             const RetryPolicy& policy) {
  SLIPWAY_CHECK(check_options(options));
  return std::shared_ptr<Model>(std::make_shared<EndpointModel>(options, policy));
}

Result<std::shared_ptr<Model>> open_endpoint(const OpenOptions& options) {
  return open_endpoint(options, RetryPolicy{});
}

}  // namespace slipway::model
