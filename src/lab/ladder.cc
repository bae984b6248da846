#include "lab/ladder.h"

#include "lab/tuned_candidate.h"

namespace slipway::lab {
namespace {

Result<Rung> climb_rung(Workbench& bench, const CandidateSpec& spec,
                        const DatasetSpec& dataset_spec, const dataset::Dataset& rows,
                        const std::string& parent, const ClimbOptions& options) {
  auto hooks = options.tune_hooks;
  hooks.cancel = options.cancel;
  SLIPWAY_CHECK(make_adapter(bench, spec, hooks));
  SLIPWAY_TRY(ready, bench.prepare(spec));
  SLIPWAY_TRY(scorer, eval::make_scorer(dataset_spec.scorer, ready.candidate.skills));
  auto evaluation = bench.evaluation(ready, rows, *scorer);
  evaluation.parent_run_id = parent;
  evaluation.use_answers = evaluation.resume = !options.fresh;
  evaluation.cancel = options.cancel;
  if (options.on_progress) {
    evaluation.on_progress = [&](const eval::Progress& progress) {
      options.on_progress(spec, progress);
    };
  }
  SLIPWAY_TRY(result, eval::evaluate(evaluation));
  return Rung{spec, ready.candidate.id(), std::move(result)};
}

}  // namespace

Result<Climb> climb(Workbench& bench, const ClimbOptions& options) {
  const auto& project = bench.project();
  if (project.ladder.rungs.empty()) {
    return Error::invalid_input("slipway.toml has no ladder",
                                "add [ladder] with dataset = \"test\" and rungs = [...]");
  }
  SLIPWAY_TRY(dataset_spec, project.dataset(project.ladder.dataset));
  SLIPWAY_TRY(rows, dataset::load_dataset(project.path(dataset_spec.path)));
  store::Run parent;
  parent.experiment = project.name;
  parent.kind = "ladder";
  parent.name = "ladder";
  parent.inputs = json::Value::object();
  parent.inputs.set("dataset", dataset_spec.name).set("dataset_sha256", rows.sha256);
  SLIPWAY_TRY(run, bench.store()->create_run(std::move(parent)));

  Climb climb{run.id, {}};
  for (const auto& name : project.ladder.rungs) {
    SLIPWAY_TRY(spec, project.candidate(name));
    auto rung = climb_rung(bench, spec, dataset_spec, rows, run.id, options);
    if (!rung.ok()) {
      SLIPWAY_CHECK(bench.store()->end_run(run.id, rung.error()));
      return rung.error();
    }
    SLIPWAY_CHECK(bench.store()->log_metrics(
        run.id, {{"exact_match." + name, rung->result.report.exact.rate()}}));
    if (options.on_rung) options.on_rung(*rung);
    climb.rungs.push_back(std::move(rung).value());
  }
  SLIPWAY_CHECK(bench.store()->finish_run(run.id, store::RunStatus::finished));
  return climb;
}

}  // namespace slipway::lab
