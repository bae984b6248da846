// What the routes share: answers, bodies, parameters. Pure functions; thread-safe.
#pragma once

#include <map>
#include <string>

#include "base/result.h"
#include "http/server.h"
#include "json/value.h"

namespace slipway::home {

// 200 with the value, or the error's status with {"error", "hint"}.
inline http::ServerResponse answer(const Result<json::Value>& result) {
  if (result.ok()) return http::ServerResponse::json(200, result->dump() + "\n");
  json::Value error = json::Value::object();
  error.set("error", result.error().message());
  if (!result.error().hint().empty()) error.set("hint", result.error().hint());
  return http::ServerResponse::json(http_status(result.error().code()), error.dump() + "\n");
}

// The body as an object; no body is an empty one.
inline Result<json::Value> body_of(const http::ServerRequest& request) {
  if (request.body.empty()) return json::Value::object();
  SLIPWAY_TRY(body, json::parse(request.body));
  if (!body.is_object()) return Error::invalid_input("the body must be a JSON object");
  return body;
}

inline std::string parameter(const std::map<std::string, std::string>& values,
                             const std::string& name) {
  auto found = values.find(name);
  return found == values.end() ? "" : found->second;
}

// A handler that calls action(request, body).
template <typename Action>
http::Handler with_body(Action action) {
  return [action](const http::ServerRequest& request) {
    auto body = body_of(request);
    return body.ok() ? answer(action(request, *body)) : answer(body.error());
  };
}

}  // namespace slipway::home
