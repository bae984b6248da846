// Cases of a run with what was asked, and two runs side by side.
#include <algorithm>

#include "base/text.h"
#include "eval/compare.h"
#include "eval/report.h"
#include "lab/notebook.h"
#include "lab/run_rows.h"
#include "serve/ui.h"
#include "serve/ui_routes.h"

namespace slipway::serve {
namespace {

using lab::RunRows;

json::Value case_json(const store::Case& c, const RunRows& rows) {
  auto value = json::Value::object();
  value.set("index", c.index)
      .set("example_id", c.example_id)
      .set("input", rows.text(c.example_id))
      .set("passed", c.passed)
      .set("output", c.output)
      .set("expected", c.detail.text("expected"))
      .set("reason", c.detail.text("reason"))
      .set("cached", c.cached)
      .set("latency_ms", c.cached || eval::failed(c) ? json::Value() : json::Value(c.latency_ms))
      .set("tags", c.detail.get("tags") ? *c.detail.get("tags") : json::Value::array());
  return value;
}

bool shows(const store::Case& c, const RunRows& rows, const std::string& wanted) {
  if (wanted.empty()) return true;
  const auto has = [&](const std::string& text) {
    return to_lower(text).find(wanted) != std::string::npos;
  };
  const auto* tags = c.detail.get("tags");
  return has(c.example_id) || has(c.output) || has(c.detail.text("expected")) ||
         has(rows.text(c.example_id)) || (tags && has(tags->dump()));
}

// Failures first, then in the order of the rows.
Result<json::Value> list_cases(const store::Store& store, const http::ServerRequest& request) {
  SLIPWAY_TRY(run, store.find_run(request.params.at("id")));
  SLIPWAY_TRY(offset, query_integer(request, "offset", 0, 0, 100'000'000));
  SLIPWAY_TRY(limit, query_integer(request, "limit", 50, 1, 500));
  SLIPWAY_TRY(cases, store.cases(run.id));
  const auto rows = lab::rows_of_run(store, run);
  const auto show = query_text(request, "show");
  const auto wanted = to_lower(query_text(request, "text"));
  std::erase_if(cases, [&](const store::Case& c) {
    return (show == "failed" && c.passed) || (show == "passed" && !c.passed) ||
           !shows(c, rows, wanted);
  });
  std::stable_sort(cases.begin(), cases.end(),
                   [](const auto& a, const auto& b) { return a.passed < b.passed; });
  auto list = json::Value::array();
  for (auto i = static_cast<size_t>(offset);
       i < cases.size() && list.size() < static_cast<size_t>(limit); ++i) {
    list.push_back(case_json(cases[i], rows));
  }
  auto value = json::Value::object();
  value.set("found", cases.size()).set("cases", std::move(list));
  return value;
}

json::Value changes_json(const std::vector<lab::Change>& changes) {
  auto list = json::Value::array();
  for (const auto& change : changes) {
    auto item = json::Value::object();
    item.set("part", change.part).set("before", change.before).set("after", change.after);
    list.push_back(std::move(item));
  }
  return list;
}

Result<json::Value> side_json(const store::Store& store, const store::Run& run,
                              const std::vector<store::Case>& cases) {
  SLIPWAY_TRY(figures, store.latest_metrics(run.id));
  auto latest = json::Value::object();
  for (const auto& [key, number] : figures) latest.set(key, number);
  auto value = ui_run_json(run);
  value.set("figures", std::move(latest))
      .set("report", cases.empty() ? json::Value() : eval::summarise(cases).to_json());
  return value;
}

Result<json::Value> compare_runs(const store::Store& store, const http::ServerRequest& request) {
  SLIPWAY_TRY(first, store.find_run(query_text(request, "first")));
  SLIPWAY_TRY(second, store.find_run(query_text(request, "second")));
  SLIPWAY_TRY(first_cases, store.cases(first.id));
  SLIPWAY_TRY(second_cases, store.cases(second.id));
  SLIPWAY_TRY(first_side, side_json(store, first, eval::shared_cases(first_cases, second_cases)));
  SLIPWAY_TRY(second_side, side_json(store, second, eval::shared_cases(second_cases, first_cases)));
  const auto comparison = eval::compare(first_cases, second_cases);
  const auto rows = lab::rows_of_run(store, first);
  auto value = comparison.to_json();
  auto* flips = value.get("flips");
  for (auto& flip : flips->as_array()) flip.set("input", rows.text(flip.text("example")));
  value.set("rows", comparison.pairs.total())
      .set("first", std::move(first_side))
      .set("second", std::move(second_side))
      .set("same_rows",
           first.inputs.text("dataset_sha256") == second.inputs.text("dataset_sha256"));
  const auto before = store.find_entity("candidate", first.inputs.text("candidate"));
  const auto after = store.find_entity("candidate", second.inputs.text("candidate"));
  value.set("changed", before.ok() && after.ok()
                           ? changes_json(lab::candidate_changes(before->content, after->content))
                           : json::Value::array());
  return value;
}

}  // namespace

void add_case_routes(http::Server& server, const SharedStore& store) {
  add_api_route(server, "/api/runs/{id}/cases",
                [store](const http::ServerRequest& r) { return list_cases(*store, r); });
  add_api_route(server, "/api/compare",
                [store](const http::ServerRequest& r) { return compare_runs(*store, r); });
}

}  // namespace slipway::serve
