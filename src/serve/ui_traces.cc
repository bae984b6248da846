// Traces of a run, and one trace: the walk of a request.
#include <algorithm>

#include "serve/ui.h"
#include "serve/ui_routes.h"

namespace slipway::serve {
namespace {

constexpr size_t most_spans = 5000;  // of a trace, in one answer

json::Value attribute_json(const AttributeValue& value) {
  return std::visit([](const auto& v) { return json::Value(v); }, value);
}

json::Value span_json(const SpanRecord& span, int64_t begin_ns) {
  auto attributes = json::Value::array();  // pairs: a client's keys may be anything
  for (const auto& [key, value] : span.attributes) {
    auto pair = json::Value::array();
    pair.push_back(key);
    pair.push_back(attribute_json(value));
    attributes.push_back(std::move(pair));
  }
  auto value = json::Value::object();
  value.set("id", span.span_id)
      .set("parent", span.parent_span_id)
      .set("name", span.name)
      .set("start_ms", static_cast<double>(span.start_unix_ns - begin_ns) / 1e6)
      .set("end_ms", static_cast<double>(span.end_unix_ns - begin_ns) / 1e6)
      .set("ok", span.ok)
      .set("message", span.status_message)
      .set("attributes", std::move(attributes));
  return value;
}

const SpanRecord& root_of(const std::vector<SpanRecord>& spans) {
  const auto found = std::find_if(spans.begin(), spans.end(),
                                  [](const auto& span) { return span.parent_span_id.empty(); });
  return found == spans.end() ? spans.front() : *found;
}

json::Value trace_line(const std::string& id, const std::vector<SpanRecord>& spans) {
  const auto& root = root_of(spans);
  auto value = json::Value::object();
  value.set("trace_id", id)
      .set("name", root.name)
      .set("input", root.text("input"))
      .set("reply", root.text("reply"))
      .set("start_ms", root.start_unix_ns / 1'000'000)
      .set("took_ms", static_cast<double>(root.end_unix_ns - root.start_unix_ns) / 1e6)
      .set("spans", spans.size())
      .set("ok", std::all_of(spans.begin(), spans.end(), [](const auto& s) { return s.ok; }));
  return value;
}

Result<json::Value> list_traces(const store::Store& store, const http::ServerRequest& request) {
  SLIPWAY_TRY(run, store.find_run(request.params.at("id")));
  SLIPWAY_TRY(offset, query_integer(request, "offset", 0, 0, 100'000'000));
  SLIPWAY_TRY(limit, query_integer(request, "limit", 50, 1, 200));
  SLIPWAY_TRY(found, store.count_traces(run.id));
  SLIPWAY_TRY(ids, store.newest_traces(run.id, limit, offset));
  auto list = json::Value::array();
  for (const auto& id : ids) {
    SLIPWAY_TRY(spans, store.trace(id));
    list.push_back(trace_line(id, spans));
  }
  auto value = json::Value::object();
  value.set("found", found).set("traces", std::move(list));
  return value;
}

Result<json::Value> show_trace(const store::Store& store, const http::ServerRequest& request) {
  const auto& id = request.params.at("id");
  SLIPWAY_TRY(spans, store.trace(id));
  const auto begin_ns = spans.front().start_unix_ns;
  auto value = trace_line(id, spans);
  value.set("unix_ms", begin_ns / 1'000'000).set("all", spans.size() <= most_spans);
  if (spans.size() > most_spans) spans.resize(most_spans);
  auto list = json::Value::array();
  for (const auto& span : spans) list.push_back(span_json(span, begin_ns));
  value.set("spans", std::move(list));
  return value;
}

}  // namespace

void add_trace_routes(http::Server& server, const SharedStore& store) {
  add_api_route(server, "/api/runs/{id}/traces",
                [store](const http::ServerRequest& r) { return list_traces(*store, r); });
  add_api_route(server, "/api/traces/{id}",
                [store](const http::ServerRequest& r) { return show_trace(*store, r); });
}

}  // namespace slipway::serve
