#include "serve/mlflow.h"

namespace slipway::serve {
namespace {

using store::Experiments;

json::Value experiment_json(const store::Experiment& experiment) {
  auto value = json::Value::object();
  value.set("experiment_id", std::to_string(experiment.id))
      .set("name", experiment.name)
      .set("artifact_location", experiment.artifact_location)
      .set("lifecycle_stage", experiment.deleted ? "deleted" : "active")
      .set("last_update_time", experiment.updated_ms)
      .set("creation_time", experiment.created_ms);
  if (!experiment.tags.empty()) value.set("tags", pairs_json(experiment.tags));
  return value;
}

json::Value answer_with(const store::Experiment& experiment) {
  return under("experiment", experiment_json(experiment));
}

Result<json::Value> create(Experiments experiments, const json::Value& arguments) {
  store::Experiment wanted;
  SLIPWAY_TRY(name, text_argument(arguments, "name"));
  SLIPWAY_TRY(tags, pairs_argument(arguments, "tags"));
  wanted.name = std::move(name);
  wanted.tags = std::move(tags);
  wanted.artifact_location = arguments.text("artifact_location");
  SLIPWAY_TRY(id, experiments.create(wanted));
  return under("experiment_id", std::to_string(id));
}

Result<json::Value> search(Experiments experiments, const json::Value& arguments) {
  SLIPWAY_TRY(search, search_argument(arguments, 1000, "view_type"));
  SLIPWAY_TRY(page, experiments.search(search));
  return page_under("experiments", search, page, experiment_json);
}

Result<json::Value> set_tag(Experiments experiments, const json::Value& arguments) {
  SLIPWAY_TRY(id, required_integer(arguments, "experiment_id"));
  SLIPWAY_TRY(key, text_argument(arguments, "key"));
  SLIPWAY_TRY(value, optional_text(arguments, "value"));
  return done(experiments.set_tag(id, key, value));
}

Result<json::Value> delete_tag(Experiments experiments, const json::Value& arguments) {
  SLIPWAY_TRY(id, required_integer(arguments, "experiment_id"));
  SLIPWAY_TRY(key, text_argument(arguments, "key"));
  return done(experiments.delete_tag(id, key));
}

// MLflow's code for a name that is taken is another one here than when creating.
Result<http::ServerResponse> update(Experiments experiments, const json::Value& arguments) {
  SLIPWAY_TRY(id, required_integer(arguments, "experiment_id"));
  SLIPWAY_TRY(name, text_argument(arguments, "new_name"));
  const auto renamed = experiments.rename(id, name);
  if (renamed.ok()) return http::ServerResponse::json(200, "{}");
  if (renamed.error().code() == ErrorCode::already_exists)
    return mlflow_frame().refuse(400, renamed.error());
  return renamed.error();
}

}  // namespace

void add_mlflow_experiments(http::Server& server, Service& service) {
  const auto add = [&](const char* method, const std::string& path, auto handler) {
    add_call(server, service, method, "experiments/" + path,
             [&service, handler](const json::Value& arguments) {
               return handler(Experiments(*service.store), arguments);
             });
  };
  add("POST", "create", create);
  add("POST", "search", search);
  add("GET", "search", search);
  add("POST", "set-experiment-tag", set_tag);
  add("POST", "delete-experiment-tag", delete_tag);
  add("DELETE", "delete-experiment-tag", delete_tag);
  add_text_call(server, service, "POST", "experiments/update",
                [&service](const json::Value& arguments) {
                  return update(Experiments(*service.store), arguments);
                });
  add("GET", "get",
      [](Experiments experiments, const json::Value& arguments) -> Result<json::Value> {
        SLIPWAY_TRY(id, required_integer(arguments, "experiment_id"));
        SLIPWAY_TRY(experiment, experiments.get(id));
        return answer_with(experiment);
      });
  add("GET", "get-by-name",
      [](Experiments experiments, const json::Value& arguments) -> Result<json::Value> {
        SLIPWAY_TRY(name, text_argument(arguments, "experiment_name"));
        SLIPWAY_TRY(experiment, experiments.get_by_name(name));
        return answer_with(experiment);
      });
  add("POST", "delete",
      [](Experiments experiments, const json::Value& arguments) -> Result<json::Value> {
        SLIPWAY_TRY(id, required_integer(arguments, "experiment_id"));
        return done(experiments.remove(id));
      });
  add("POST", "restore",
      [](Experiments experiments, const json::Value& arguments) -> Result<json::Value> {
        SLIPWAY_TRY(id, required_integer(arguments, "experiment_id"));
        return done(experiments.restore(id));
      });
}

}  // namespace slipway::serve
