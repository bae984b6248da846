#include "lab/gate.h"

#include <algorithm>
#include <set>

#include "base/files.h"
#include "base/text.h"
#include "lab/releases.h"

namespace slipway::lab {
namespace {

bool has_tag(const dataset::Example& example, const std::string& tag) {
  return std::find(example.tags.begin(), example.tags.end(), tag) != example.tags.end();
}

// The ids of the rows that must pass: those with the tag, or those that the file lists.
Result<std::set<std::string>> must_pass_ids(const Project& project, const dataset::Dataset& rows,
                                            const std::string& wanted) {
  std::set<std::string> ids, known;
  if (wanted.empty()) return ids;
  for (const auto& example : rows.examples) {
    known.insert(example.id);
    if (has_tag(example, wanted)) ids.insert(example.id);
  }
  const auto path = project.path(wanted);
  if (!ids.empty() && files::exists(path)) {
    return Error::invalid_input("'" + wanted + "' is both a tag of the rows and a file",
                                "rename the file");
  }
  if (!ids.empty()) return ids;
  if (!files::exists(path)) {
    return Error::invalid_input("--must-pass '" + wanted + "' is neither a tag of a row nor a file",
                                "name a tag of the dataset, or a file with an id a line");
  }
  SLIPWAY_TRY(text, files::read(path, 16 << 20));
  for (const auto& line : split(text, '\n')) {
    const auto id = std::string(trim(line));
    if (id.empty() || id[0] == '#') continue;
    if (!known.contains(id)) {
      return Error::invalid_input(wanted + ": the dataset has no row '" + id + "'",
                                  "correct the id, or take the line out");
    }
    ids.insert(id);
  }
  if (ids.empty()) return Error::invalid_input(wanted + " lists no row", "write an id a line");
  return ids;
}

class Gatekeeper {
 public:
  Gatekeeper(Workbench& bench, const GateSpec& spec, const GateHooks& hooks)
      : bench_(bench), spec_(spec), hooks_(hooks) {}

  Result<Gate> run() {
    SLIPWAY_CHECK(load());
    SLIPWAY_CHECK(begin());
    const auto measured = measure();
    if (!measured.ok()) {
      SLIPWAY_CHECK(bench_.store()->end_run(gate_.run_id, measured));
      return measured.error();
    }
    decide(gate_, spec_);
    SLIPWAY_CHECK(record());
    return std::move(gate_);
  }

 private:
  Status load() {
    SLIPWAY_TRY(dataset, bench_.project().dataset(spec_.dataset));
    SLIPWAY_TRY(rows, dataset::load_dataset(bench_.project().path(dataset.path)));
    dataset_ = dataset;
    rows_ = std::move(rows);
    if (!dataset.split.empty()) rows_.split = dataset.split;
    gate_.rows = static_cast<int64_t>(rows_.examples.size());
    if (gate_.rows == 0) return Error::invalid_input(dataset.path + " has no rows");
    SLIPWAY_TRY(ids, must_pass_ids(bench_.project(), rows_, spec_.must_pass));
    must_pass_ = std::move(ids);
    gate_.must_pass_rows = static_cast<int64_t>(must_pass_.size());
    gate_.candidate_name = spec_.candidate.name;
    gate_.against_name = spec_.against.name;
    return Status();
  }

  eval::Plan plan(double discordance) const {
    return {discordance, spec_.margin, spec_.alpha, spec_.power};
  }

  // Both are prepared once beforehand, so that a name or file that is wrong is told at once.
  Status begin() {
    SLIPWAY_TRY(against, bench_.prepare(spec_.against));
    gate_.against_id = against.candidate.id();
    SLIPWAY_TRY(ready, bench_.prepare(spec_.candidate));
    gate_.candidate_id = ready.candidate.id();
    SLIPWAY_TRY(object, keep_candidate(bench_, spec_.candidate, ready.candidate));
    store::Run run;
    run.experiment = bench_.project().name;
    run.kind = "gate";
    run.name = gate_.candidate_name + " against " + gate_.against_name;
    run.inputs = json::Value::object();
    run.inputs.set("candidate", gate_.candidate_id)
        .set("candidate_name", gate_.candidate_name)
        .set("candidate_object", object)
        .set("against", gate_.against_id)
        .set("against_name", gate_.against_name)
        .set("dataset", rows_.name)
        .set("split", rows_.split)
        .set("dataset_sha256", rows_.sha256)
        .set("margin", spec_.margin)
        .set("alpha", spec_.alpha)
        .set("power", spec_.power)
        .set("must_pass", spec_.must_pass)
        .set("latency_p95_ms", spec_.latency_p95_ms)
        .set("engine_id", ready.model->info().engine_id);
    run.environment = bench_.environment_of(*ready.model);
    SLIPWAY_TRY(created, bench_.store()->create_run(std::move(run)));
    gate_.run_id = created.id;
    return Status();
  }

  Status measure() {
    // With so few rows no result can pass: nobody looks at the test rows for nothing.
    if (gate_.rows < eval::fewest_rows(spec_.margin, spec_.alpha)) {
      gate_.rows_needed = eval::rows_needed(plan(0));
      return Status();
    }
    // The candidate first: its model is open.
    SLIPWAY_TRY(cases, evaluate(spec_.candidate, spec_.latency_p95_ms > 0, gate_.candidate_run));
    SLIPWAY_TRY(before, evaluate(spec_.against, false, gate_.against_run));
    gate_.comparison = eval::compare(before, cases);
    const auto& pairs = gate_.comparison.pairs;
    gate_.interval = eval::tango_interval(pairs, eval::normal_quantile(1 - spec_.alpha));
    gate_.p_value = eval::non_inferiority_p(pairs, spec_.margin);
    // Half a flip is added: none seen does not mean that there are none.
    const double discordance = (static_cast<double>(pairs.only_first + pairs.only_second) + 0.5) /
                               static_cast<double>(pairs.total() + 1);
    gate_.power = eval::non_inferiority_power(pairs.total(), plan(discordance));
    gate_.rows_needed = eval::rows_needed(plan(discordance));
    look_at(cases);
    if (rows_.split == "test") {
      SLIPWAY_TRY(looks, bench_.store()->looks(rows_.sha256));
      gate_.looks = looks;
    }
    return Status();
  }

  Result<std::vector<store::Case>> evaluate(const CandidateSpec& spec, bool fresh,
                                            std::string& run_id) {
    SLIPWAY_TRY(ready, bench_.prepare(spec));
    SLIPWAY_TRY(scorer, eval::make_scorer(dataset_.scorer, ready.candidate.skills));
    auto evaluation = bench_.evaluation(ready, rows_, *scorer);
    evaluation.parent_run_id = gate_.run_id;
    evaluation.use_answers = evaluation.resume = !fresh;
    evaluation.cancel = hooks_.cancel;
    if (hooks_.on_progress) {
      evaluation.on_progress = [&](const eval::Progress& p) { hooks_.on_progress(spec.name, p); };
    }
    SLIPWAY_TRY(result, eval::evaluate(evaluation));
    run_id = result.run_id;
    return bench_.store()->cases(result.run_id);
  }

  void look_at(const std::vector<store::Case>& cases) {
    std::vector<double> latencies;
    for (const auto& c : cases) {
      if (must_pass_.contains(c.example_id) && !c.passed)
        gate_.must_pass_wrong.push_back(c.example_id);
      if (!c.cached && !eval::failed(c)) latencies.push_back(c.latency_ms);
    }
    if (spec_.latency_p95_ms <= 0) return;
    gate_.latency_answers = static_cast<int64_t>(latencies.size());
    gate_.latency_p95_ms = eval::quantile(std::move(latencies), 0.95);
  }

  Status record() {
    auto& store = *bench_.store();
    SLIPWAY_TRY(evidence, store.put_object(gate_.to_json().dump()));
    const auto verdict = std::string(verdict_name(gate_.verdict));
    if (!gate_.candidate_run.empty()) {
      SLIPWAY_CHECK(store.log_metrics(gate_.run_id,
                                      {{"p_value", gate_.p_value},
                                       {"difference_low", gate_.interval.low},
                                       {"difference_high", gate_.interval.high},
                                       {"power", gate_.power},
                                       {"rows_needed", static_cast<double>(gate_.rows_needed)}}));
    }
    SLIPWAY_CHECK(store.set_tags(gate_.run_id, {{store::verdict_tag, verdict},
                                                {"evidence_object", evidence},
                                                {"candidate_run", gate_.candidate_run},
                                                {"against_run", gate_.against_run}}));
    return store.finish_run(gate_.run_id, store::RunStatus::finished);
  }

  Workbench& bench_;
  const GateSpec& spec_;
  const GateHooks& hooks_;
  DatasetSpec dataset_;
  dataset::Dataset rows_;
  std::set<std::string> must_pass_;
  Gate gate_;
};

}  // namespace

Result<Gate> run_gate(Workbench& bench, const GateSpec& spec, const GateHooks& hooks) {
  return Gatekeeper(bench, spec, hooks).run();
}

}  // namespace slipway::lab
