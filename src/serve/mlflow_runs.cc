#include <limits>

#include "base/clock.h"
#include "base/text.h"
#include "serve/mlflow.h"
#include "serve/mlflow_run_json.h"
#include "store/tracking.h"

namespace slipway::serve {
namespace {

using store::Tracking;

// As MLflow's server: its clients send more than one batch.
constexpr size_t most_metrics = 1000, most_pairs = 100;

Result<std::string> run_id_of(const json::Value& arguments) {
  const auto id = arguments.text("run_id");
  return id.empty() ? text_argument(arguments, "run_uuid") : id;
}

Result<double> double_of(const json::Value* value) {
  if (value != nullptr && value->is_number()) return value->as_number();
  const auto text = value != nullptr && value->is_string() ? value->as_string() : std::string();
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text == "Infinity") return infinity;
  if (text == "-Infinity") return -infinity;
  return Error::invalid_input("'value' is missing or no number");
}

Result<store::Metric> metric_of(const json::Value& item) {
  store::Metric metric;
  SLIPWAY_TRY(key, text_argument(item, "key"));
  SLIPWAY_TRY(value, double_of(item.get("value")));
  SLIPWAY_TRY(unix_ms, required_integer(item, "timestamp"));
  SLIPWAY_TRY(step, integer_argument(item, "step", 0));
  return store::Metric{std::move(key), value, step, unix_ms};
}

Result<std::vector<store::Metric>> metrics_of(const json::Value& arguments) {
  std::vector<store::Metric> metrics;
  const auto* list = arguments.get("metrics");
  if (list == nullptr || list->is_null()) return metrics;
  if (!list->is_array()) return Error::invalid_input("'metrics' is no list");
  for (const auto& item : list->as_array()) {
    SLIPWAY_TRY(metric, metric_of(item));
    metrics.push_back(std::move(metric));
  }
  return metrics;
}

Result<store::Batch> batch_of(const json::Value& arguments) {
  store::Batch batch;
  SLIPWAY_TRY(run_id, run_id_of(arguments));
  SLIPWAY_TRY(metrics, metrics_of(arguments));
  SLIPWAY_TRY(params, pairs_argument(arguments, "params"));
  SLIPWAY_TRY(tags, pairs_argument(arguments, "tags"));
  batch = {std::move(run_id), std::move(metrics), std::move(params), std::move(tags)};
  const bool fits = batch.metrics.size() <= most_metrics && batch.params.size() <= most_pairs &&
                    batch.tags.size() <= most_pairs &&
                    batch.metrics.size() + batch.params.size() + batch.tags.size() <= most_metrics;
  if (fits) return batch;
  return Error::invalid_input("a batch above 1000 metrics, 100 params, 100 tags or 1000 in all",
                              "send it in parts");
}

Result<store::RunUpdate> update_of(const json::Value& arguments) {
  store::RunUpdate update;
  const auto status = arguments.text("status");
  for (const auto known : {store::RunStatus::running, store::RunStatus::finished,
                           store::RunStatus::failed, store::RunStatus::killed}) {
    if (store::status_name(known) == to_lower(status)) update.status = known;
  }
  if (!status.empty() && !update.status)
    return Error::invalid_input("no status '" + status + "'",
                                "known are RUNNING, FINISHED, FAILED, KILLED");
  SLIPWAY_TRY(end_ms, integer_argument(arguments, "end_time", -1));
  if (end_ms >= 0) update.end_ms = end_ms;
  if (const auto name = arguments.text("run_name"); !name.empty()) update.name = name;
  return update;
}

Result<http::ServerResponse> answer_run(const Result<store::TrackedRun>& run, bool whole) {
  if (!run.ok()) return run.error();
  std::string out = whole ? "{\"run\":" : "{\"run_info\":";
  whole ? append_run(out, *run) : append_run_info(out, *run);
  return http::ServerResponse::json(200, out + "}");
}

Result<http::ServerResponse> create(Tracking tracking, const json::Value& arguments) {
  store::NewRun wanted;
  SLIPWAY_TRY(experiment, integer_argument(arguments, "experiment_id", 0));
  SLIPWAY_TRY(start_ms, integer_argument(arguments, "start_time", 0));
  SLIPWAY_TRY(tags, pairs_argument(arguments, "tags"));
  wanted.experiment_id = experiment;
  wanted.start_ms = start_ms;
  wanted.tags = std::move(tags);
  wanted.name = arguments.text("run_name");
  wanted.user = arguments.text("user_id");
  return answer_run(tracking.create_run(std::move(wanted)), true);
}

Result<http::ServerResponse> get(Tracking tracking, const json::Value& arguments) {
  SLIPWAY_TRY(id, run_id_of(arguments));
  return answer_run(tracking.run(id), true);
}

Result<http::ServerResponse> update(Tracking tracking, const json::Value& arguments) {
  SLIPWAY_TRY(id, run_id_of(arguments));
  SLIPWAY_TRY(changes, update_of(arguments));
  return answer_run(tracking.update_run(id, changes), false);
}

Result<json::Value> log_metric(Tracking tracking, const json::Value& arguments) {
  SLIPWAY_TRY(id, run_id_of(arguments));
  SLIPWAY_TRY(metric, metric_of(arguments));
  return done(
      tracking.log({.run_id = id, .metrics = {std::move(metric)}, .params = {}, .tags = {}}));
}

Result<json::Value> log_param(Tracking tracking, const json::Value& arguments) {
  SLIPWAY_TRY(id, run_id_of(arguments));
  SLIPWAY_TRY(key, text_argument(arguments, "key"));
  SLIPWAY_TRY(value, optional_text(arguments, "value"));
  return done(
      tracking.log({.run_id = id, .metrics = {}, .params = {{key, value}}, .tags = {}}));
}

Result<json::Value> set_tag(Tracking tracking, const json::Value& arguments) {
  SLIPWAY_TRY(id, run_id_of(arguments));
  SLIPWAY_TRY(key, text_argument(arguments, "key"));
  SLIPWAY_TRY(value, optional_text(arguments, "value"));
  return done(
      tracking.log({.run_id = id, .metrics = {}, .params = {}, .tags = {{key, value}}}));
}

Result<json::Value> delete_tag(Tracking tracking, const json::Value& arguments) {
  SLIPWAY_TRY(id, run_id_of(arguments));
  SLIPWAY_TRY(key, text_argument(arguments, "key"));
  return done(tracking.delete_tag(id, key));
}

Result<json::Value> log_batch(Tracking tracking, const json::Value& arguments) {
  SLIPWAY_TRY(batch, batch_of(arguments));
  return done(tracking.log(batch));
}

// A dataset is the same by name and digest; a model by its id.
std::string link_key(const json::Value& content) {
  const auto* dataset = content.get("dataset");
  if (dataset == nullptr) return content.text("model_id");
  return dataset->text("name") + "\n" + dataset->text("digest");
}

Status append_links(std::vector<store::RunLink>& links, const json::Value& arguments,
                    std::string_view key, store::RunLink::Kind kind) {
  const auto* list = arguments.get(key);
  if (list == nullptr || list->is_null()) return {};
  if (!list->is_array()) return Error::invalid_input("'" + std::string(key) + "' is no list");
  for (const auto& content : list->as_array()) {
    const auto same_by = link_key(content);
    if (same_by.empty() || same_by.front() == '\n')
      return Error::invalid_input("an entry of '" + std::string(key) + "' has no name");
    links.push_back({kind, same_by, content});
  }
  return {};
}

Result<json::Value> log_inputs(Tracking tracking, const json::Value& arguments) {
  SLIPWAY_TRY(id, run_id_of(arguments));
  std::vector<store::RunLink> links;
  SLIPWAY_CHECK(append_links(links, arguments, "datasets", store::RunLink::Kind::dataset));
  SLIPWAY_CHECK(append_links(links, arguments, "models", store::RunLink::Kind::input_model));
  return done(tracking.add_links(id, links));
}

Result<json::Value> log_outputs(Tracking tracking, const json::Value& arguments) {
  SLIPWAY_TRY(id, run_id_of(arguments));
  std::vector<store::RunLink> links;
  SLIPWAY_CHECK(append_links(links, arguments, "models", store::RunLink::Kind::output_model));
  return done(tracking.add_links(id, links));
}

// What a model was logged as: clients of 2.x keep it in a tag.
Result<json::Value> log_model(Tracking tracking, const json::Value& arguments) {
  SLIPWAY_TRY(id, run_id_of(arguments));
  SLIPWAY_TRY(text, text_argument(arguments, "model_json"));
  SLIPWAY_TRY(model, json::parse(text));
  SLIPWAY_TRY(run, tracking.run(id));
  auto history = json::Value::array();
  for (const auto& [key, value] : run.tags) {
    if (key != "mlflow.log-model.history") continue;
    SLIPWAY_TRY(before, json::parse(value));
    if (before.is_array()) history = std::move(before);
  }
  history.push_back(std::move(model));
  return done(tracking.log({.run_id = id,
                            .metrics = {},
                            .params = {},
                            .tags = {{"mlflow.log-model.history", history.dump()}}}));
}

}  // namespace

void add_mlflow_runs(http::Server& server, Service& service) {
  const auto add = [&](const std::string& path, auto handler) {
    add_call(server, service, "POST", "runs/" + path,
             [&service, handler](const json::Value& arguments) {
               return handler(Tracking(*service.store), arguments);
             });
  };
  add("delete", [](Tracking tracking, const json::Value& arguments) -> Result<json::Value> {
    SLIPWAY_TRY(id, run_id_of(arguments));
    return done(tracking.delete_run(id));
  });
  add("restore", [](Tracking tracking, const json::Value& arguments) -> Result<json::Value> {
    SLIPWAY_TRY(id, run_id_of(arguments));
    return done(tracking.restore_run(id));
  });
  add("log-metric", log_metric);
  add("log-parameter", log_param);
  add("set-tag", set_tag);
  add("delete-tag", delete_tag);
  add("log-batch", log_batch);
  add("log-inputs", log_inputs);
  add("outputs", log_outputs);
  add("log-model", log_model);
  const auto add_whole = [&](const char* method, const std::string& path, auto handler) {
    add_text_call(server, service, method, "runs/" + path,
                  [&service, handler](const json::Value& arguments) {
                    return handler(Tracking(*service.store), arguments);
                  });
  };
  add_whole("POST", "create", create);
  add_whole("GET", "get", get);
  add_whole("POST", "update", update);
}

}  // namespace slipway::serve
