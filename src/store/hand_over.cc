// The giving side of store/transfer.h.
#include <algorithm>
#include <deque>
#include <unordered_map>
#include <utility>

#include "base/hash.h"
#include "store/artifacts.h"
#include "store/chunks.h"
#include "store/objects.h"
#include "store/registry_transfer.h"
#include "store/transfer.h"

namespace slipway::store {
namespace {

constexpr size_t kMostParsed = size_t{16} << 20;  // larger objects name no others
constexpr size_t kFullRecord = size_t{1} << 20;   // bytes, from which on a record is closed
constexpr size_t kMostPoints = 4096;

using Hashes = std::set<std::string>;

void collect(const json::Value& value, Hashes& into) {
  if (value.is_string() && is_sha256(value.as_string())) into.insert(value.as_string());
  if (value.is_array())
    for (const auto& element : value.as_array()) collect(element, into);
  if (value.is_object())
    for (const auto& member : value.as_object()) collect(member.second, into);
}

// The selected runs, each after its parent.
class Family {
 public:
  explicit Family(std::vector<Run> runs) : runs_(std::move(runs)) {
    for (size_t i = 0; i < runs_.size(); ++i) {
      by_id_[runs_[i].id] = i;
      children_[runs_[i].parent_id].push_back(i);
    }
  }

  std::vector<Run> everything() {
    for (size_t i = 0; i < runs_.size(); ++i) add(i);
    return take();
  }

  Result<std::vector<Run>> around(const std::vector<std::string>& ids) {
    std::deque<size_t> below;
    for (const auto& id : ids) {
      const auto found = by_id_.find(id);
      if (found == by_id_.end()) return Error::not_found("no run '" + id + "'");
      below.push_back(found->second);
    }
    std::set<size_t> seen;
    for (; !below.empty(); below.pop_front()) {
      if (!seen.insert(below.front()).second) continue;
      add(below.front());
      const auto& children = children_[runs_[below.front()].id];
      below.insert(below.end(), children.begin(), children.end());
    }
    return take();
  }

 private:
  // With what is above it first.
  void add(size_t index) {
    if (!added_.insert(index).second) return;
    std::vector<size_t> line = {index};
    for (auto at = by_id_.find(runs_[index].parent_id);
         at != by_id_.end() && added_.insert(at->second).second;
         at = by_id_.find(runs_[at->second].parent_id)) {
      line.push_back(at->second);
    }
    order_.insert(order_.end(), line.rbegin(), line.rend());
  }

  std::vector<Run> take() {
    std::vector<Run> chosen;
    for (const auto index : order_) chosen.push_back(std::move(runs_[index]));
    return chosen;
  }

  std::vector<Run> runs_;
  std::unordered_map<std::string, size_t> by_id_;
  std::unordered_map<std::string, std::vector<size_t>> children_;
  std::set<size_t> added_;
  std::vector<size_t> order_;
};

Result<std::vector<Run>> chosen_runs(const Store& from, const Selection& selection) {
  if (!selection.all && selection.runs.empty()) return std::vector<Run>();
  SLIPWAY_TRY(runs, from.all_runs());
  Family family(std::move(runs));
  if (selection.all) return family.everything();
  return family.around(selection.runs);
}

// What the objects among them name, and those in turn.
Status follow(const Store& from, Hashes& hashes) {
  std::deque<std::string> open(hashes.begin(), hashes.end());
  for (; !open.empty(); open.pop_front()) {
    if (!from.has_object(open.front())) continue;
    SLIPWAY_TRY(bytes, from.get_object(open.front()));
    if (bytes.size() > kMostParsed || bytes.empty() || bytes[0] != '{') continue;
    const auto value = json::parse(bytes);
    if (!value.ok()) continue;
    Hashes named;
    collect(*value, named);
    for (const auto& hash : named)
      if (hashes.insert(hash).second) open.push_back(hash);
  }
  return {};
}

Result<std::vector<KeptFile>> files_of_run(const Store& from, const std::string& run_id) {
  SLIPWAY_TRY(folder, folder_of_run(from, run_id));
  if (folder.empty()) return std::vector<KeptFile>();
  return files_below(from, folder);
}

Status hashes_of_run(const Store& from, const Run& run, Hashes& hashes) {
  collect(run.inputs, hashes);
  collect(run.environment, hashes);
  SLIPWAY_TRY(tags, from.tags(run.id));
  SLIPWAY_TRY(params, from.params(run.id));
  for (const auto* pairs : {&tags, &params})
    for (const auto& pair : *pairs)
      if (is_sha256(pair.second)) hashes.insert(pair.second);
  SLIPWAY_TRY(files, files_of_run(from, run.id));
  SLIPWAY_TRY(of_models, files_of_logged_models(from, run.id));
  for (const auto* list : {&files, &of_models})
    for (const auto& file : *list) hashes.insert(file.sha256);
  return {};
}

Result<Hashes> hashes_with(const Store& from, const Selection& selection,
                           const std::vector<Run>& runs) {
  Hashes hashes = selection.hashes;
  for (const auto& run : runs) SLIPWAY_CHECK(hashes_of_run(from, run, hashes));
  SLIPWAY_CHECK(follow(from, hashes));
  if (!selection.all) return hashes;
  SLIPWAY_TRY(entities, from.all_entities());
  for (const auto& entity : entities) collect(entity.content, hashes);
  for (auto& name : from.object_names()) hashes.insert(std::move(name));
  return hashes;
}

// By what its content is, as runs name prompts, rows and weights by the hash of their bytes.
bool travels(const Entity& entity, const Hashes& hashes) {
  if (hashes.contains(entity.id)) return true;
  if (entity.kind == "prompt") return hashes.contains(sha256_hex(entity.content.text("source")));
  if (entity.kind == "dataset") return hashes.contains(entity.content.text("sha256"));
  return entity.kind == "notice" && hashes.contains(entity.content.text("weights_sha256"));
}

json::Value record_of(const char* kind) {
  auto record = json::Value::object();
  record.set("record", kind);
  return record;
}

class Giver {
 public:
  Giver(const Store& from, Sink& sink) : from_(from), sink_(sink) {}

  Status run(const Run& run) {
    run_ = &run;
    auto begin = record_of("run");
    begin.set("id", run.id)
        .set("experiment", text_json(run.experiment))
        .set("kind", text_json(run.kind))
        .set("name", text_json(run.name))
        .set("parent", run.parent_id)
        .set("start_ms", run.start_ms)
        .set("inputs", run.inputs)
        .set("environment", run.environment);
    if (!run.user.empty()) begin.set("user", text_json(run.user));
    SLIPWAY_CHECK(sink_.record(begin));
    SLIPWAY_CHECK(pairs());
    SLIPWAY_CHECK(points());
    SLIPWAY_CHECK(cases());
    SLIPWAY_TRY(traces, from_.traces_of_run(run.id));
    for (const auto& trace : traces) SLIPWAY_CHECK(spans(run.id, trace));
    SLIPWAY_CHECK(files());
    SLIPWAY_CHECK(give_links(from_, run.id, sink_));
    auto end = record_of("end");
    end.set("run", run.id)
        .set("status", status_name(run.status))
        .set("end_ms", run.end_ms)
        .set("error", text_json(run.error));
    return sink_.record(end);
  }

  Status spans(const std::string& run_id, const std::string& trace) {
    SLIPWAY_TRY(all, from_.trace(trace));
    Rows rows;
    for (const auto& span : all) {
      rows.add(span_json(span));
      if (!rows.full() && rows.list.size() < most_spans_per_chunk) continue;
      SLIPWAY_CHECK(give("spans", run_id, "spans", rows.take()));
    }
    return give("spans", run_id, "spans", rows.take());
  }

 private:
  // Of one record, until it is large enough.
  struct Rows {
    json::Value list = json::Value::array();
    size_t bytes = 0;

    void add(json::Value row) {
      bytes += row.dump().size();
      list.push_back(std::move(row));
    }
    bool full() const { return bytes >= kFullRecord; }
    json::Value take() { return std::exchange(*this, Rows()).list; }
  };

  Status give(const char* kind, const std::string& run_id, const char* member, json::Value list) {
    if (list.size() == 0) return {};
    auto record = record_of(kind);
    record.set("run", run_id).set(member, std::move(list));
    return sink_.record(record);
  }

  Status pairs() {
    SLIPWAY_TRY(params, from_.params(run_->id));
    SLIPWAY_TRY(tags, from_.tags(run_->id));
    tags.erase(imported_tag);
    for (const auto& [kind, all] : {std::pair{"params", &params}, {"tags", &tags}}) {
      for (const auto& [key, text] : *all) {
        auto pair = json::Value::array();
        pair.push_back(text_json(key));
        pair.push_back(text_json(text));
        auto list = json::Value::array();
        list.push_back(std::move(pair));
        SLIPWAY_CHECK(give(kind, run_->id, "pairs", std::move(list)));
      }
    }
    return {};
  }

  Status points() {
    SLIPWAY_TRY(latest, from_.latest_metrics(run_->id));
    for (const auto& metric : latest) {
      SLIPWAY_TRY(history, from_.metric_history(run_->id, metric.first));
      for (size_t at = 0; at < history.size(); at += kMostPoints) {
        auto record = record_of("points");
        auto list = json::Value::array();
        for (size_t i = at; i < std::min(at + kMostPoints, history.size()); ++i) {
          auto point = json::Value::array();
          point.push_back(history[i].step);
          point.push_back(history[i].unix_ms);
          point.push_back(double_json(history[i].value));
          list.push_back(std::move(point));
        }
        record.set("run", run_->id).set("key", text_json(metric.first));
        record.set("points", std::move(list));
        SLIPWAY_CHECK(sink_.record(record));
      }
    }
    return {};
  }

  Status cases() {
    SLIPWAY_TRY(all, from_.cases(run_->id));
    Rows rows;
    for (const auto& c : all) {
      auto value = json::Value::object();
      value.set("index", c.index)
          .set("example", text_json(c.example_id))
          .set("passed", c.passed)
          .set("output", text_json(c.output))
          .set("latency_ms", double_json(c.latency_ms))
          .set("cached", c.cached)
          .set("detail", c.detail);
      rows.add(std::move(value));
      if (rows.full()) SLIPWAY_CHECK(give("cases", run_->id, "cases", rows.take()));
    }
    return give("cases", run_->id, "cases", rows.take());
  }

  Status files() {
    SLIPWAY_TRY(files, files_of_run(from_, run_->id));
    Rows rows;
    for (const auto& file : files) {
      rows.add(file.to_json());
      if (rows.full()) SLIPWAY_CHECK(give("artifacts", run_->id, "files", rows.take()));
    }
    SLIPWAY_CHECK(give("artifacts", run_->id, "files", rows.take()));
    return give_logged_models(from_, run_->id, sink_);
  }

  const Store& from_;
  Sink& sink_;
  const Run* run_ = nullptr;
};

Status give_entities(const Store& from, const Selection& selection, const Hashes& hashes,
                     Sink& sink) {
  SLIPWAY_TRY(entities, from.all_entities());
  for (const auto& entity : entities) {
    if (!selection.all && !travels(entity, hashes)) continue;
    auto record = record_of("entity");
    record.set("kind", text_json(entity.kind))
        .set("name", text_json(entity.name))
        .set("created_ms", entity.created_ms)
        .set("put_ms", entity.put_ms)
        .set("content", entity.content);
    SLIPWAY_CHECK(sink.record(record));
  }
  return {};
}

// Oldest first; a release without its evidence says nothing.
Status give_releases(const Store& from, const Selection& selection, const std::vector<Run>& runs,
                     Sink& sink) {
  SLIPWAY_TRY(releases, from.releases());
  std::reverse(releases.begin(), releases.end());
  const auto here = [&](const std::string& id) {
    return std::any_of(runs.begin(), runs.end(), [&](const Run& run) { return run.id == id; });
  };
  for (const auto& r : releases) {
    if (!selection.all && !selection.hashes.contains(r.candidate)) continue;
    if (!r.gate_run_id.empty() && !here(r.gate_run_id)) continue;
    auto record = record_of("release");
    record.set("number", r.number)
        .set("alias", text_json(r.alias))
        .set("action", r.action)
        .set("candidate", r.candidate)
        .set("candidate_name", text_json(r.candidate_name))
        .set("candidate_object", r.candidate_object)
        .set("engine_id", text_json(r.engine_id))
        .set("gate_run", r.gate_run_id)
        .set("because", text_json(r.because))
        .set("who", text_json(r.who))
        .set("unix_ms", r.unix_ms)
        .set("previous", r.previous);
    SLIPWAY_CHECK(sink.record(record));
  }
  return {};
}

}  // namespace

Result<std::set<std::string>> hashes_of(const Store& from, const Selection& selection) {
  SLIPWAY_TRY(runs, chosen_runs(from, selection));
  return hashes_with(from, selection, runs);
}

Status hand_over(const Store& from, const Selection& selection, Sink& sink) {
  SLIPWAY_TRY(runs, chosen_runs(from, selection));
  SLIPWAY_TRY(hashes, hashes_with(from, selection, runs));
  for (const auto& hash : hashes) {
    if (!from.has_object(hash) || !sink.wants_object(hash)) continue;
    SLIPWAY_TRY(bytes, from.get_object(hash));
    SLIPWAY_CHECK(sink.object(bytes));
  }
  SLIPWAY_CHECK(give_entities(from, selection, hashes, sink));
  Giver giver(from, sink);
  for (const auto& run : runs)
    if (sink.wants_run(run.id)) SLIPWAY_CHECK(giver.run(run));
  if (selection.all) {
    SLIPWAY_TRY(traces, from.traces_without_run());
    for (const auto& trace : traces) SLIPWAY_CHECK(giver.spans("", trace));
    SLIPWAY_CHECK(give_logged_models(from, "", sink));
    SLIPWAY_CHECK(give_registered_models(from, sink));
  }
  SLIPWAY_CHECK(give_releases(from, selection, runs, sink));
  return sink.end();
}

// By what decides a result: a run's name and experiment may be changed, on either side.
Status check_same_runs(const Store& from, const Store& to) {
  SLIPWAY_TRY(runs, from.all_runs());
  for (const auto& run : runs) {
    const auto here = to.find_run(run.id);
    if (!here.ok()) {
      if (here.error().code() != ErrorCode::not_found) return here.error();
      continue;
    }
    const bool same_parent = here->parent_id == run.parent_id || here->parent_id.empty() ||
                             run.parent_id.empty();  // a deleted one does not travel
    const bool same = here->kind == run.kind && same_parent && here->start_ms == run.start_ms &&
                      here->inputs == run.inputs && here->environment == run.environment;
    if (same) continue;
    return Error::already_exists("run " + short_id(run.id) + " is here with other content",
                                 "one of the two was changed by hand: nothing was taken over");
  }
  return {};
}

}  // namespace slipway::store
