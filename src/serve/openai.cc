#include "serve/openai.h"

#include "base/clock.h"
#include "base/ids.h"
#include "serve/chat_stream.h"

namespace slipway::serve {
namespace {

// Answers and leaves the trace and the counts behind.
Result<ChatAnswer> answer_traced(Service& service, const Served& served, const ChatRequest& request,
                                 const std::string& trace_id, const ChatHooks& hooks) {
  std::vector<SpanRecord> spans;
  auto answer = [&] {
    const Tracer tracer(trace_id, [&spans](SpanRecord span) { spans.push_back(std::move(span)); });
    return answer_chat(served, request, tracer, hooks);
  }();
  if (answer.ok()) service.metrics->add_completion(answer->completion);
  service.traces->put(std::move(spans));
  return answer;
}

http::ServerResponse with_trace(http::ServerResponse response, const std::string& trace_id) {
  response.headers.emplace_back("X-Slipway-Trace", trace_id);
  return response;
}

Result<http::ServerResponse> chat(Service& service, const http::ServerRequest& http_request) {
  SLIPWAY_TRY(body, body_of(http_request));
  SLIPWAY_TRY(request, parse_chat_request(body));
  SLIPWAY_TRY(context, context_of(service, &request.input.context));
  request.input.context = std::move(context);
  SLIPWAY_TRY(served, service.shelf->get(request.model));
  const auto trace_id = new_trace_id();
  ChatForm form{trace_id, request.model.empty() ? service.shelf->names()[0] : request.model,
                served->fingerprint, now_unix_ms() / 1000, request.logprobs};
  const auto cancel = service.ending.token().or_when(http_request.left);
  if (!request.stream) {
    ChatHooks hooks;
    hooks.timeout_ms = service.request_timeout_ms;
    hooks.cancel = cancel;
    SLIPWAY_TRY(answer, answer_traced(service, *served, request, trace_id, hooks));
    return with_trace(http::ServerResponse::json(200, form.completion(answer).dump()), trace_id);
  }
  const bool include_usage = request.include_usage;
  auto stream = std::make_shared<ChatStream>(
      std::move(form), include_usage, service.request_timeout_ms, cancel,
      [&service, served, request = std::move(request), trace_id](const ChatHooks& hooks) {
        return answer_traced(service, *served, request, trace_id, hooks);
      });
  SLIPWAY_CHECK(stream->wait_for_first());
  http::ServerResponse response;
  response.headers = {{"Content-Type", "text/event-stream"}, {"Cache-Control", "no-cache"}};
  response.next = [stream] { return stream->next(); };
  return with_trace(std::move(response), trace_id);
}

json::Value model_json(const Service& service, const std::string& name) {
  auto model = json::Value::object();
  model.set("id", name)
      .set("object", "model")
      .set("created", service.start_ms / 1000)
      .set("owned_by", service.project);
  return model;
}

}  // namespace

void add_openai(http::Server& server, Service& service) {
  add_route(server, service, "POST", "/v1/chat/completions",
            [&service](const http::ServerRequest& request) { return chat(service, request); },
            {.asks_model = true});
  add_route(server, service, "GET", "/v1/models",
            [&service](const http::ServerRequest&) -> Result<http::ServerResponse> {
              auto list = json::Value::array();
              for (const auto& name : service.shelf->names())
                list.push_back(model_json(service, name));
              auto body = json::Value::object();
              body.set("object", "list").set("data", std::move(list));
              return http::ServerResponse::json(200, body.dump());
            });
  add_route(server, service, "GET", "/v1/models/{name}",
            [&service](const http::ServerRequest& request) -> Result<http::ServerResponse> {
              const auto& name = request.params.at("name");
              for (const auto& known : service.shelf->names()) {
                if (known == name)
                  return http::ServerResponse::json(200, model_json(service, name).dump());
              }
              return Error::not_found("no model '" + name + "' is served here",
                                      "GET /v1/models lists them");
            });
}

}  // namespace slipway::serve
