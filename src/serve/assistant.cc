#include "serve/assistant.h"

#include "base/ids.h"
#include "base/text.h"
#include "serve/chat.h"
#include "serve/feedback.h"

namespace slipway::serve {
namespace {

struct Asked {
  std::string model;
  candidate::Input input;
  bool dry_run = false;
  bool confirmed = false;
};

Result<Asked> read_asked(const Service& service, const json::Value& body) {
  Asked asked;
  for (const auto& [key, value] : body.as_object()) {
    const bool text = key == "input" || key == "model";
    const bool flag = key == "dry_run" || key == "confirmed";
    if ((text && !value.is_string()) || (flag && !value.is_bool()))
      return Error::invalid_input("'" + key + "' must be " + (text ? "a text" : "true or false"));
    if (!text && !flag && key != "context") {
      return Error::invalid_input("unknown member '" + key + "'",
                                  "known are input, context, model, dry_run, confirmed");
    }
  }
  asked.input.text = body.text("input");
  if (trim(asked.input.text).empty()) return Error::invalid_input("'input' is missing or empty");
  asked.model = body.text("model");
  asked.dry_run = body.flag("dry_run");
  asked.confirmed = body.flag("confirmed");
  SLIPWAY_TRY(context, context_of(service, body.get("context")));
  asked.input.context = std::move(context);
  return asked;
}

// Which of the candidates of that name it was, on the turn's own root span.
void complete_root(std::vector<SpanRecord>& spans, const Served& served) {
  for (auto& span : spans)
    if (span.parent_span_id.empty()) span.attributes.emplace_back("candidate_id", served.id);
}

Result<http::ServerResponse> assist(Service& service, const http::ServerRequest& request) {
  SLIPWAY_TRY(body, body_of(request));
  SLIPWAY_TRY(asked, read_asked(service, body));
  SLIPWAY_TRY(served, service.shelf->get(asked.model));
  std::vector<SpanRecord> spans;
  const Tracer tracer(new_trace_id(),
                      [&spans](SpanRecord span) { spans.push_back(std::move(span)); });
  const auto& assistant = asked.confirmed ? served->confirmed : served->assistant;
  auto turn = assistant->answer(asked.input, tracer,
                                {.dry_run = asked.dry_run,
                                 .timeout_ms = service.request_timeout_ms,
                                 .cancel = service.ending.token().or_when(request.left)});
  complete_root(spans, *served);
  service.traces->put(std::move(spans));
  if (!turn.ok()) return turn.error();
  service.metrics->add_completion(turn->completion);
  service.metrics->add_turn(turn->acted);
  auto value = turn_json(*turn);
  value.set("model", served->candidate.name).set("system_fingerprint", served->fingerprint);
  auto response = http::ServerResponse::json(200, value.dump());
  response.headers.emplace_back("X-Slipway-Trace", turn->trace_id);
  return response;
}

}  // namespace

json::Value turn_json(const candidate::Turn& turn) {
  auto calls = json::Value::array();
  for (const auto& call : turn.calls) {
    auto c = json::Value::object();
    c.set("call", call.text).set("acted", call.outcome.acted).set("status", call.outcome.status);
    c.set("result", call.outcome.result);
    if (call.error) c.set("error", call.error->to_string());
    calls.push_back(std::move(c));
  }
  auto value = json::Value::object();
  value.set("reply", turn.reply)
      .set("acted", turn.acted)
      .set("output", turn.output)
      .set("calls", std::move(calls));
  value.set("trace_id", turn.trace_id).set("latency_ms", turn.completion.total_ms);
  if (turn.not_a_call) value.set("not_a_call", turn.not_a_call->to_string());
  return value;
}

void add_assistant(http::Server& server, Service& service) {
  add_route(server, service, "POST", "/v1/assistant",
            [&service](const http::ServerRequest& request) { return assist(service, request); },
            {.asks_model = true});
  add_route(server, service, "POST", "/v1/feedback",
            [&service](const http::ServerRequest& request) -> Result<http::ServerResponse> {
              SLIPWAY_TRY(body, body_of(request));
              SLIPWAY_TRY(feedback, parse_feedback(body));
              SLIPWAY_TRY(noted, give_feedback(service, feedback));
              auto value = json::Value::object();
              value.set("trace_id", feedback.trace_id)
                  .set("row", noted.row.is_null() ? json::Value() : noted.row)
                  .set("path", noted.path.empty() ? json::Value() : json::Value(noted.path));
              return http::ServerResponse::json(200, value.dump());
            });
}

}  // namespace slipway::serve
