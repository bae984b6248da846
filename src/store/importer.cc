// The taking side of store/transfer.h.
#include <utility>

#include "store/artifacts.h"
#include "store/chunks.h"
#include "store/objects.h"
#include "store/pieces.h"
#include "store/registry_transfer.h"
#include "store/transfer.h"

namespace slipway::store {
namespace {

Error no_record(const std::string& what) {
  return Error::corrupt("a record that is none: " + what, "ask for the bundle again");
}

Result<int64_t> integer_of(const json::Value& record, std::string_view key) {
  const auto* value = record.get(key);
  if (value && value->is_integer()) return value->as_integer();
  return no_record("'" + std::string(key) + "' is no whole number");
}

Result<bool> flag_of(const json::Value& record, std::string_view key) {
  const auto* value = record.get(key);
  if (value && value->is_bool()) return value->as_bool();
  return no_record("'" + std::string(key) + "' is neither true nor false");
}

Result<json::Value> member_of(const json::Value& record, std::string_view key) {
  const auto* value = record.get(key);
  if (value) return *value;
  return no_record("'" + std::string(key) + "' is missing");
}

Result<const json::Array*> list_of(const json::Value& record, std::string_view key) {
  const auto* value = record.get(key);
  if (value && value->is_array()) return &value->as_array();
  return no_record("'" + std::string(key) + "' is no list");
}

Result<Run> run_of(const json::Value& record) {
  Run run;
  SLIPWAY_TRY(id, text_member(record, "id"));
  SLIPWAY_TRY(experiment, text_member(record, "experiment"));
  SLIPWAY_TRY(kind, text_member(record, "kind"));
  SLIPWAY_TRY(name, text_member(record, "name"));
  SLIPWAY_TRY(parent, text_member(record, "parent"));
  SLIPWAY_TRY(start_ms, integer_of(record, "start_ms"));
  SLIPWAY_TRY(inputs, member_of(record, "inputs"));
  SLIPWAY_TRY(environment, member_of(record, "environment"));
  if (id.size() != 32) return no_record("'" + id + "' is no run's id");
  run.id = id;
  run.experiment = experiment;
  run.kind = kind;
  run.name = name;
  run.parent_id = parent;
  run.start_ms = start_ms;
  run.inputs = inputs;
  run.environment = environment;
  if (!record.get("user")) return run;
  SLIPWAY_TRY(user, text_member(record, "user"));
  run.user = user;
  return run;
}

Result<Case> case_of(const json::Value& value) {
  SLIPWAY_TRY(index, integer_of(value, "index"));
  SLIPWAY_TRY(example, text_member(value, "example"));
  SLIPWAY_TRY(passed, flag_of(value, "passed"));
  SLIPWAY_TRY(output, text_member(value, "output"));
  SLIPWAY_TRY(latency, member_of(value, "latency_ms"));
  SLIPWAY_TRY(latency_ms, double_of_json(latency));
  SLIPWAY_TRY(cached, flag_of(value, "cached"));
  SLIPWAY_TRY(detail, member_of(value, "detail"));
  return Case{index, example, passed, output, latency_ms, cached, detail};
}

Result<std::pair<std::string, std::string>> pair_of(const json::Value& value) {
  if (!value.is_array() || value.size() != 2) return no_record("a pair that is none");
  auto both = json::Value::object();
  both.set("key", value.as_array()[0]).set("text", value.as_array()[1]);
  SLIPWAY_TRY(key, text_member(both, "key"));
  SLIPWAY_TRY(text, text_member(both, "text"));
  return std::pair{key, text};
}

Result<Metric> point_of(const std::string& key, const json::Value& value) {
  const bool whole = value.is_array() && value.size() == 3 && value.as_array()[0].is_integer() &&
                     value.as_array()[1].is_integer();
  if (!whole) return no_record("a point that is none");
  const auto& parts = value.as_array();
  SLIPWAY_TRY(number, double_of_json(parts[2]));
  // 0 would be taken for `now`, and a retried import must find the same point.
  if (parts[1].as_integer() == 0) return no_record("a point without its time");
  return Metric{key, number, parts[0].as_integer(), parts[1].as_integer()};
}

Result<Release> release_of(const json::Value& record) {
  Release r;
  for (const auto& [key, into] : {std::pair{"alias", &r.alias},
                                  {"action", &r.action},
                                  {"candidate", &r.candidate},
                                  {"candidate_name", &r.candidate_name},
                                  {"candidate_object", &r.candidate_object},
                                  {"engine_id", &r.engine_id},
                                  {"gate_run", &r.gate_run_id},
                                  {"because", &r.because},
                                  {"who", &r.who}}) {
    SLIPWAY_TRY(text, text_member(record, key));
    *into = text;
  }
  for (const auto& [key, into] :
       {std::pair{"number", &r.number}, {"unix_ms", &r.unix_ms}, {"previous", &r.previous}}) {
    SLIPWAY_TRY(number, integer_of(record, key));
    *into = number;
  }
  return r;
}

}  // namespace

Status Importer::object(const std::string& bytes) {
  SLIPWAY_TRY(sha256, to_.put_object(bytes));
  ++taken_.objects;
  return {};
}

// Also one that was imported before, and not to its end, or was not ended then where it was made.
bool Importer::wants_run(const std::string& id) {
  const auto here = to_.find_run(id);
  const auto tags = to_.tags(id);
  const bool stays = here.ok() && tags.ok() &&
                     (here->status == RunStatus::finished || !tags->contains(imported_tag));
  if (here.ok() && known_.insert(id).second) ++taken_.known_runs;
  return !stays;
}

Status Importer::record(const json::Value& record) {
  const auto kind = record.text("record");
  if (kind == "run") return take_run(record);
  if (kind == "entity") return take_entity(record);
  if (kind == "release") return take_release(record);
  if (kind == "registered_model") return take_registered_model(to_, record);
  if (kind == "logged_model") return take_logged_model(to_, record);
  if (leaves(record)) return {};
  if (kind == "params") return take_pairs(record, false);
  if (kind == "tags") return take_pairs(record, true);
  if (kind == "points") return take_points(record);
  if (kind == "cases") return take_cases(record);
  if (kind == "spans") return take_spans(record);
  if (kind == "artifacts") return take_artifacts(record);
  if (kind == "link") return take_link(to_, record);
  if (kind == "end") return take_end(record);
  if (kind.empty()) return no_record("it has no kind");
  return {};  // of a later version: readers ignore what they do not know
}

bool Importer::leaves(const json::Value& record) const {
  const auto run = record.text("run");
  if (run.empty()) return record.text("record") != "spans";
  return !open_runs_.contains(run);
}

Status Importer::take_run(const json::Value& record) {
  SLIPWAY_TRY(run, run_of(record));
  const auto here = to_.find_run(run.id);
  if (here.ok()) {
    if (wants_run(run.id)) open_runs_.insert(run.id);
    return {};
  }
  if (here.error().code() != ErrorCode::not_found) return here.error();
  // What a client deleted there does not travel, and may be a parent.
  if (!run.parent_id.empty()) {
    const auto parent = to_.find_run(run.parent_id);
    if (!parent.ok() && parent.error().code() != ErrorCode::not_found) return parent.error();
    if (!parent.ok()) run.parent_id.clear();
  }
  SLIPWAY_CHECK(to_.take_run(run, options_.from));
  taken_.runs.push_back(run.id);
  open_runs_.insert(run.id);
  return {};
}

Status Importer::take_pairs(const json::Value& record, bool tags) {
  SLIPWAY_TRY(list, list_of(record, "pairs"));
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const auto& value : *list) {
    SLIPWAY_TRY(pair, pair_of(value));
    if (pair.first != imported_tag) pairs.push_back(std::move(pair));
  }
  const auto run = record.text("run");
  return tags ? to_.set_tags(run, pairs) : to_.log_params(run, pairs);
}

Status Importer::take_points(const json::Value& record) {
  SLIPWAY_TRY(list, list_of(record, "points"));
  SLIPWAY_TRY(key, text_member(record, "key"));
  std::vector<Metric> metrics;
  for (const auto& value : *list) {
    SLIPWAY_TRY(point, point_of(key, value));
    metrics.push_back(std::move(point));
  }
  return to_.log_metrics(record.text("run"), metrics);
}

Status Importer::take_cases(const json::Value& record) {
  SLIPWAY_TRY(list, list_of(record, "cases"));
  std::vector<Case> cases;
  for (const auto& value : *list) {
    SLIPWAY_TRY(one, case_of(value));
    cases.push_back(std::move(one));
  }
  return to_.put_cases(record.text("run"), cases);
}

Status Importer::take_spans(const json::Value& record) {
  SLIPWAY_TRY(list, list_of(record, "spans"));
  std::vector<SpanRecord> spans;
  for (const auto& value : *list) {
    SLIPWAY_TRY(span, span_of(value));
    spans.push_back(std::move(span));
  }
  ++taken_.traces;
  return to_.put_spans(record.text("run"), spans);
}

Status Importer::take_artifacts(const json::Value& record) {
  SLIPWAY_TRY(list, list_of(record, "files"));
  SLIPWAY_TRY(folder, folder_of_run(to_, record.text("run")));
  if (folder.empty()) return {};
  for (const auto& value : *list) {
    SLIPWAY_TRY(path, text_member(value, "path"));
    SLIPWAY_TRY(sha256, text_member(value, "sha256"));
    SLIPWAY_CHECK(take_file(to_, folder, {path, sha256}));
  }
  return {};
}

Status Importer::take_end(const json::Value& record) {
  Run run;
  SLIPWAY_TRY(id, text_member(record, "run"));
  SLIPWAY_TRY(status, run_status_of(record.text("status")));
  SLIPWAY_TRY(end_ms, integer_of(record, "end_ms"));
  SLIPWAY_TRY(error, text_member(record, "error"));
  run.id = id;
  // It may be running there; nothing of it runs here.
  const bool runs = status == RunStatus::running && !options_.from.empty();
  run.status = runs ? RunStatus::killed : status;
  run.end_ms = end_ms;
  run.error = error;
  return to_.end_taken_run(run);
}

Status Importer::take_entity(const json::Value& record) {
  Entity entity;
  SLIPWAY_TRY(kind, text_member(record, "kind"));
  SLIPWAY_TRY(name, text_member(record, "name"));
  SLIPWAY_TRY(created_ms, integer_of(record, "created_ms"));
  SLIPWAY_TRY(put_ms, integer_of(record, "put_ms"));
  SLIPWAY_TRY(content, member_of(record, "content"));
  entity.kind = kind;
  entity.name = name;
  entity.created_ms = created_ms;
  entity.put_ms = put_ms;
  entity.content = content;
  ++taken_.entities;
  return to_.take_entity(entity);
}

Status Importer::take_release(const json::Value& record) {
  if (!options_.releases) return {};
  SLIPWAY_TRY(release, release_of(record));
  releases_.push_back(std::move(release));
  return {};
}

Status Importer::end() {
  SLIPWAY_TRY(count, to_.take_releases(std::exchange(releases_, {})));
  taken_.releases += count;
  return {};
}

}  // namespace slipway::store
