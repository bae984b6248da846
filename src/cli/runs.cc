#include <fmt/core.h>

#include <ostream>

#include "base/hash.h"
#include "cli/session.h"
#include "cli/table.h"

namespace slipway::cli {
namespace {

std::string headline(const std::map<std::string, double>& metrics) {
  const auto exact = metrics.find("exact_match");
  return exact == metrics.end() ? "" : percent(exact->second);
}

CommandResult run_runs(Context& context, const Arguments& arguments) {
  SLIPWAY_TRY(store, open_store(context, arguments));
  SLIPWAY_TRY(limit, arguments.integer("limit", 1, 100'000));
  store::RunQuery query;
  query.kind = arguments.text("kind");
  query.limit = static_cast<int>(limit);
  SLIPWAY_TRY(runs, store->list_runs(query));
  if (arguments.flag("json")) {
    auto list = json::Value::array();
    for (const auto& run : runs) {
      SLIPWAY_TRY(metrics, store->latest_metrics(run.id));
      auto value = run_json(run);
      auto figures = json::Value::object();
      for (const auto& [key, number] : metrics) figures.set(key, number);
      value.set("metrics", std::move(figures));
      list.push_back(std::move(value));
    }
    context.out << list.pretty() << "\n";
    return 0;
  }
  if (runs.empty()) {
    context.out << "No runs yet. `slipway eval` makes one.\n";
    return 0;
  }
  Table table({"run", "when (UTC)", "kind", "name", "status", ">exact match", ">took"});
  for (const auto& run : runs) {
    SLIPWAY_TRY(metrics, store->latest_metrics(run.id));
    const auto took = run.end_ms ? duration(static_cast<double>(run.end_ms - run.start_ms)) : "";
    table.row({short_id(run.id), when(run.start_ms), run.kind, shorten(run.name, 32),
               std::string(store::status_name(run.status)), headline(metrics), took});
  }
  context.out << table.text();
  return 0;
}

}  // namespace

Command runs_command() {
  return {.name = "runs",
          .summary = "List what was done, newest first",
          .examples = {{"slipway runs", "the last 20"},
                       {"slipway runs --kind eval --json", "evaluations, for a script"}},
          .options = {{"kind", "only runs of this kind (eval, ask, ladder)", "KIND", ""},
                      {"limit", "at most N", "N", "20"},
                      project_option(),
                      json_option()},
          .run = run_runs};
}

}  // namespace slipway::cli
