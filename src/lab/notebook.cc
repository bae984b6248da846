#include "lab/notebook.h"

#include <algorithm>
#include <set>

#include "base/hash.h"

namespace slipway::lab {
namespace {

// Runs that only look: they are no attempt.
const std::set<std::string> kNoAttempts = {"ask", "call", "serve", "listen", "demo"};
// Whose evaluations are parts of them.
const std::set<std::string> kOwners = {"tune", "gate", "reproduce", "optimize"};

Result<Effect> effect_between(const store::Store& store, const std::string& before,
                              const std::string& after) {
  SLIPWAY_TRY(first, store.outcomes(before));
  SLIPWAY_TRY(second, store.outcomes(after));
  std::map<std::string, bool> passed;
  for (const auto& outcome : first) passed[outcome.example_id] = outcome.passed;
  Effect effect;
  for (const auto& outcome : second) {
    const auto found = passed.find(outcome.example_id);
    if (found == passed.end()) continue;
    auto& pairs = effect.pairs;
    auto& count = found->second ? (outcome.passed ? pairs.both : pairs.only_first)
                                : (outcome.passed ? pairs.only_second : pairs.neither);
    count += 1;
  }
  effect.difference = eval::paired_difference(effect.pairs);
  effect.p_value = eval::mcnemar_exact(effect.pairs.only_first, effect.pairs.only_second);
  return effect;
}

class Reader {
 public:
  Reader(const store::Store& store, const NotebookQuery& query) : store_(store), query_(query) {}

  Result<Notebook> read() {
    SLIPWAY_TRY(runs, list());
    SLIPWAY_TRY(releases, store_.releases());
    if (!wanted("release")) releases.clear();
    for (const auto& run : runs) kinds_[run.id] = run.kind;
    runs_ = std::move(runs);
    std::vector<Mark> marks;  // newest first
    for (size_t i = 0; i < runs_.size(); ++i) {
      if (!wanted(runs_[i].kind) || !is_attempt(runs_[i])) continue;
      marks.push_back({runs_[i].start_ms, static_cast<int>(i), -1});
    }
    for (size_t i = 0; i < releases.size(); ++i)
      marks.push_back({releases[i].unix_ms, -1, static_cast<int>(i)});
    std::erase_if(marks,
                  [&](const Mark& m) { return query_.before_ms && m.at >= query_.before_ms; });
    std::stable_sort(marks.begin(), marks.end(),
                     [](const Mark& a, const Mark& b) { return a.at > b.at; });
    Notebook notebook;
    const auto limit = static_cast<size_t>(std::max(query_.limit, 0));
    notebook.more = marks.size() > limit;
    if (notebook.more) marks.resize(limit);
    for (auto mark = marks.rbegin(); mark != marks.rend(); ++mark) {
      if (mark->run < 0) {
        notebook.entries.push_back(entry_of(releases[static_cast<size_t>(mark->release)]));
        continue;
      }
      SLIPWAY_TRY(entry, entry_of(static_cast<size_t>(mark->run)));
      notebook.entries.push_back(std::move(entry));
    }
    return notebook;
  }

 private:
  struct Mark {
    int64_t at;
    int run, release;  // -1: none
  };

  bool wanted(const std::string& kind) const {
    return query_.kinds.empty() || query_.kinds.contains(kind);
  }

  // Of the kinds that are wanted, and their owners'; newest first.
  Result<std::vector<store::Run>> list() const {
    if (query_.kinds.empty()) return store_.list_runs({.limit = most_notebook_runs});
    auto kinds = query_.kinds;
    kinds.insert(kOwners.begin(), kOwners.end());
    return newest_of_kinds(store_, kinds, most_notebook_runs);
  }

  bool is_attempt(const store::Run& run) const {
    if (kNoAttempts.contains(run.kind)) return false;
    const auto owner = kinds_.find(run.parent_id);
    return owner == kinds_.end() || !kOwners.contains(owner->second);
  }

  // The attempt of this kind before runs_[at] with the same value of `key`: of the same candidate
  // if there is one, for then nothing changed. runs_ is newest first.
  const store::Run* previous(size_t at, const std::string& key) const {
    const auto& run = runs_[at];
    const auto same = run.inputs.text(key), candidate = run.inputs.text("candidate");
    const store::Run* nearest = nullptr;
    if (same.empty()) return nullptr;
    for (size_t i = at + 1; i < runs_.size(); ++i) {
      const auto& other = runs_[i];
      if (other.kind != run.kind || other.status != store::RunStatus::finished) continue;
      if (other.inputs.text(key) != same || !is_attempt(other)) continue;
      if (!nearest) nearest = &other;
      if (candidate.empty() || other.inputs.text("candidate") == candidate) return &other;
    }
    return nearest;
  }

  Result<NotebookEntry> entry_of(size_t at) const {
    const auto& run = runs_[at];
    NotebookEntry entry;
    entry.unix_ms = run.start_ms;
    entry.kind = run.kind;
    entry.run_id = run.id;
    entry.status = store::status_name(run.status);
    entry.note = run.error;
    entry.candidate = run.inputs.text("candidate");
    entry.candidate_name = run.inputs.text("candidate_name", run.name);
    entry.dataset = run.inputs.text("dataset");
    entry.dataset_sha256 = run.inputs.text("dataset_sha256");
    SLIPWAY_TRY(figures, store_.latest_metrics(run.id));
    entry.figures = std::move(figures);
    entry.title = run.name;
    if (run.kind == "eval") SLIPWAY_CHECK(describe_evaluation(at, entry));
    if (run.kind == "tune") describe_tuning(at, entry);
    if (run.kind == "gate") SLIPWAY_CHECK(describe_gate(run, entry));
    return entry;
  }

  Status describe_evaluation(size_t at, NotebookEntry& entry) const {
    const auto& run = runs_[at];
    entry.title = "evaluated '" + entry.candidate_name + "' on " + entry.dataset;
    const auto* before = previous(at, "dataset_sha256");
    if (!before) return {};
    entry.against_run = before->id;
    entry.against_name = before->inputs.text("candidate_name", before->name);
    const auto was = before->inputs.text("candidate");
    if (was != entry.candidate) {
      const auto old = store_.find_entity("candidate", was);
      const auto now = store_.find_entity("candidate", entry.candidate);
      if (old.ok() && now.ok()) entry.changed = candidate_changes(old->content, now->content);
    }
    if (run.status != store::RunStatus::finished) return {};
    SLIPWAY_TRY(effect, effect_between(store_, before->id, run.id));
    if (effect.pairs.total() > 0) entry.effect = effect;
    return {};
  }

  void describe_tuning(size_t at, NotebookEntry& entry) const {
    const auto& run = runs_[at];
    entry.title = "trained '" + run.name + "' on " + entry.dataset;
    const auto* before = previous(at, "weights_sha256");
    if (!before) return;
    entry.against_run = before->id;
    entry.against_name = before->name;
    auto was = before->inputs, now = run.inputs;
    for (auto* inputs : {&was, &now}) {  // hashes say the same as names, to nobody
      for (const char* key : {"tokens_sha256", "dev_sha256", "weights_sha256"}) inputs->erase(key);
    }
    for (const auto& [key, value] : now.as_object()) {
      const auto* old = was.get(key);
      if (old && *old == value) continue;
      const auto* before_settings = old && old->is_object() ? old : nullptr;
      if (!value.is_object() || !before_settings) {
        entry.changed.push_back({key, old ? text_of(*old) : "", text_of(value)});
        continue;
      }
      for (const auto& [name, setting] : value.as_object()) {
        const auto* was_set = before_settings->get(name);
        if (!was_set || !(*was_set == setting))
          entry.changed.push_back({name, was_set ? text_of(*was_set) : "", text_of(setting)});
      }
    }
  }

  Status describe_gate(const store::Run& run, NotebookEntry& entry) const {
    entry.against_name = run.inputs.text("against_name");
    entry.title = "gate: '" + entry.candidate_name + "' against '" + entry.against_name + "'";
    SLIPWAY_TRY(tags, store_.tags(run.id));
    if (const auto verdict = tags.find(store::verdict_tag); verdict != tags.end())
      entry.note = verdict->second;
    const auto evidence = tags.find("evidence_object");
    if (evidence == tags.end()) return {};
    const auto bytes = store_.get_object(evidence->second);
    const auto gate = bytes.ok() ? json::parse(*bytes) : Result<json::Value>(bytes.error());
    const auto* reasons = gate.ok() ? gate->get("reasons") : nullptr;
    if (!reasons || !reasons->is_array()) return {};
    for (const auto& reason : reasons->as_array()) {
      if (reason.is_string())
        entry.note += (&reason == &reasons->as_array().front() ? ": " : "; ") + reason.as_string();
    }
    return {};
  }

  static std::string text_of(const json::Value& value) {
    const bool hash = value.is_string() && store_hash(value.as_string());
    if (hash) return short_id(value.as_string());
    return value.is_string() ? value.as_string() : value.dump();
  }
  static bool store_hash(const std::string& text) {
    return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
  }

  static NotebookEntry entry_of(const store::Release& release) {
    NotebookEntry entry;
    entry.unix_ms = release.unix_ms;
    entry.kind = "release";
    entry.candidate = release.candidate;
    entry.candidate_name = release.candidate_name;
    entry.run_id = release.gate_run_id;
    entry.title = (release.action == "rollback" ? "rolled '" : "released as '") + release.alias +
                  (release.action == "rollback" ? "' back to '" : "': '") + release.candidate_name +
                  "'";
    if (!release.because.empty())
      entry.note = (release.action == "rollback" ? "" : "forced: ") + release.because;
    return entry;
  }

  const store::Store& store_;
  const NotebookQuery& query_;
  std::vector<store::Run> runs_;
  std::map<std::string, std::string> kinds_;  // of runs, by id
};

json::Value effect_json(const Effect& effect) {
  auto value = json::Value::object();
  value.set("rows", effect.pairs.total())
      .set("change", effect.change())
      .set("low", effect.difference.low)
      .set("high", effect.difference.high)
      .set("p_value", effect.p_value)
      .set("only_before", effect.pairs.only_first)
      .set("only_after", effect.pairs.only_second);
  return value;
}

json::Value entry_json(const NotebookEntry& entry) {
  auto changed = json::Value::array();
  for (const auto& change : entry.changed) {
    auto item = json::Value::object();
    item.set("part", change.part).set("before", change.before).set("after", change.after);
    changed.push_back(std::move(item));
  }
  auto figures = json::Value::object();
  for (const auto& [key, value] : entry.figures) figures.set(key, value);
  auto value = json::Value::object();
  value.set("unix_ms", entry.unix_ms)
      .set("kind", entry.kind)
      .set("title", entry.title)
      .set("note", entry.note)
      .set("run_id", entry.run_id)
      .set("status", entry.status)
      .set("candidate", entry.candidate)
      .set("candidate_name", entry.candidate_name)
      .set("dataset", entry.dataset)
      .set("changed", std::move(changed))
      .set("against_run", entry.against_run)
      .set("against_name", entry.against_name)
      .set("effect", entry.effect ? effect_json(*entry.effect) : json::Value())
      .set("figures", std::move(figures));
  return value;
}

}  // namespace

double Effect::change() const {
  const auto total = pairs.total();
  if (total == 0) return 0;
  return static_cast<double>(pairs.only_second - pairs.only_first) / static_cast<double>(total);
}

Result<std::vector<store::Run>> newest_of_kinds(const store::Store& store,
                                                const std::set<std::string>& kinds, int limit) {
  std::vector<store::Run> all;
  for (const auto& kind : kinds) {
    SLIPWAY_TRY(runs, store.list_runs({.kind = kind, .limit = limit}));
    std::move(runs.begin(), runs.end(), std::back_inserter(all));
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& a, const auto& b) { return a.start_ms > b.start_ms; });
  return all;
}

Result<Notebook> read_notebook(const store::Store& store, const NotebookQuery& query) {
  return Reader(store, query).read();
}

json::Value notebook_json(const Notebook& notebook) {
  auto entries = json::Value::array();
  for (const auto& entry : notebook.entries) entries.push_back(entry_json(entry));
  auto value = json::Value::object();
  value.set("entries", std::move(entries)).set("more", notebook.more);
  return value;
}

}  // namespace slipway::lab
