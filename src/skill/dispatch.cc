#include "skill/dispatch.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "base/clock.h"
#include "base/text.h"
#include "skill/request.h"

namespace slipway::skill {
namespace {

constexpr int max_redirects = 3;
constexpr int first_backoff_ms = 100;
constexpr size_t max_message_bytes = 200;

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

std::string replace_all(std::string text, const std::string& what, const std::string& with) {
  for (size_t at = 0; !what.empty() && (at = text.find(what, at)) != std::string::npos;
       at += with.size()) {
    text.replace(at, what.size(), with);
  }
  return text;
}

std::string without_secrets(std::string text, const std::vector<std::string>& secrets) {
  for (const auto& secret : secrets) {
    text = replace_all(std::move(text), secret, "***");
    text = replace_all(std::move(text), http::percent_encode(secret), "***");
  }
  return text;
}

// One printable line of at most 200 bytes.
std::string bounded(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  if (!is_valid_utf8(text)) return "(" + std::to_string(text.size()) + " bytes that are no text)";
  text = std::string(trim(text));
  if (text.size() <= max_message_bytes) return text;
  size_t cut = max_message_bytes - 3;
  while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xc0) == 0x80) --cut;
  return text.substr(0, cut) + "...";
}

// What the service says went wrong: {"error": "..."}, {"error": {"message": "..."}}, {"detail":
// "..."}, or its text.
std::string service_message(const http::Response& response) {
  const auto body = json::parse(response.body);
  if (!body.ok() || !body->is_object()) return bounded(response.body);
  for (const char* key : {"error", "message", "detail", "title"}) {
    const auto* value = body->get(key);
    if (value && value->is_string()) return bounded(value->as_string());
    if (value && value->get("message")) return bounded(value->text("message"));
  }
  return bounded(response.body);
}

json::Value without_secrets(json::Value value, const std::vector<std::string>& secrets) {
  if (value.is_string()) return without_secrets(value.as_string(), secrets);
  if (value.is_array()) {
    for (auto& element : value.as_array()) element = without_secrets(std::move(element), secrets);
  }
  if (value.is_object()) {
    for (auto& [key, member] : value.as_object()) {
      key = without_secrets(key, secrets);
      member = without_secrets(std::move(member), secrets);
    }
  }
  return value;
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

}  // namespace

struct Dispatcher::Impl {
  DispatchOptions options;
  http::Client client;

  Status permit(const Call& call, const Function& function) const;
  Result<http::Response> send_following(http::Request request, const std::string& origin);
  Result<http::Response> send_retrying(const RenderedRequest& rendered, const HttpBinding& http,
                                       int& attempts);
  Status run(const Call& call, const SkillSet& skills, Span& span, Outcome& outcome);
  bool wait(int milliseconds) const;
};

Dispatcher::Dispatcher(DispatchOptions options) : impl_(std::make_unique<Impl>()) {
  impl_->options = std::move(options);
}
Dispatcher::~Dispatcher() = default;

Status Dispatcher::Impl::permit(const Call& call, const Function& function) const {
  if (function.permission == Permission::allow) return Status::success();
  if (options.confirm && options.confirm(call, function)) return Status::success();
  return Error::permission_denied(
      function.qualified_name() + " needs confirmation" +
          (options.confirm ? ", which was not given" : ""),
      options.confirm ? "" : "confirm the call, or set its permission to allow in the skill file");
}

Result<http::Response> Dispatcher::Impl::send_following(http::Request request,
                                                        const std::string& origin) {
  const double deadline = steady_ms() + request.timeout_ms;
  for (int hops = 0;; ++hops) {
    request.timeout_ms = std::max(1, static_cast<int>(deadline - steady_ms()));
    auto response = client.send(request);
    if (!response.ok() || !is_redirect(*response)) return response;
    SLIPWAY_TRY(base, http::parse_url(request.url));
    auto target = http::parse_url(resolve(base, *http::find_header(response->headers, "Location")));
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
    if (hops == max_redirects) return Error::unavailable("the service redirects more than 3 times");
    request.url = target->text();
  }
}

bool Dispatcher::Impl::wait(int milliseconds) const {
  const auto until = steady_ms() + milliseconds;
  while (steady_ms() < until) {
    if (options.cancel.cancelled()) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return !options.cancel.cancelled();
}

// The binding's timeout_ms covers all attempts together.
Result<http::Response> Dispatcher::Impl::send_retrying(const RenderedRequest& rendered,
                                                       const HttpBinding& http, int& attempts) {
  const double deadline = steady_ms() + http.timeout_ms;
  const bool repeatable = http.idempotent || is_read(http.method);
  auto request = rendered.request;
  for (attempts = 1;; ++attempts) {
    request.timeout_ms = std::max(1, static_cast<int>(deadline - steady_ms()));
    auto response = send_following(request, rendered.origin);
    const bool passing = response.ok() ? may_pass(response->status)
                                       : response.error().code() == ErrorCode::unavailable;
    const int backoff_ms = first_backoff_ms << std::min(attempts - 1, 6);
    if (!passing || !repeatable || attempts > options.max_retries ||
        steady_ms() + backoff_ms >= deadline)
      return response;
    if (!wait(backoff_ms)) return Error::cancelled();
  }
}

Status Dispatcher::Impl::run(const Call& unchecked, const SkillSet& skills, Span& span,
                             Outcome& outcome) {
  SLIPWAY_TRY(call, check_call(unchecked, skills));
  const auto& function = *skills.find(call.function);
  const auto& skill = *skills.skill_of(function);
  if (function.permission == Permission::deny) {
    return Error::permission_denied(function.qualified_name() + " is denied by its skill file");
  }
  SLIPWAY_TRY(rendered, render_request(call, function, skill, options));
  outcome.url = rendered.masked_url;
  span.set("http.method", rendered.request.method);
  span.set("http.url", rendered.masked_url);
  SLIPWAY_CHECK(permit(call, function));
  if (options.cancel.cancelled()) return Error::cancelled();

  const double start_ms = steady_ms();
  auto response = send_retrying(rendered, function.http, outcome.attempts);
  outcome.elapsed_ms = steady_ms() - start_ms;
  const auto name = function.qualified_name();
  if (!response.ok()) {
    const auto& error = response.error();
    const auto hint = error.code() == ErrorCode::unavailable && error.hint().empty()
                          ? "is the service at " + skill.base_url +
                                " running? It is base_url of skill '" + skill.name + "'"
                          : error.hint();
    return Error(error.code(), without_secrets(name + ": " + error.message(), rendered.secrets),
                 without_secrets(hint, rendered.secrets));
  }
  outcome.status = response->status;
  if (is_success(response->status)) {
    outcome.acted = true;
    outcome.result = result_of(*response, rendered.secrets);
    return Status::success();
  }
  const auto said = without_secrets(service_message(*response), rendered.secrets);
  const auto message = name + ": the service at " + skill.base_url + " answered " +
                       std::to_string(response->status) + (said.empty() ? "" : ": " + said);
  if (may_pass(response->status)) return Error::unavailable(message, "look at that service's log");
  return Error::invalid_input(message,
                              "check the arguments and the skill file's path, query and headers");
}

Result<Outcome> Dispatcher::dispatch(const Call& call, const SkillSet& skills, const Tracer& tracer,
                                     const Span* parent) {
  auto span = tracer.span("skill.dispatch", parent);
  span.set("function", call.function);
  Outcome outcome;
  const auto status = impl_->run(call, skills, span, outcome);
  span.set("http.status", int64_t{outcome.status});
  span.set("attempts", int64_t{outcome.attempts});
  if (status.ok()) return outcome;
  span.fail(status.error().message());
  return status.error();
}

}  // namespace slipway::skill
