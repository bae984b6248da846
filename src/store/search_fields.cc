#include "store/artifacts.h"
#include "store/search.h"

namespace slipway::store {
namespace {

SearchFields::Attribute number(std::string column) {
  return {.column = std::move(column), .is_number = true};
}

SearchFields::Attribute text(std::string column, bool takes_list = false) {
  return {.column = std::move(column), .takes_list = takes_list};
}

SearchFields::Attribute only_filter(SearchFields::Attribute attribute) {
  attribute.in_order = false;
  return attribute;
}

SearchFields::Attribute only_order(SearchFields::Attribute attribute) {
  attribute.in_filter = false;
  return attribute;
}

// Where a run's files are: its experiment's folder, or the server's own.
const std::string kArtifactUri =
    "(SELECT " + std::string(location_of_experiment) +
    " FROM experiments e WHERE e.name = r.experiment) || '/' || r.id || '/artifacts'";

SearchFields make_run_fields() {
  SearchFields fields;
  fields.attributes = {{"run_id", text("r.id", true)},       {"run_name", text("r.name")},
                       {"status", text("upper(r.status)")},  {"user_id", text("r.user")},
                       {"artifact_uri", text(kArtifactUri)}, {"start_time", number("r.start_ms")},
                       {"end_time", number("r.end_ms")}};
  fields.attributes["end_time"].nullable = true;
  fields.synonyms = {{"created", "start_time"},
                     {"Created", "start_time"},
                     {"run name", "run_name"},
                     {"Run name", "run_name"},
                     {"Run Name", "run_name"}};
  fields.sides = {{KeyKind::metric, "metrics_latest t WHERE t.run_id = r.id"},
                  {KeyKind::param, "params t WHERE t.run_id = r.id"},
                  {KeyKind::tag, "tags t WHERE t.run_id = r.id"},
                  {KeyKind::dataset, "run_links d WHERE d.run_id = r.id AND d.kind = 'dataset'"}};
  fields.computed_tags["mlflow.runName"] = "nullif(r.name, '')";
  fields.computed_tags["slipway.kind"] = "nullif(r.kind, 'mlflow')";
  for (const char* input : {"candidate", "candidate_name", "model", "prompt", "dataset", "split",
                            "scorer", "seed", "engine_id"}) {
    fields.computed_tags[std::string("slipway.") + input] =
        std::string("CAST(json_extract(r.inputs, '$.") + input + "') AS TEXT)";
  }
  fields.datasets = {
      {"name", "json_extract(d.content, '$.dataset.name')"},
      {"digest", "json_extract(d.content, '$.dataset.digest')"},
      {"context",
       "(SELECT json_extract(c.value, '$.value') FROM json_each(d.content, '$.tags') "
       "c WHERE json_extract(c.value, '$.key') = 'mlflow.data.context')"}};
  return fields;
}

SearchFields make_experiment_fields() {
  SearchFields fields;
  fields.attributes = {{"name", text("e.name")},
                       {"experiment_id", text("e.number", true)},
                       {"creation_time", number("e.created_ms")},
                       {"last_update_time", number("e.updated_ms")}};
  fields.sides = {{KeyKind::tag, "experiment_tags t WHERE t.experiment = e.number"}};
  return fields;
}

SearchFields make_model_fields() {
  SearchFields fields;
  fields.attributes = {{"name", text("m.name", true)},
                       {"creation_timestamp", only_order(number("m.created_ms"))},
                       {"last_updated_timestamp", only_order(number("m.updated_ms"))}};
  fields.synonyms = {{"timestamp", "last_updated_timestamp"}};
  fields.sides = {{KeyKind::tag, "model_tags t WHERE t.model = m.number AND t.version = 0"}};
  // What is no prompt lacks the tag, and is found as "not a prompt" all the same.
  fields.computed_tags["mlflow.prompt.is_prompt"] =
      "ifnull((SELECT p.value FROM model_tags p WHERE p.model = m.number AND p.version = 0 "
      "AND p.key = 'mlflow.prompt.is_prompt'), 'false')";
  return fields;
}

SearchFields make_model_version_fields() {
  SearchFields fields;
  fields.attributes = {{"name", text("m.name", true)},
                       {"run_id", only_filter(text("v.run_id", true))},
                       {"source_path", only_filter(text("v.source"))},
                       {"version_number", number("v.version")},
                       {"creation_timestamp", only_order(number("v.created_ms"))},
                       {"last_updated_timestamp", only_order(number("v.updated_ms"))}};
  fields.sides = {{KeyKind::tag, "model_tags t WHERE t.model = v.model AND t.version = v.version"}};
  fields.computed_tags["mlflow.prompt.is_prompt"] =
      "ifnull((SELECT p.value FROM model_tags p WHERE p.model = v.model AND p.version = v.version "
      "AND p.key = 'mlflow.prompt.is_prompt'), 'false')";
  return fields;
}

SearchFields make_logged_model_fields() {
  SearchFields fields;
  fields.attributes = {{"name", text("l.name", true)},
                       {"model_id", text("l.id", true)},
                       {"model_type", text("l.type")},
                       {"status", text("l.status")},
                       {"source_run_id", text("l.run_id", true)},
                       {"creation_timestamp", number("l.created_ms")},
                       {"last_updated_timestamp", number("l.updated_ms")}};
  fields.synonyms = {{"creation_time", "creation_timestamp"}};
  fields.sides = {{KeyKind::param, "json_each(l.params) t WHERE 1"},
                  {KeyKind::tag, "json_each(l.tags) t WHERE 1"}};
  return fields;
}

}  // namespace

const SearchFields& run_fields() {
  static const SearchFields fields = make_run_fields();
  return fields;
}
const SearchFields& experiment_fields() {
  static const SearchFields fields = make_experiment_fields();
  return fields;
}
const SearchFields& model_fields() {
  static const SearchFields fields = make_model_fields();
  return fields;
}
const SearchFields& model_version_fields() {
  static const SearchFields fields = make_model_version_fields();
  return fields;
}
const SearchFields& logged_model_fields() {
  static const SearchFields fields = make_logged_model_fields();
  return fields;
}

}  // namespace slipway::store
