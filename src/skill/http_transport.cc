// Calls as HTTP requests, under the host rule.
#include <algorithm>
#include <chrono>
#include <thread>

#include "base/clock.h"
#include "base/text.h"
#include "skill/redact.h"
#include "skill/request.h"
#include "skill/transport.h"

namespace slipway::skill {
namespace {

constexpr int max_redirects = 3;
constexpr int first_backoff_ms = 100;

bool is_read(const std::string& method) { return method == "GET" || method == "HEAD"; }
bool is_success(int status) { return status >= 200 && status < 300; }
bool may_pass(int status) { return status >= 500 || status == 429 || status == 408; }

bool is_redirect(const http::Response& response) {
  constexpr int codes[] = {301, 302, 303, 307, 308};
  return std::find(std::begin(codes), std::end(codes), response.status) != std::end(codes) &&
         http::find_header(response.headers, "Location");
}

// An absolute URL from a Location header.
std::string resolve(const http::Url& base, const std::string& location) {
  if (location.find("://") != std::string::npos &&
      location.find("://") < location.find_first_of("/?#"))
    return location;
  if (location.starts_with("//")) return base.scheme + ":" + location;
  if (location.starts_with("/")) return base.origin() + location;
  return base.origin() + base.path.substr(0, base.path.rfind('/') + 1) + location;
}

// What the service says went wrong: {"error": "..."}, {"error": {"message": "..."}}, {"detail":
// "..."}, or its text.
std::string service_message(const http::Response& response,
                            const std::vector<std::string>& secrets) {
  const auto body = json::parse(response.body);
  if (!body.ok() || !body->is_object()) return bounded_line(response.body, secrets);
  for (const char* key : {"error", "message", "detail", "title"}) {
    const auto* value = body->get(key);
    if (value && value->is_string()) return bounded_line(value->as_string(), secrets);
    if (value && value->get("message")) return bounded_line(value->text("message"), secrets);
  }
  return bounded_line(response.body, secrets);
}

// A service may echo the key it was sent; what is kept and said must not hold it.
json::Value result_of(const http::Response& response, const std::vector<std::string>& secrets) {
  if (response.body.empty()) return {};
  const auto* type = http::find_header(response.headers, "Content-Type");
  if (!type || to_lower(*type).find("json") != std::string::npos) {
    auto value = json::parse(response.body);
    if (value.ok()) return without_secrets(std::move(*value), secrets);
  }
  if (is_valid_utf8(response.body)) return without_secrets(response.body, secrets);
  return json::Value("(" + std::to_string(response.body.size()) + " bytes of " +
                     (type ? *type : "data") + ")");
}

// Sends what is rendered, redirects and retries included.
class Sender {
 public:
  Sender(http::Client& client, const DispatchOptions& options)
      : client_(client), options_(options) {}

  // The binding's timeout_ms covers all attempts together.
  Result<http::Response> send_retrying(const RenderedRequest& rendered, const HttpBinding& http,
                                       int& attempts) {
    const double deadline = steady_ms() + http.timeout_ms;
    const bool repeatable = http.idempotent || is_read(http.method);
    auto request = rendered.request;
    for (attempts = 1;; ++attempts) {
      request.timeout_ms = std::max(1, static_cast<int>(deadline - steady_ms()));
      auto response = send_following(request, rendered.origin);
      const bool passing = response.ok() ? may_pass(response->status)
                                         : response.error().code() == ErrorCode::unavailable;
      const int backoff_ms = first_backoff_ms << std::min(attempts - 1, 6);
      if (!passing || !repeatable || attempts > options_.max_retries ||
          steady_ms() + backoff_ms >= deadline)
        return response;
      if (!wait(backoff_ms, request.cancel)) return Error::cancelled();
    }
  }

 private:
  Result<http::Response> send_following(http::Request request, const std::string& origin) {
    const double deadline = steady_ms() + request.timeout_ms;
    for (int hops = 0;; ++hops) {
      request.timeout_ms = std::max(1, static_cast<int>(deadline - steady_ms()));
      auto response = client_.send(request);
      if (!response.ok() || !is_redirect(*response)) return response;
      SLIPWAY_TRY(base, http::parse_url(request.url));
      auto target =
          http::parse_url(resolve(base, *http::find_header(response->headers, "Location")));
      if (!target.ok())
        return Error::unavailable("the service redirects to something that is no URL");
      if (target->origin() != origin) {
        return Error::permission_denied(
            "the service redirects to " + target->origin() + ", which is not followed",
            "a skill speaks to its base_url only; if that is the right place, write it there");
      }
      if (!is_read(request.method)) {
        return Error::unavailable(
            "the service redirects a " + request.method + ", which is not followed",
            "write the final path into the skill file");
      }
      if (hops == max_redirects)
        return Error::unavailable("the service redirects more than 3 times");
      request.url = target->text();
    }
  }

  static bool wait(int milliseconds, const CancelToken& cancel) {
    const auto until = steady_ms() + milliseconds;
    while (steady_ms() < until && !cancel.cancelled())
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return !cancel.cancelled();
  }

  http::Client& client_;
  const DispatchOptions& options_;
};

class HttpExchange : public Exchange {
 public:
  HttpExchange(RenderedRequest rendered, const Function& function, const Skill& skill,
               http::Client& client, const DispatchOptions& options)
      : rendered_(std::move(rendered)),
        function_(function),
        skill_(skill),
        client_(client),
        options_(options) {}

  std::string shown() const override {
    return rendered_.request.method + " " + rendered_.masked_url;
  }

  void describe(Span& span, Outcome& outcome) const override {
    outcome.url = rendered_.masked_url;
    span.set("http.method", rendered_.request.method);
    span.set("http.url", rendered_.masked_url);
  }

  Status send(Outcome& outcome) override {
    const double start_ms = steady_ms();
    auto response =
        Sender(client_, options_).send_retrying(rendered_, function_.http, outcome.attempts);
    outcome.elapsed_ms = steady_ms() - start_ms;
    const auto name = function_.qualified_name();
    if (!response.ok()) {
      const auto& error = response.error();
      const bool of_peer =
          error.code() == ErrorCode::unavailable || error.code() == ErrorCode::timeout;
      const auto hint = of_peer ? error.hint() + " (skill '" + skill_.name + "' has base_url " +
                                      skill_.base_url + ")"
                                : error.hint();
      return Error(error.code(), without_secrets(name + ": " + error.message(), rendered_.secrets),
                   without_secrets(hint, rendered_.secrets));
    }
    outcome.status = response->status;
    if (is_success(response->status)) {
      outcome.acted = true;
      outcome.result = result_of(*response, rendered_.secrets);
      return Status::success();
    }
    const auto said = service_message(*response, rendered_.secrets);
    const auto message = name + ": the service at " + skill_.base_url + " answered " +
                         std::to_string(response->status) + (said.empty() ? "" : ": " + said);
    if (may_pass(response->status))
      return Error::unavailable(message, "look at that service's log");
    return Error::invalid_input(message,
                                "check the arguments and the skill file's path, query and headers");
  }

 private:
  const RenderedRequest rendered_;
  const Function& function_;
  const Skill& skill_;
  http::Client& client_;
  const DispatchOptions& options_;
};

class HttpTransport : public Transport {
 public:
  explicit HttpTransport(const DispatchOptions& options) : options_(options) {}

  Result<std::unique_ptr<Exchange>> prepare(const Call& call, const Function& function,
                                            const Skill& skill,
                                            const CallContext& context) override {
    SLIPWAY_TRY(rendered, render_request(call, function, skill, options_, context));
    return std::unique_ptr<Exchange>(
        std::make_unique<HttpExchange>(std::move(rendered), function, skill, client_, options_));
  }

 private:
  const DispatchOptions& options_;
  http::Client client_;
};

}  // namespace

std::unique_ptr<Transport> make_http_transport(const DispatchOptions& options) {
  return std::make_unique<HttpTransport>(options);
}

}  // namespace slipway::skill
