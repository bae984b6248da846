// What the route groups of one server share, and the frame in which each of their handlers runs.
//
//     add_route(server, service, "POST", "/v1/feedback", [&](const http::ServerRequest& request) {
//       ... });
//
// The frame refuses what is no JSON (415) and more answers of a model at once than allowed (429);
// what comes without the token never gets here (401, serve/access.h). It counts what is no GET, and
// turns an Error into the body that clients of the OpenAI API read. Thread-safe.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/result.h"
#include "http/server.h"
#include "json/value.h"
#include "serve/metrics.h"
#include "serve/shelf.h"
#include "serve/trace_log.h"
#include "store/store.h"

namespace slipway::serve {

struct Service {
  std::string project;  // its name
  std::string project_folder;
  std::string run_id;
  int64_t start_ms = 0;
  int request_timeout_ms = 120'000;
  std::shared_ptr<store::Store> store;
  std::function<std::string()> local_clock;  // "2026-11-24T18:00:00"; empty: no clock is added
  std::unique_ptr<Shelf> shelf;
  std::unique_ptr<TraceLog> traces;
  std::unique_ptr<Metrics> metrics;
  std::atomic<bool> draining{false};
  CancelSource ending;  // draining has taken long enough: what a handler waits for ends
};

// An Error of a handler becomes a response by error_response.
using Route = std::function<Result<http::ServerResponse>(const http::ServerRequest&)>;
// What a group's POST may carry, and how it says no: by default JSON, and as the OpenAI API does.
struct Frame {
  bool asks_model = false;  // takes one of the places of `most_in_flight`
  std::vector<std::string> media = {"application/json"};
  std::function<http::ServerResponse(int status, const Error&)> refuse = {};  // 415, 429
  std::function<http::ServerResponse(const Error&)> error = {};               // of a handler
};
void add_route(http::Server& server, Service& service, const std::string& method,
               const std::string& path, Route route, const Frame& frame = {});

// {"error": {"message", "type", "param", "code"}} and its HTTP status: a mistake of the caller is
// 4xx, which clients do not repeat.
http::ServerResponse error_response(const Error& error);
json::Value error_json(const Error& error);

// The body as an object. Errors: invalid_input.
Result<json::Value> body_of(const http::ServerRequest& request);

// A context as the caller gave it (nullptr: none), with the clock when it has none of its own.
Result<json::Value> context_of(const Service& service, const json::Value* given);

}  // namespace slipway::serve
