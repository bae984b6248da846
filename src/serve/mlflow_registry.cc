#include <algorithm>

#include "serve/mlflow.h"
#include "store/registry.h"

namespace slipway::serve {
namespace {

using store::Registry;

json::Value version_json(const store::ModelVersion& version) {
  auto value = json::Value::object();
  value.set("name", version.name)
      .set("version", std::to_string(version.version))
      .set("creation_timestamp", version.created_ms)
      .set("last_updated_timestamp", version.updated_ms)
      .set("current_stage", version.stage)
      .set("description", version.description)
      .set("source", version.source)
      .set("run_id", version.run_id)
      .set("status", "READY");
  if (!version.tags.empty()) value.set("tags", pairs_json(version.tags));
  value.set("run_link", version.run_link);
  if (!version.model_id.empty()) value.set("model_id", version.model_id);
  if (!version.user.empty()) value.set("user_id", version.user);
  return value;
}

// MLflow tells a version's aliases where one version is asked for, and nowhere else.
json::Value whole_version_json(const store::ModelVersion& version) {
  auto value = version_json(version);
  for (const auto& alias : version.aliases) {
    if (value.get("aliases") == nullptr) value.set("aliases", json::Value::array());
    value.get("aliases")->push_back(alias);
  }
  return value;
}

json::Value model_json(const store::RegisteredModel& model) {
  auto value = json::Value::object();
  value.set("name", model.name)
      .set("creation_timestamp", model.created_ms)
      .set("last_updated_timestamp", model.updated_ms)
      .set("description", model.description);
  auto latest = json::Value::array();
  for (const auto& version : model.latest) latest.push_back(version_json(version));
  if (latest.size() > 0) value.set("latest_versions", std::move(latest));
  if (!model.tags.empty()) value.set("tags", pairs_json(model.tags));
  auto aliases = json::Value::array();
  for (const auto& [alias, version] : model.aliases) {
    auto one = json::Value::object();
    one.set("alias", alias).set("version", std::to_string(version));
    aliases.push_back(std::move(one));
  }
  if (aliases.size() > 0) value.set("aliases", std::move(aliases));
  return value;
}

Result<json::Value> answer_model(const Result<store::RegisteredModel>& model) {
  if (!model.ok()) return model.error();
  return under("registered_model", model_json(*model));
}

Result<json::Value> answer_version(const Result<store::ModelVersion>& version) {
  if (!version.ok()) return version.error();
  return under("model_version", version_json(*version));
}

Result<json::Value> answer_whole_version(const Result<store::ModelVersion>& version) {
  if (!version.ok()) return version.error();
  return under("model_version", whole_version_json(*version));
}

Result<json::Value> create(Registry registry, const json::Value& arguments) {
  store::RegisteredModel wanted;
  SLIPWAY_TRY(name, text_argument(arguments, "name"));
  SLIPWAY_TRY(tags, pairs_argument(arguments, "tags"));
  wanted.name = std::move(name);
  wanted.tags = std::move(tags);
  wanted.description = arguments.text("description");
  return answer_model(registry.create(wanted));
}

Result<json::Value> get(Registry registry, const json::Value& arguments) {
  SLIPWAY_TRY(name, text_argument(arguments, "name"));
  return answer_model(registry.get(name));
}

Result<json::Value> rename(Registry registry, const json::Value& arguments) {
  SLIPWAY_TRY(name, text_argument(arguments, "name"));
  SLIPWAY_TRY(new_name, text_argument(arguments, "new_name"));
  SLIPWAY_CHECK(registry.rename(name, new_name));
  return answer_model(registry.get(new_name));
}

Result<json::Value> update(Registry registry, const json::Value& arguments) {
  SLIPWAY_TRY(name, text_argument(arguments, "name"));
  SLIPWAY_CHECK(registry.describe(name, arguments.text("description")));
  return answer_model(registry.get(name));
}

Result<json::Value> remove(Registry registry, const json::Value& arguments) {
  SLIPWAY_TRY(name, text_argument(arguments, "name"));
  return done(registry.remove(name));
}

Result<json::Value> search(Registry registry, const json::Value& arguments) {
  SLIPWAY_TRY(search, search_argument(arguments, 100, ""));
  SLIPWAY_TRY(page, registry.search(search));
  return page_under("registered_models", search, page, model_json);
}

Result<json::Value> latest(Registry registry, const json::Value& arguments) {
  SLIPWAY_TRY(name, text_argument(arguments, "name"));
  SLIPWAY_TRY(model, registry.get(name));
  const auto stages = text_list(arguments, "stages");
  auto list = json::Value::array();
  for (const auto& version : model.latest) {
    const bool asked =
        stages.empty() || std::find(stages.begin(), stages.end(), version.stage) != stages.end();
    if (asked) list.push_back(version_json(version));
  }
  return under("model_versions", std::move(list));
}

// `of_version`: of a version, else of the model.
Result<int64_t> number_of(const json::Value& arguments, bool of_version) {
  if (!of_version) return int64_t{0};
  SLIPWAY_TRY(number, required_integer(arguments, "version"));
  if (number > 0) return number;
  return Error::invalid_input("'version' is no number from 1");
}

template <bool of_version>
Result<json::Value> set_tag(Registry registry, const json::Value& arguments) {
  SLIPWAY_TRY(name, text_argument(arguments, "name"));
  SLIPWAY_TRY(number, number_of(arguments, of_version));
  SLIPWAY_TRY(key, text_argument(arguments, "key"));
  SLIPWAY_TRY(value, optional_text(arguments, "value"));
  return done(registry.set_tag(name, number, key, value));
}

template <bool of_version>
Result<json::Value> delete_tag(Registry registry, const json::Value& arguments) {
  SLIPWAY_TRY(name, text_argument(arguments, "name"));
  SLIPWAY_TRY(number, number_of(arguments, of_version));
  SLIPWAY_TRY(key, text_argument(arguments, "key"));
  return done(registry.delete_tag(name, number, key));
}

Result<json::Value> set_alias(Registry registry, const json::Value& arguments) {
  SLIPWAY_TRY(name, text_argument(arguments, "name"));
  SLIPWAY_TRY(alias, text_argument(arguments, "alias"));
  SLIPWAY_TRY(number, number_of(arguments, true));
  return done(registry.set_alias(name, alias, number));
}

Result<json::Value> delete_alias(Registry registry, const json::Value& arguments) {
  SLIPWAY_TRY(name, text_argument(arguments, "name"));
  SLIPWAY_TRY(alias, text_argument(arguments, "alias"));
  return done(registry.delete_alias(name, alias));
}

Result<json::Value> by_alias(Registry registry, const json::Value& arguments) {
  SLIPWAY_TRY(name, text_argument(arguments, "name"));
  SLIPWAY_TRY(alias, text_argument(arguments, "alias"));
  return answer_whole_version(registry.by_alias(name, alias));
}

Result<json::Value> create_version(Registry registry, const json::Value& arguments) {
  store::ModelVersion wanted;
  SLIPWAY_TRY(name, text_argument(arguments, "name"));
  SLIPWAY_TRY(tags, pairs_argument(arguments, "tags"));
  wanted.name = std::move(name);
  wanted.tags = std::move(tags);
  wanted.source = arguments.text("source");
  wanted.run_id = arguments.text("run_id");
  wanted.run_link = arguments.text("run_link");
  wanted.model_id = arguments.text("model_id");
  wanted.description = arguments.text("description");
  return answer_version(registry.create_version(std::move(wanted)));
}

Result<json::Value> get_version(Registry registry, const json::Value& arguments) {
  SLIPWAY_TRY(name, text_argument(arguments, "name"));
  SLIPWAY_TRY(number, number_of(arguments, true));
  return answer_whole_version(registry.version(name, number));
}

Result<json::Value> update_version(Registry registry, const json::Value& arguments) {
  SLIPWAY_TRY(name, text_argument(arguments, "name"));
  SLIPWAY_TRY(number, number_of(arguments, true));
  SLIPWAY_CHECK(registry.describe_version(name, number, arguments.text("description")));
  return answer_version(registry.version(name, number));
}

Result<json::Value> set_stage(Registry registry, const json::Value& arguments) {
  SLIPWAY_TRY(name, text_argument(arguments, "name"));
  SLIPWAY_TRY(number, number_of(arguments, true));
  SLIPWAY_TRY(stage, text_argument(arguments, "stage"));
  SLIPWAY_CHECK(
      registry.set_stage(name, number, stage, arguments.flag("archive_existing_versions")));
  return answer_version(registry.version(name, number));
}

Result<json::Value> remove_version(Registry registry, const json::Value& arguments) {
  SLIPWAY_TRY(name, text_argument(arguments, "name"));
  SLIPWAY_TRY(number, number_of(arguments, true));
  return done(registry.remove_version(name, number));
}

Result<json::Value> search_versions(Registry registry, const json::Value& arguments) {
  SLIPWAY_TRY(search, search_argument(arguments, 10'000, ""));
  SLIPWAY_TRY(page, registry.search_versions(search));
  return page_under("model_versions", search, page, version_json);
}

// Where a client finds the files: here a version's source is their address.
Result<json::Value> download_uri(Registry registry, const json::Value& arguments) {
  SLIPWAY_TRY(name, text_argument(arguments, "name"));
  SLIPWAY_TRY(number, number_of(arguments, true));
  SLIPWAY_TRY(version, registry.version(name, number));
  return under("artifact_uri", version.source);
}

}  // namespace

void add_mlflow_registry(http::Server& server, Service& service) {
  const auto add = [&](const char* method, const std::string& path, auto handler) {
    add_call(server, service, method, path, [&service, handler](const json::Value& arguments) {
      return handler(Registry(*service.store), arguments);
    });
  };
  add("POST", "registered-models/create", create);
  add("GET", "registered-models/get", get);
  add("POST", "registered-models/rename", rename);
  add("PATCH", "registered-models/update", update);
  add("DELETE", "registered-models/delete", remove);
  add("GET", "registered-models/search", search);
  add("POST", "registered-models/get-latest-versions", latest);
  add("GET", "registered-models/get-latest-versions", latest);
  add("POST", "registered-models/set-tag", set_tag<false>);
  add("DELETE", "registered-models/delete-tag", delete_tag<false>);
  add("POST", "registered-models/alias", set_alias);
  add("DELETE", "registered-models/alias", delete_alias);
  add("GET", "registered-models/alias", by_alias);
  add("POST", "model-versions/create", create_version);
  add("GET", "model-versions/get", get_version);
  add("PATCH", "model-versions/update", update_version);
  add("POST", "model-versions/transition-stage", set_stage);
  add("DELETE", "model-versions/delete", remove_version);
  add("GET", "model-versions/search", search_versions);
  add("GET", "model-versions/get-download-uri", download_uri);
  add("POST", "model-versions/set-tag", set_tag<true>);
  add("DELETE", "model-versions/delete-tag", delete_tag<true>);
}

}  // namespace slipway::serve
