#include "serve/service.h"

#include <algorithm>

#include "base/text.h"

namespace slipway::serve {
namespace {

int status_of(const Error& error) {
  switch (error.code()) {
    case ErrorCode::unsupported:
      return 400;  // asked for by the caller, and always refused
    case ErrorCode::exhausted:
      return 400;  // longer than the context
    case ErrorCode::cancelled:
      return 503;
    default:
      return http_status(error.code());
  }
}

const char* type_of(int status) {
  if (status == 401) return "authentication_error";
  if (status == 403) return "permission_error";
  if (status == 429) return "rate_limit_error";
  return status < 500 ? "invalid_request_error" : "server_error";
}

http::ServerResponse refuse(int status, const Error& error) {
  json::Value body;
  auto detail = error_json(error);
  detail.set("type", type_of(status));
  body.set("error", std::move(detail));
  return http::ServerResponse::json(status, body.dump());
}

bool has_form(const http::ServerRequest& request, const std::vector<std::string>& media) {
  if (request.method != "POST") return true;
  const auto* type = http::find_header(request.headers, "Content-Type");
  const auto given = type ? to_lower(trim(split(*type, ';')[0])) : std::string();
  return std::find(media.begin(), media.end(), given) != media.end();
}

// A web page can send a form or plain text anywhere; JSON it cannot without our permission.
Error wrong_form(const std::vector<std::string>& media) {
  return Error::invalid_input("the request's Content-Type is not " + join(media, " or "),
                              "send that and say so");
}

Frame complete(Frame frame) {
  if (!frame.refuse) frame.refuse = refuse;
  if (!frame.error) frame.error = error_response;
  return frame;
}

}  // namespace

json::Value error_json(const Error& error) {
  auto detail = json::Value::object();
  detail.set("message", error.to_string())
      .set("type", type_of(status_of(error)))
      .set("param", nullptr)
      .set("code", code_name(error.code()));
  return detail;
}

http::ServerResponse error_response(const Error& error) { return refuse(status_of(error), error); }

void add_route(http::Server& server, Service& service, const std::string& method,
               const std::string& path, Route route, const Frame& given) {
  const bool counted = method != "GET";
  server.route(method, path,
               [&service, path, counted, frame = complete(given), route = std::move(route)](
                   const http::ServerRequest& request) -> http::ServerResponse {
                 if (!has_form(request, frame.media))
                   return frame.refuse(415, wrong_form(frame.media));
                 if (!counted) {
                   auto response = route(request);
                   return response.ok() ? std::move(*response) : frame.error(response.error());
                 }
                 auto exchange = service.metrics->enter(path, frame.asks_model);
                 if (!exchange) {
                   auto busy = frame.refuse(
                       429, Error::exhausted("too many requests at once", "try again shortly"));
                   busy.headers.emplace_back("Retry-After", "1");
                   return busy;
                 }
                 auto made = route(request);
                 auto response = made.ok() ? std::move(*made) : frame.error(made.error());
                 exchange->status = response.status;
                 if (response.next) {  // answered when the stream is over
                   response.next = [exchange, next = std::move(response.next)] { return next(); };
                 }
                 return response;
               });
}

Result<json::Value> body_of(const http::ServerRequest& request) {
  auto body = json::parse(request.body);
  if (!body.ok()) {
    return Error::invalid_input("the request's body is no JSON: " + body.error().message());
  }
  if (!body->is_object()) return Error::invalid_input("the request's body is no JSON object");
  return body;
}

Result<json::Value> context_of(const Service& service, const json::Value* given) {
  auto context = given && !given->is_null() ? *given : json::Value::object();
  if (!context.is_object()) return Error::invalid_input("'context' must be an object");
  if (!context.get("clock") && service.local_clock) context.set("clock", service.local_clock());
  return context;
}

}  // namespace slipway::serve
