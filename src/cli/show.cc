#include <fmt/core.h>

#include <ostream>

#include "base/clock.h"
#include "base/hash.h"
#include "base/text.h"
#include "cli/figures.h"
#include "cli/session.h"
#include "cli/table.h"
#include "eval/report.h"

namespace slipway::cli {
namespace {

constexpr size_t kCurveWidth = 48;
constexpr int64_t kShownTraces = 20;

json::Value case_json(const store::Case& c) {
  auto value = json::Value::object();
  value.set("index", c.index)
      .set("example", c.example_id)
      .set("passed", c.passed)
      .set("output", c.output)
      .set("latency_ms", eval::failed(c) ? json::Value() : json::Value(c.latency_ms))
      .set("cached", c.cached)
      .set("detail", c.detail);
  return value;
}

json::Value span_json(const SpanRecord& span) {
  auto attributes = json::Value::object();
  for (const auto& [key, value] : span.attributes) {
    std::visit([&, k = &key](const auto& v) { attributes.set(*k, json::Value(v)); }, value);
  }
  auto json = json::Value::object();
  json.set("name", span.name)
      .set("span_id", span.span_id)
      .set("parent_span_id", span.parent_span_id)
      .set("start_unix_ns", span.start_unix_ns)
      .set("end_unix_ns", span.end_unix_ns)
      .set("ok", span.ok)
      .set("message", span.status_message)
      .set("attributes", std::move(attributes));
  return json;
}

void print_member(Context& context, const std::string& key, const json::Value& value) {
  if (value.is_null() || (value.is_string() && value.as_string().empty())) return;
  context.out << fmt::format("  {:<18} {}\n", printable_line(key),
                             printable(value.is_string() ? value.as_string() : value.dump()));
}

void print_run(Context& context, const store::Run& run) {
  context.out << fmt::format("run {}  {} '{}'  {}\n", run.id, printable_line(run.kind),
                             printable_line(run.name), store::status_name(run.status));
  context.out << fmt::format("  {:<18} {}\n", "started", iso8601_utc(run.start_ms));
  if (run.end_ms) {
    context.out << fmt::format("  {:<18} {}\n", "took",
                               duration(static_cast<double>(run.end_ms - run.start_ms)));
  }
  if (!run.error.empty())
    context.out << fmt::format("  {:<18} {}\n", "error", printable(run.error));
  if (!run.parent_id.empty())
    context.out << fmt::format("  {:<18} {}\n", "part of", short_id(run.parent_id));
  if (run.inputs.is_object()) {
    context.out << "inputs\n";
    for (const auto& [key, value] : run.inputs.as_object()) print_member(context, key, value);
  }
  if (run.environment.is_object()) {
    context.out << "environment\n";
    for (const auto& [key, value] : run.environment.as_object()) print_member(context, key, value);
  }
}

// A training's loss from the first step to the last.
Status print_curve(Context& context, const store::Store& store, const std::string& run_id) {
  SLIPWAY_TRY(history, store.metric_history(run_id, "loss"));
  if (history.size() < 2) return Status::success();
  std::vector<double> losses;
  for (const auto& point : history) losses.push_back(point.value);
  context.out << fmt::format("  {:<18} {:.3f} {} {:.3f}\n", "loss, by step", losses.front(),
                             sparkline(losses, kCurveWidth), losses.back());
  return Status::success();
}

void print_cases(Context& context, const std::vector<store::Case>& cases, bool all) {
  Table table({"row", "", "expected", "got", ">latency"});
  for (const auto& c : cases) {
    if (c.passed && !all) continue;
    table.row({shorten(c.example_id, 16), c.passed ? "✓" : "✗",
               shorten(c.detail.text("expected"), 48), shorten(c.output, 48),
               eval::failed(c) ? "failed" : c.cached ? "remembered" : duration(c.latency_ms)});
  }
  if (!table.empty()) context.out << (all ? "cases\n" : "failed cases\n") << table.text();
}

// The newest, in the order in which they came.
Status print_traces(Context& context, const store::Store& store, const std::string& run_id) {
  SLIPWAY_TRY(count, store.count_traces(run_id));
  SLIPWAY_TRY(traces, store.newest_traces(run_id, kShownTraces));
  for (auto id = traces.rbegin(); id != traces.rend(); ++id) {
    SLIPWAY_TRY(spans, store.trace(*id));
    context.out << "trace " << *id << "\n";
    for (const auto& span : spans) {
      const auto ms = static_cast<double>(span.end_unix_ns - span.start_unix_ns) / 1e6;
      const auto indent = span.parent_span_id.empty() ? "" : "  ";
      context.out << printable(fmt::format("  {:<24} {:>9.2f} ms  {}\n", indent + span.name, ms,
                                           span.ok ? "" : "✗ " + span.status_message));
    }
  }
  if (count > kShownTraces)
    context.out << fmt::format("and {} earlier traces; --json has all\n", count - kShownTraces);
  return Status::success();
}

Result<json::Value> everything(const store::Store& store, const store::Run& run,
                               const std::vector<store::Case>& cases) {
  auto value = run_json(run);
  SLIPWAY_TRY(params, store.params(run.id));
  SLIPWAY_TRY(tags, store.tags(run.id));
  SLIPWAY_TRY(metrics, store.latest_metrics(run.id));
  SLIPWAY_TRY(traces, store.traces_of_run(run.id));
  auto params_json = json::Value::object(), tags_json = json::Value::object(),
       metrics_json = json::Value::object();
  for (const auto& [key, text] : params) params_json.set(key, text);
  for (const auto& [key, text] : tags) tags_json.set(key, text);
  for (const auto& [key, number] : metrics) metrics_json.set(key, number);
  value.set("params", params_json).set("tags", tags_json).set("metrics", metrics_json);
  if (!cases.empty()) value.set("report", eval::summarise(cases).to_json());
  auto list = json::Value::array();
  for (const auto& c : cases) list.push_back(case_json(c));
  value.set("cases", std::move(list));
  auto trace_list = json::Value::array();
  for (const auto& id : traces) {
    SLIPWAY_TRY(spans, store.trace(id));
    auto spans_json = json::Value::array();
    for (const auto& span : spans) spans_json.push_back(span_json(span));
    auto trace = json::Value::object();
    trace.set("trace_id", id).set("spans", std::move(spans_json));
    trace_list.push_back(std::move(trace));
  }
  value.set("traces", std::move(trace_list));
  return value;
}

CommandResult run_show(Context& context, const Arguments& arguments) {
  SLIPWAY_TRY(store, open_store(context, arguments));
  SLIPWAY_TRY(run, store->find_run(arguments.text("run")));
  SLIPWAY_TRY(cases, store->cases(run.id));
  if (arguments.flag("json")) {
    SLIPWAY_TRY(value, everything(*store, run, cases));
    context.out << value.pretty() << "\n";
    return 0;
  }
  print_run(context, run);
  SLIPWAY_TRY(metrics, store->latest_metrics(run.id));
  if (!metrics.empty()) context.out << "metrics\n";
  for (const auto& [key, number] : metrics) {
    if (key.starts_with("exact_match.tag.")) continue;  // the figures below have them
    context.out << fmt::format("  {:<18} {:.6g}\n", printable_line(key), number);
  }
  SLIPWAY_CHECK(print_curve(context, *store, run.id));
  if (!cases.empty()) {
    context.out << "figures\n";
    print_figures(context.out, eval::summarise(cases));
  }
  print_cases(context, cases, arguments.flag("all"));
  SLIPWAY_CHECK(print_traces(context, *store, run.id));
  return 0;
}

}  // namespace

Command show_command() {
  return {.name = "show",
          .summary = "Show one run whole: what went in, where it ran, what came out",
          .examples = {{"slipway show 3f2a", "a unique beginning of the id is enough"},
                       {"slipway show 3f2a --all", "every case, not only the failed ones"},
                       {"slipway show 3f2a --json", "everything, for a script"}},
          .positionals = {{"run", "the run's id, or its first characters (4 at least)"}},
          .options = {{"all", "list passed cases too", "", ""}, project_option(), json_option()},
          .run = run_show};
}

}  // namespace slipway::cli
