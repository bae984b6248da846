#include "serve/mlflow.h"
#include "store/logged_models.h"

namespace slipway::serve {
namespace {

using store::LoggedModels;

// In the order of MLflow's enumeration, which its clients send as a number or by name.
constexpr std::string_view statuses[] = {"LOGGED_MODEL_STATUS_UNSPECIFIED", "LOGGED_MODEL_PENDING",
                                         "LOGGED_MODEL_READY", "LOGGED_MODEL_UPLOAD_FAILED"};

json::Value model_json(const store::LoggedModel& model) {
  auto info = json::Value::object();
  info.set("model_id", model.id)
      .set("experiment_id", std::to_string(model.experiment_id))
      .set("name", model.name)
      .set("creation_timestamp_ms", model.created_ms)
      .set("last_updated_timestamp_ms", model.updated_ms)
      .set("artifact_uri", model.artifact_uri)
      .set("status", model.status)
      .set("model_type", model.type)
      .set("source_run_id", model.run_id);
  if (!model.tags.empty()) info.set("tags", pairs_json(model.tags));
  auto data = json::Value::object();
  if (!model.params.empty()) data.set("params", pairs_json(model.params));
  auto value = json::Value::object();
  value.set("info", std::move(info)).set("data", std::move(data));
  return value;
}

Result<json::Value> answer_model(const Result<store::LoggedModel>& model) {
  if (!model.ok()) return model.error();
  return under("model", model_json(*model));
}

Result<json::Value> create(LoggedModels models, const json::Value& arguments) {
  store::LoggedModel wanted;
  SLIPWAY_TRY(experiment, required_integer(arguments, "experiment_id"));
  SLIPWAY_TRY(params, pairs_argument(arguments, "params"));
  SLIPWAY_TRY(tags, pairs_argument(arguments, "tags"));
  wanted.experiment_id = experiment;
  wanted.params = std::move(params);
  wanted.tags = std::move(tags);
  wanted.name = arguments.text("name");
  wanted.type = arguments.text("model_type");
  wanted.run_id = arguments.text("source_run_id");
  return answer_model(models.create(std::move(wanted)));
}

Result<json::Value> get(LoggedModels models, const json::Value& arguments) {
  return answer_model(
      models.get(arguments.text("model_id"), arguments.text("allow_deleted") == "true"));
}

Result<json::Value> finalize(LoggedModels models, const json::Value& arguments) {
  const auto id = arguments.text("model_id");
  for (const auto status : statuses) {
    if (arguments.text("status") != status) continue;
    SLIPWAY_CHECK(models.set_status(id, std::string(status)));
    return answer_model(models.get(id));
  }
  return Error::invalid_input("'status' is missing or none of a logged model's");
}

Result<json::Value> set_tags(LoggedModels models, const json::Value& arguments) {
  SLIPWAY_TRY(tags, pairs_argument(arguments, "tags"));
  SLIPWAY_CHECK(models.set_tags(arguments.text("model_id"), tags));
  return answer_model(models.get(arguments.text("model_id")));
}

Result<json::Value> delete_tag(LoggedModels models, const json::Value& arguments) {
  SLIPWAY_CHECK(models.delete_tag(arguments.text("model_id"), arguments.text("tag_key")));
  return json::Value();
}

Result<json::Value> log_params(LoggedModels models, const json::Value& arguments) {
  SLIPWAY_TRY(params, pairs_argument(arguments, "params"));
  SLIPWAY_CHECK(models.log_params(arguments.text("model_id"), params));
  return json::Value();
}

Result<json::Value> remove(LoggedModels models, const json::Value& arguments) {
  SLIPWAY_CHECK(models.remove(arguments.text("model_id")));
  return json::Value();
}

Result<json::Value> search(LoggedModels models, const json::Value& arguments) {
  SLIPWAY_TRY(search, search_argument(arguments, 50, ""));
  if (const auto* orders = arguments.get("order_by"); orders != nullptr && orders->is_array()) {
    for (const auto& order : orders->as_array()) {
      if (!order.is_object()) continue;
      search.order.push_back(order.text("field_name") +
                             (order.flag("ascending", true) ? " ASC" : " DESC"));
    }
  }
  std::vector<int64_t> experiments;
  for (const auto& id : text_list(arguments, "experiment_ids")) {
    auto one = json::Value::object();
    one.set("experiment_ids", id);
    SLIPWAY_TRY(number, required_integer(one, "experiment_ids"));
    experiments.push_back(number);
  }
  SLIPWAY_TRY(page, models.search(experiments, search));
  auto list = json::Value::array();
  for (const auto& model : page.items) list.push_back(model_json(model));
  auto answer = json::Value::object();
  if (list.size() > 0) answer.set("models", std::move(list));
  set_next_page(answer, search, page.items.size(), page.more);
  return answer;
}

}  // namespace

void add_mlflow_models(http::Server& server, Service& service) {
  const auto add = [&](const char* method, const std::string& path, auto handler) {
    add_call(server, service, method, "logged-models" + path,
             [&service, handler](const json::Value& arguments) {
               return handler(LoggedModels(*service.store), arguments);
             });
  };
  add("POST", "", create);
  add("POST", "/search", search);
  add("GET", "/{model_id}", get);
  add("PATCH", "/{model_id}", finalize);
  add("DELETE", "/{model_id}", remove);
  add("PATCH", "/{model_id}/tags", set_tags);
  add("DELETE", "/{model_id}/tags/{tag_key}", delete_tag);
  add("POST", "/{model_id}/params", log_params);
}

}  // namespace slipway::serve
