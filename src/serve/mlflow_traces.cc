#include "serve/mlflow.h"
#include "store/tracking.h"

namespace slipway::serve {
namespace {

using store::Tracking;

http::ServerResponse answer_trace(json::Value info) {
  auto trace = json::Value::object();
  trace.set("trace_info", std::move(info));
  auto answer = json::Value::object();
  answer.set("trace", std::move(trace));
  return http::ServerResponse::json(200, answer.dump());
}

// The client says at the end of a trace what it was; its spans come by OTLP (serve/otlp.h).
Result<http::ServerResponse> start(Tracking tracking, const json::Value& arguments) {
  const auto* trace = arguments.get("trace");
  const auto* info = trace ? trace->get("trace_info") : nullptr;
  if (info == nullptr || !info->is_object())
    return Error::invalid_input("'trace.trace_info' is missing");
  SLIPWAY_TRY(id, text_argument(*info, "trace_id"));
  const auto* location = info->get("trace_location");
  const auto* experiment = location ? location->get("mlflow_experiment") : nullptr;
  if (experiment == nullptr)
    return Error::invalid_input("'trace_location.mlflow_experiment' is missing");
  SLIPWAY_TRY(number, required_integer(*experiment, "experiment_id"));
  SLIPWAY_CHECK(tracking.put_trace_info(id, number, *info));
  return answer_trace(*info);
}

Result<http::ServerResponse> get_info(Tracking tracking, const json::Value& arguments) {
  SLIPWAY_TRY(info, tracking.trace_info(arguments.text("trace_id")));
  return answer_trace(std::move(info));
}

}  // namespace

void add_mlflow_traces(http::Server& server, Service& service) {
  const auto add = [&](const char* method, const char* path, auto handler) {
    add_text_call(
        server, service, method, path,
        [&service, handler](const json::Value& arguments) {
          return handler(Tracking(*service.store), arguments);
        },
        "3.0");
  };
  add("POST", "traces", start);
  add("GET", "traces/{trace_id}", get_info);
}

}  // namespace slipway::serve
