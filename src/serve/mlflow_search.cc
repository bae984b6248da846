#include <algorithm>
#include <map>
#include <set>

#include "serve/mlflow.h"
#include "serve/mlflow_run_json.h"
#include "store/tracking.h"

namespace slipway::serve {
namespace {

using store::Tracking;

constexpr int64_t most_runs_at_once = 100, most_points_a_run = 2500;

void close_page(std::string& out, int64_t next, bool more) {
  out += ']';
  if (more) out += ",\"next_page_token\":\"" + std::to_string(next) + "\"";
  out += '}';
}

Result<http::ServerResponse> search_runs(Service& service, const json::Value& arguments) {
  SLIPWAY_TRY(search, search_argument(arguments, 1000, "run_view_type"));
  std::vector<int64_t> experiments;
  for (const auto& id : text_list(arguments, "experiment_ids")) {
    json::Value one;
    one.set("experiment_ids", id);
    SLIPWAY_TRY(number, required_integer(one, "experiment_ids"));
    experiments.push_back(number);
  }
  std::string out = "{\"runs\":[";
  const auto add = [&](const store::TrackedRun& run) {
    if (out.back() != '[') out += ',';
    append_run(out, run);
  };
  SLIPWAY_TRY(more, Tracking(*service.store).search_each(experiments, search, add));
  close_page(out, search.offset + search.limit, more);
  return http::ServerResponse::json(200, std::move(out));
}

Result<http::ServerResponse> get_history(Service& service, const json::Value& arguments) {
  auto id = arguments.text("run_id");
  if (id.empty()) id = arguments.text("run_uuid");
  SLIPWAY_TRY(key, text_argument(arguments, "metric_key"));
  SLIPWAY_TRY(limit, integer_argument(arguments, "max_results", 1'000'000));
  SLIPWAY_TRY(offset, integer_argument(arguments, "page_token", 0));
  const Tracking tracking(*service.store);
  SLIPWAY_TRY(run, service.store->find_run(id));
  id = run.id;
  SLIPWAY_TRY(page, tracking.history(id, key, limit, offset));
  std::string out = "{\"metrics\":[";
  for (const auto& metric : page.items) {
    if (out.back() != '[') out += ',';
    append_metric(out, metric, {});
  }
  close_page(out, offset + static_cast<int64_t>(page.items.size()), page.more);
  return http::ServerResponse::json(200, std::move(out));
}

using Points = std::vector<store::Metric>;

// Of all steps about `wanted`, evenly; of each run its first and last step besides.
std::set<int64_t> sampled_steps(const std::map<std::string, Points>& runs, int64_t wanted) {
  std::set<int64_t> all, kept;
  for (const auto& [id, points] : runs) {
    for (const auto& point : points) all.insert(point.step);
    if (!points.empty()) kept.insert({points.front().step, points.back().step});
  }
  const auto size = static_cast<int64_t>(all.size());
  if (size <= wanted) return all;
  int64_t place = 0, next = 0;
  for (const int64_t step : all) {
    if (place++ < next * size / wanted) continue;
    kept.insert(step);
    ++next;
  }
  return kept;
}

// The last points of the steps chosen, for a chart of several runs.
Result<http::ServerResponse> get_interval(Service& service, const json::Value& arguments) {
  const auto ids = text_list(arguments, "run_ids");
  SLIPWAY_TRY(key, text_argument(arguments, "metric_key"));
  SLIPWAY_TRY(start, integer_argument(arguments, "start_step", INT64_MIN));
  SLIPWAY_TRY(end, integer_argument(arguments, "end_step", INT64_MAX));
  SLIPWAY_TRY(limit, integer_argument(arguments, "max_results", most_points_a_run));
  if (ids.empty() || std::ssize(ids) > most_runs_at_once)
    return Error::invalid_input("'run_ids' must name 1 to 100 runs");
  if (limit < 1 || limit > most_points_a_run || start > end)
    return Error::invalid_input("the steps or 'max_results' are out of range",
                                "ask for 1 to 2,500 points of start_step <= end_step");
  std::map<std::string, Points> runs;
  for (const auto& id : ids) {
    SLIPWAY_TRY(history, service.store->metric_history(id, key));
    for (auto& point : history) {
      if (point.step >= start && point.step <= end) runs[id].push_back(std::move(point));
    }
  }
  const auto steps = sampled_steps(runs, limit);
  std::string out = "{\"metrics\":[";
  for (const auto& [id, points] : runs) {
    for (const auto& point : points) {
      if (!steps.contains(point.step)) continue;
      if (out.back() != '[') out += ',';
      append_metric(out, point, id);
    }
  }
  return http::ServerResponse::json(200, out + "]}");
}

}  // namespace

void add_mlflow_search(http::Server& server, Service& service) {
  const auto add = [&](const char* method, const char* path, auto handler) {
    add_text_call(server, service, method, path, [&service, handler](const json::Value& arguments) {
      return handler(service, arguments);
    });
  };
  add("POST", "runs/search", search_runs);
  add("GET", "metrics/get-history", get_history);
  add("GET", "metrics/get-history-bulk-interval", get_interval);
}

}  // namespace slipway::serve
