// The runs table and one run: what the first pages show.
#include <algorithm>
#include <cmath>
#include <set>

#include "base/text.h"
#include "eval/report.h"
#include "serve/ui.h"
#include "serve/ui_curves.h"
#include "serve/ui_filter.h"
#include "serve/ui_routes.h"

namespace slipway::serve {
namespace {

constexpr int most_searched = 20'000;  // runs looked at for one answer, the newest
constexpr int runs_at_once = 500;
constexpr int most_children = 500;
constexpr size_t most_curves = 40;
constexpr size_t most_points = 600;  // of one curve: as many as a screen can tell apart

json::Value figures_json(const std::map<std::string, double>& figures) {
  auto value = json::Value::object();
  for (const auto& [key, number] : figures) value.set(key, number);
  return value;
}

struct Found {
  store::Run run;
  std::map<std::string, double> figures;
  std::string text = {};  // what it is sorted by: this, or the number, NaN when it has none
  double number = NAN;
};

RunRow row_of(const Found& found) {
  const auto& run = found.run;
  RunRow row{{}, found.figures};
  row.fields = {{"kind", to_lower(run.kind)},
                {"status", std::string(store::status_name(run.status))},
                {"name", to_lower(run.name)},
                {"candidate", to_lower(run.inputs.text("candidate_name", run.name))},
                {"dataset", to_lower(run.inputs.text("dataset"))},
                {"split", to_lower(run.inputs.text("split"))},
                {"model", to_lower(run.inputs.text("model"))},
                {"experiment", to_lower(run.experiment)},
                {"id", run.id}};
  return row;
}

// "-start": newest first. A figure's key, or a field of the table.
struct Order {
  std::string key = "start";
  bool falling = true;
};

Order order_of(const std::string& text) {
  if (text.empty()) return {};
  const bool falling = text[0] == '-';
  return {text.substr(falling ? 1 : 0), falling};
}

bool by_time(const Order& order) { return order.key == "start"; }

double number_of(const Found& f, const std::string& key) {
  if (key == "start") return static_cast<double>(f.run.start_ms);
  if (key == "took") return f.run.end_ms ? static_cast<double>(f.run.end_ms - f.run.start_ms) : NAN;
  const auto found = f.figures.find(key);
  return found == f.figures.end() ? NAN : found->second;
}

// Runs without the figure come last, whichever way the others are sorted.
void sort(std::vector<Found>& rows, const Order& order) {
  const std::set<std::string> texts = {"kind", "status", "name", "candidate", "dataset"};
  const bool is_text = texts.contains(order.key);
  for (auto& row : rows) {
    if (is_text) {
      row.text = row_of(row).fields.at(order.key);
    } else {
      row.number = number_of(row, order.key);
    }
  }
  std::stable_sort(rows.begin(), rows.end(), [&](const Found& a, const Found& b) {
    if (is_text) return order.falling ? a.text > b.text : a.text < b.text;
    if (std::isnan(a.number) || std::isnan(b.number)) {
      return !std::isnan(a.number) && std::isnan(b.number);
    }
    return order.falling ? a.number > b.number : a.number < b.number;
  });
}

class Table {
 public:
  Table(const store::Store& store, RunFilter filter, Order order, int64_t offset, int64_t limit)
      : store_(store),
        filter_(std::move(filter)),
        order_(std::move(order)),
        offset_(static_cast<size_t>(offset)),
        limit_(static_cast<size_t>(limit)) {}

  Result<json::Value> answer() {
    SLIPWAY_CHECK(search());
    if (!newest_first()) sort(rows_, order_);
    auto list = json::Value::array();
    for (size_t i = offset_; i < rows_.size() && list.size() < limit_; ++i) {
      if (!figures_known_) {
        SLIPWAY_TRY(figures, store_.latest_metrics(rows_[i].run.id));
        rows_[i].figures = std::move(figures);
      }
      auto value = ui_run_json(rows_[i].run);
      value.set("figures", figures_json(rows_[i].figures));
      list.push_back(std::move(value));
    }
    auto value = json::Value::object();
    value.set("more", rows_.size() > offset_ + limit_)
        .set("searched", searched_)
        .set("complete", complete_)
        .set("found", complete_ ? json::Value(rows_.size()) : json::Value())
        .set("runs", std::move(list));
    return value;
  }

 private:
  bool newest_first() const { return by_time(order_) && order_.falling; }

  Status search() {
    figures_known_ = filter_.needs_figures() || !(by_time(order_) || order_.key == "took");
    while (searched_ < most_searched) {
      SLIPWAY_TRY(runs, store_.list_runs({.limit = runs_at_once, .offset = searched_}));
      searched_ += static_cast<int>(runs.size());
      const bool last = runs.size() < runs_at_once;
      for (auto& run : runs) SLIPWAY_CHECK(consider(std::move(run)));
      if (last) {
        complete_ = true;
        return {};
      }
      if (newest_first() && rows_.size() > offset_ + limit_) return {};
    }
    return {};
  }

  Status consider(store::Run run) {
    Found found{std::move(run), {}};
    if (figures_known_) {
      SLIPWAY_TRY(figures, store_.latest_metrics(found.run.id));
      found.figures = std::move(figures);
    }
    if (!filter_.fits(row_of(found))) return {};
    found.run.environment = {};
    rows_.push_back(std::move(found));
    return {};
  }

  const store::Store& store_;
  RunFilter filter_;
  Order order_;
  size_t offset_, limit_;
  std::vector<Found> rows_;
  int searched_ = 0;
  bool complete_ = false, figures_known_ = false;
};

Result<json::Value> list_runs(const store::Store& store, const http::ServerRequest& request) {
  SLIPWAY_TRY(filter, parse_run_filter(query_text(request, "filter")));
  SLIPWAY_TRY(offset, query_integer(request, "offset", 0, 0, most_searched));
  SLIPWAY_TRY(limit, query_integer(request, "limit", 50, 1, 200));
  return Table(store, std::move(filter), order_of(query_text(request, "sort")), offset, limit)
      .answer();
}

Result<json::Value> children_json(const store::Store& store, const std::string& parent) {
  SLIPWAY_TRY(runs, store.list_runs({.limit = most_children, .parent_id = parent}));
  auto list = json::Value::array();
  for (auto run = runs.rbegin(); run != runs.rend(); ++run) {
    SLIPWAY_TRY(figures, store.latest_metrics(run->id));
    auto value = ui_run_json(*run);
    value.set("figures", figures_json(figures));
    list.push_back(std::move(value));
  }
  return list;
}

json::Value texts_json(const std::map<std::string, std::string>& texts) {
  auto value = json::Value::object();
  for (const auto& [key, text] : texts) value.set(key, text);
  return value;
}

Result<json::Value> show_run(const store::Store& store, const http::ServerRequest& request) {
  SLIPWAY_TRY(run, store.find_run(request.params.at("id")));
  SLIPWAY_TRY(figures, store.latest_metrics(run.id));
  SLIPWAY_TRY(params, store.params(run.id));
  SLIPWAY_TRY(tags, store.tags(run.id));
  SLIPWAY_TRY(cases, store.cases(run.id));
  SLIPWAY_TRY(children, children_json(store, run.id));
  SLIPWAY_TRY(traces, store.count_traces(run.id));
  auto value = ui_run_json(run);
  value.set("inputs", run.inputs)
      .set("environment", run.environment)
      .set("figures", figures_json(figures))
      .set("params", texts_json(params))
      .set("tags", texts_json(tags))
      .set("cases", cases.size())
      .set("report", cases.empty() ? json::Value() : eval::summarise(cases).to_json())
      .set("children", std::move(children))
      .set("traces", traces);
  const auto candidate = store.find_entity("candidate", run.inputs.text("candidate"));
  if (candidate.ok()) {
    auto described = candidate->content;
    described.erase("skills");  // long, and on the candidate's own page
    value.set("candidate_parts", std::move(described));
  }
  return value;
}

// All curves of a run, thinned to what a screen shows.
Result<json::Value> show_curves(const store::Store& store, const http::ServerRequest& request) {
  SLIPWAY_TRY(run, store.find_run(request.params.at("id")));
  SLIPWAY_TRY(latest, store.latest_metrics(run.id));
  auto curves = json::Value::array();
  for (const auto& [key, value] : latest) {
    SLIPWAY_TRY(history, store.metric_history(run.id, key));
    if (history.size() < 2) continue;
    auto steps = json::Value::array(), values = json::Value::array();
    for (const auto& point : thinned(history, most_points)) {
      steps.push_back(point.step);
      values.push_back(point.value);
    }
    auto curve = json::Value::object();
    curve.set("key", key)
        .set("points", history.size())
        .set("steps", std::move(steps))
        .set("values", std::move(values));
    curves.push_back(std::move(curve));
    if (curves.size() == most_curves) break;
  }
  auto value = json::Value::object();
  value.set("status", std::string(store::status_name(run.status))).set("curves", std::move(curves));
  return value;
}

}  // namespace

json::Value ui_run_json(const store::Run& run) {
  auto value = json::Value::object();
  value.set("id", run.id)
      .set("experiment", run.experiment)
      .set("kind", run.kind)
      .set("name", run.name)
      .set("parent_id", run.parent_id)
      .set("status", std::string(store::status_name(run.status)))
      .set("start_ms", run.start_ms)
      .set("end_ms", run.end_ms)
      .set("error", run.error)
      .set("candidate", run.inputs.text("candidate"))
      .set("candidate_name", run.inputs.text("candidate_name", run.name))
      .set("model", run.inputs.text("model"))
      .set("dataset", run.inputs.text("dataset"))
      .set("split", run.inputs.text("split"));
  return value;
}

void add_run_routes(http::Server& server, const SharedStore& store) {
  add_api_route(server, "/api/runs",
                [store](const http::ServerRequest& r) { return list_runs(*store, r); });
  add_api_route(server, "/api/runs/{id}",
                [store](const http::ServerRequest& r) { return show_run(*store, r); });
  add_api_route(server, "/api/runs/{id}/curves",
                [store](const http::ServerRequest& r) { return show_curves(*store, r); });
}

}  // namespace slipway::serve
