#include "lab/report_facts.h"

#include <algorithm>
#include <set>

#include "base/clock.h"
#include "base/hash.h"
#include "base/text.h"
#include "eval/call_counts.h"
#include "lab/lineage.h"
#include "lab/run_rows.h"

namespace slipway::lab {
namespace {

constexpr int kMostRuns = 10'000;  // of a kind, the newest
// What a report reads; runs of other programs' clients may be many more.
const std::set<std::string> kKinds = {"eval", "gate", "tune", "adapter", "reproduce",
                                      "ask",  "call", "serve", "listen"};
constexpr size_t kExamples = 3;  // of a slice
constexpr size_t kWrongShown = 12;
constexpr int kHistory = 200;
constexpr size_t kMostTraces = 1000;
constexpr size_t kMostLookedAt = 10'000;  // traces, for those
constexpr size_t kMostRungs = 16;
const std::set<std::string> kAttempts = {"eval", "tune", "optimize", "gate", "release"};
const std::set<std::string> kNoise = {"misspelt", "misspelled", "typo", "spoken", "noisy", "asr"};
const std::set<std::string> kOutOfScope = {"no-call", "out-of-scope"};

std::vector<std::string> tags_of(const store::Case& c) {
  std::vector<std::string> tags;
  const auto* list = c.detail.get("tags");
  if (!list || !list->is_array()) return tags;
  for (const auto& tag : list->as_array()) {
    if (tag.is_string()) tags.push_back(tag.as_string());
  }
  return tags;
}

bool any_in(const std::vector<std::string>& tags, const std::set<std::string>& wanted) {
  return std::any_of(tags.begin(), tags.end(), [&](const auto& t) { return wanted.contains(t); });
}

void count(eval::Proportion& proportion, bool passed) {
  proportion.total += 1;
  proportion.passed += passed;
}

std::string machine_text(const json::Value& environment) {
  const auto* machine = environment.get("machine");
  if (!machine) return {};
  const auto cores = machine->get("cores");
  return machine->text("cpu") + (cores ? ", " + cores->dump() + " cores" : "");
}

class Gatherer {
 public:
  Gatherer(const store::Store& store, const ReportOptions& options)
      : store_(store), options_(options) {}

  Result<ReportFacts> gather(const std::string& wanted) {
    SLIPWAY_CHECK(read_runs());
    SLIPWAY_CHECK(choose(wanted));
    facts_.project = options_.project;
    facts_.unix_ms = now_unix_ms();
    SLIPWAY_TRY(cases, store_.cases(facts_.run.id));
    facts_.report = eval::summarise(cases);
    look_at(cases);
    SLIPWAY_CHECK(find_latency());
    SLIPWAY_CHECK(find_asked());
    SLIPWAY_CHECK(find_gate());
    SLIPWAY_CHECK(find_ladder());
    SLIPWAY_CHECK(find_history());
    SLIPWAY_CHECK(find_training());
    if (facts_.run.inputs.text("split") == "test") {
      SLIPWAY_TRY(looks, store_.looks(facts_.run.inputs.text("dataset_sha256")));
      facts_.looks = looks;
    }
    facts_.open = open_questions(facts_);
    return std::move(facts_);
  }

 private:
  Status read_runs() {
    SLIPWAY_TRY(runs, newest_of_kinds(store_, kKinds, kMostRuns));
    runs_ = std::move(runs);
    for (const auto& run : runs_) {
      if (run.kind == "reproduce") reproductions_.insert(run.id);
      if (run.kind == "tune") trainings_.insert(run.id);
    }
    return {};
  }

  // A finished evaluation of a dataset's rows, not one of a reproduction.
  bool counts(const store::Run& run) const {
    if (run.kind != "eval" || run.status != store::RunStatus::finished) return false;
    if (!options_.dataset.empty() && run.inputs.text("dataset") != options_.dataset) return false;
    return !run.inputs.get("audio") && !reproductions_.contains(run.parent_id);
  }

  Result<std::string> candidate_id(const std::string& wanted) {
    SLIPWAY_TRY(release, store_.release_of(wanted));
    if (release) return release->candidate;
    std::vector<std::string> names;
    for (const auto& run : runs_) {
      if (!counts(run)) continue;
      const auto name = run.inputs.text("candidate_name"), id = run.inputs.text("candidate");
      if (name == wanted || (wanted.size() >= 4 && starts_with(id, to_lower(wanted)))) return id;
      names.push_back(name);
    }
    const auto near = nearest(wanted, names);
    return Error::not_found("no finished evaluation of '" + wanted + "' in the store",
                            near ? "did you mean '" + *near + "'?"
                                 : "evaluate it first: `slipway eval --candidate " + wanted + "`");
  }

  Status choose(const std::string& wanted) {
    SLIPWAY_TRY(id, candidate_id(wanted));
    const store::Run* chosen = nullptr;  // runs_ is newest first
    for (const auto& run : runs_) {
      if (!counts(run) || run.inputs.text("candidate") != id) continue;
      const bool better =
          !chosen || (chosen->inputs.text("split") != "test" && run.inputs.text("split") == "test");
      if (better) chosen = &run;
    }
    if (!chosen) {
      return Error::not_found("'" + wanted + "' was never evaluated",
                              "run `slipway eval --candidate " + wanted + "` first");
    }
    facts_.run = *chosen;
    facts_.candidate = id;
    facts_.candidate_name = chosen->inputs.text("candidate_name", chosen->name);
    facts_.model = chosen->inputs.text("model");
    facts_.pinned = chosen->inputs.flag("pinned", !chosen->inputs.text("weights_sha256").empty());
    SLIPWAY_TRY(releases, store_.releases());
    std::set<std::string> seen;
    for (const auto& release : releases) {  // newest first
      if (seen.insert(release.alias).second && release.candidate == id)
        facts_.aliases.push_back(release.alias);
    }
    return {};
  }

  void look_at(const std::vector<store::Case>& cases) {
    const auto rows = rows_of_run(store_, facts_.run);
    std::map<std::string, std::vector<ReportExample>> wrong;
    std::map<std::string, ReportSlice> noisy;
    for (const auto& c : cases) {
      const auto tags = tags_of(c);
      ReportExample example{rows.text(c.example_id), c.detail.text("expected"), c.output};
      if (example.input.empty()) example.input = "row " + c.example_id;
      if (!c.passed && facts_.wrong.size() < kWrongShown) facts_.wrong.push_back(example);
      for (const auto& tag : tags) {
        if (!c.passed && wrong[tag].size() < kExamples) wrong[tag].push_back(example);
        if (!kNoise.contains(tag)) continue;
        noisy[tag].name = tag;
        count(noisy[tag].right, c.passed);
      }
      if (!any_in(tags, kNoise)) count(facts_.plain.right, c.passed);
      look_at_scope(c, any_in(tags, kOutOfScope), example);
    }
    for (const auto& tag : facts_.report.tags)
      facts_.slices.push_back({tag.tag, tag.exact, wrong[tag.tag]});
    for (auto& [tag, slice] : noisy) {
      slice.wrong = wrong[tag];
      facts_.noisy.push_back(std::move(slice));
    }
  }

  // By the counted calls; without them (another scorer) by the tags, where an exact match is all
  // that is known.
  void look_at_scope(const store::Case& c, bool tagged, const ReportExample& example) {
    const auto counts = eval::read_counts(c.detail);
    if (!counts && !tagged) return;
    const bool outside = counts ? counts->no_call_expected : true;
    const bool right = !counts  ? c.passed
                       : outside ? counts->no_call_given
                                 : c.detail.flag("valid") && !counts->no_call_given;
    auto& proportion = outside ? facts_.refused : facts_.served;
    if (!proportion) proportion.emplace();
    count(*proportion, right);
    if (outside && !right && facts_.wrongly_acted.size() < kExamples)
      facts_.wrongly_acted.push_back(example);
  }

  // Of this run, else of the newest of the same candidate that computed answers.
  Status find_latency() {
    const auto note = [&](const store::Run& run, const eval::Report& report) {
      facts_.latency = ReportLatency{report.computed(), report.latency_p50_ms,
                                     report.latency_p95_ms, run.id, machine_text(run.environment)};
    };
    if (facts_.report.computed() > 0) {
      note(facts_.run, facts_.report);
      return {};
    }
    for (const auto& run : runs_) {
      if (!counts(run) || run.inputs.text("candidate") != facts_.candidate) continue;
      SLIPWAY_TRY(cases, store_.cases(run.id));
      const auto report = eval::summarise(cases);
      if (report.computed() == 0) continue;
      note(run, report);
      return {};
    }
    return {};
  }

  Status find_asked() {
    std::vector<double> took;
    ReportLatency asked;
    size_t left = kMostLookedAt;
    for (const auto& run : runs_) {
      const bool served = run.kind == "serve";  // its spans say which candidate they asked
      if (run.kind == "eval") continue;
      if (!served && run.inputs.text("candidate") != facts_.candidate) continue;
      if (left == 0 || took.size() == kMostTraces) break;
      SLIPWAY_TRY(traces, store_.newest_traces(run.id, static_cast<int64_t>(left), 0));
      for (const auto& id : traces) {
        if (took.size() == kMostTraces) break;
        --left;
        SLIPWAY_TRY(spans, store_.trace(id));
        for (const auto& span : spans) {
          if (!span.parent_span_id.empty()) continue;
          if (!span.ok) break;
          if (served && span.text("candidate_id") != facts_.candidate) break;
          took.push_back(static_cast<double>(span.end_unix_ns - span.start_unix_ns) / 1e6);
          break;
        }
      }
      if (!took.empty() && asked.where.empty()) asked.where = machine_text(run.environment);
    }
    if (took.empty()) return {};
    asked.answers = static_cast<int64_t>(took.size());
    asked.p50_ms = eval::quantile(took, 0.5);
    asked.p95_ms = eval::quantile(std::move(took), 0.95);
    facts_.asked = std::move(asked);
    return {};
  }

  Status find_gate() {
    for (const auto& run : runs_) {
      if (run.kind != "gate" || run.status != store::RunStatus::finished) continue;
      if (run.inputs.text("candidate") != facts_.candidate) continue;
      SLIPWAY_TRY(tags, store_.tags(run.id));
      ReportGate gate;
      gate.run_id = run.id;
      gate.unix_ms = run.start_ms;
      gate.verdict = tags[store::verdict_tag];
      gate.against_name = run.inputs.text("against_name");
      gate.margin = run.inputs.number("margin");
      gate.same_rows =
          run.inputs.text("dataset_sha256") == facts_.run.inputs.text("dataset_sha256");
      const auto bytes = store_.get_object(tags["evidence_object"]);
      const auto evidence = bytes.ok() ? json::parse(*bytes) : Result<json::Value>(bytes.error());
      if (evidence.ok()) {
        gate.rows = static_cast<int64_t>(evidence->number("rows"));
        gate.rows_needed = static_cast<int64_t>(evidence->number("rows_needed"));
        const auto* reasons = evidence->get("reasons");
        for (size_t i = 0; reasons && reasons->is_array() && i < reasons->size(); ++i) {
          if (reasons->as_array()[i].is_string())
            gate.reasons.push_back(reasons->as_array()[i].as_string());
        }
      }
      facts_.gate = std::move(gate);
      return {};
    }
    return {};
  }

  // Of each candidate on these very rows the newest evaluation, in the order of the first and by
  // its name then: a gate calls what it compares with by its alias.
  Status find_ladder() {
    const auto rows = facts_.run.inputs.text("dataset_sha256");
    struct Rung {
      std::string candidate, name, run_id;
    };
    std::vector<Rung> rungs;
    for (auto run = runs_.rbegin(); run != runs_.rend(); ++run) {
      const bool epoch = trainings_.contains(run->parent_id);
      if (!counts(*run) || epoch || run->inputs.text("dataset_sha256") != rows) continue;
      const auto candidate = run->inputs.text("candidate");
      const auto same = std::ranges::find(rungs, candidate, &Rung::candidate);
      if (same != rungs.end()) {
        same->run_id = run->id;
      } else {
        rungs.push_back({candidate, run->inputs.text("candidate_name", run->name), run->id});
      }
    }
    for (size_t i = 0; rungs.size() > kMostRungs;) {  // the oldest go, but not what this is about
      i += rungs[i].candidate == facts_.candidate;
      rungs.erase(rungs.begin() + static_cast<std::ptrdiff_t>(i));
    }
    for (const auto& rung : rungs) {
      SLIPWAY_TRY(figures, store_.latest_metrics(rung.run_id));
      NotebookEntry entry;
      entry.run_id = rung.run_id;
      entry.candidate_name = rung.name;
      entry.figures = std::move(figures);
      facts_.ladder.push_back(std::move(entry));
    }
    return {};
  }

  Status find_history() {
    SLIPWAY_TRY(notebook, read_notebook(store_, {.limit = kHistory, .kinds = kAttempts}));
    const auto rows = facts_.run.inputs.text("dataset_sha256");
    for (auto& entry : notebook.entries) {
      const bool evaluated = entry.kind == "eval" && entry.dataset_sha256 == rows;
      const bool ours =
          entry.candidate == facts_.candidate && (entry.kind == "gate" || entry.kind == "release");
      const bool made = entry.kind == "tune" || entry.kind == "optimize";
      const bool repeated = evaluated && entry.effect && entry.changed.empty();
      if ((evaluated && !repeated) || ours || made) facts_.history.push_back(std::move(entry));
    }
    return {};
  }

  Status find_training() {
    std::set<std::string> adapters;
    const auto entity = store_.find_entity("candidate", facts_.candidate);
    const auto* model = entity.ok() ? entity->content.get("model") : nullptr;
    const auto* list = model ? model->get("adapters") : nullptr;
    for (size_t i = 0; list && list->is_array() && i < list->size(); ++i)
      adapters.insert(list->as_array()[i].is_string() ? list->as_array()[i].as_string() : "");
    if (adapters.empty()) return {};
    SLIPWAY_TRY(makers, makers_of(store_, runs_, adapters));
    for (const auto* run : makers) {
      if (run->kind != "tune") continue;  // of a mean, one member's stands for all
      SLIPWAY_TRY(history, store_.metric_history(run->id, "loss"));
      for (const auto& point : history)
        facts_.loss.push_back({static_cast<double>(point.step), point.value});
      return find_scaling(*run);
    }
    return {};
  }

  // Trainings of the same weights with the same prompt, judged on the same rows.
  Status find_scaling(const store::Run& made) {
    std::map<int64_t, ScalingPoint> by_size;
    for (const auto& run : runs_) {
      if (run.kind != "tune" || run.status != store::RunStatus::finished) continue;
      const auto same = [&](const char* key) {
        return run.inputs.text(key) == made.inputs.text(key);
      };
      if (!same("weights_sha256") || !same("prompt_sha256") || !same("dev_sha256")) continue;
      SLIPWAY_TRY(point, judged(run));
      if (!point) continue;
      auto& best = by_size[point->examples];
      if (point->score >= best.score) best = *point;
    }
    if (by_size.size() < 2) return {};
    for (const auto& [examples, point] : by_size) facts_.scaling.push_back(point);
    return {};
  }

  Result<std::optional<ScalingPoint>> judged(const store::Run& tuning) const {
    std::optional<ScalingPoint> best;
    SLIPWAY_TRY(children, store_.list_runs({.kind = "eval", .parent_id = tuning.id}));
    for (const auto& run : children) {
      SLIPWAY_TRY(figures, store_.latest_metrics(run.id));
      if (!figures.contains("exact_match")) continue;
      if (best && figures["exact_match"] <= best->score) continue;
      best = ScalingPoint{static_cast<int64_t>(tuning.inputs.number("examples")),
                          figures["exact_match"],
                          {figures["exact_match_low"], figures["exact_match_high"]}};
    }
    return best;
  }

  const store::Store& store_;
  const ReportOptions& options_;
  std::vector<store::Run> runs_;  // newest first
  std::set<std::string> reproductions_, trainings_;
  ReportFacts facts_;
};

}  // namespace

Result<ReportFacts> report_facts(const store::Store& store, const std::string& candidate,
                                 const ReportOptions& options) {
  return Gatherer(store, options).gather(candidate);
}

}  // namespace slipway::lab
