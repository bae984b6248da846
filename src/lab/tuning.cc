#include "lab/tuning.h"

#include "base/files.h"
#include "base/hash.h"
#include "base/text.h"
#include "dataset/vary.h"

namespace slipway::lab {
namespace {

// Paths inside the project are written as slipway.toml has them.
std::string inside(const Project& project, const std::string& path) {
  const auto whole = project.path(path), root = project.folder + "/";
  return starts_with(whole, root) ? whole.substr(root.size()) : whole;
}

class Tuning {
 public:
  Tuning(Workbench& bench, const TuneSpec& spec, const TuneHooks& hooks)
      : bench_(bench), project_(bench.project()), t_(spec), hooks_(hooks) {}

  Result<Tuned> run() {
    SLIPWAY_CHECK(load_rows());
    SLIPWAY_CHECK(make_spec());
    SLIPWAY_TRY(weights, bench_.weights_path(tuned_.spec));
    Fit fit;
    SLIPWAY_CHECK(read_tokens(fit));
    if (hooks_.on_data) hooks_.on_data(data_);
    fit.weights_path = weights;
    fit.examples = &data_.examples;
    fit.settings = t_.settings;
    fit.store = bench_.store();
    fit.experiment = project_.name;
    fit.name = t_.name;
    fit.parent_run_id = t_.parent_run_id;
    fit.adapter_path = project_.path(tuned_.spec.adapters[0]);
    fit.metadata = {{"general.name", t_.name}, {"general.base_model.0.name", t_.model}};
    fit.checkpoint_steps = t_.checkpoint_steps;
    fit.resume = t_.resume;
    fit.on_run = hooks_.on_run;
    fit.on_progress = hooks_.on_progress;
    fit.on_epoch = hooks_.on_epoch;
    fit.cancel = hooks_.cancel;
    if (!dev_.examples.empty())
      fit.judge = [this](const FitEpoch& epoch) { return exact_match(epoch); };
    SLIPWAY_TRY(fitted, run_fit(fit));
    tuned_.fitted = std::move(fitted);
    tuned_.examples = data_.examples.size();
    tuned_.skipped = std::move(data_.skipped);
    return std::move(tuned_);
  }

 private:
  Status load_rows() {
    SLIPWAY_TRY(found, project_.dataset(t_.dataset));
    if (found.split == "test") {
      return Error::invalid_input("'" + found.name + "' is a test split: what is learnt from it " +
                                      "can no longer be measured with it",
                                  "give a train split");
    }
    dataset_ = found;
    SLIPWAY_TRY(rows, dataset::load_dataset(project_.path(found.path), {.max_rows = t_.limit}));
    rows_ = std::move(rows);
    if (t_.copies > 0)
      rows_.examples = dataset::vary(rows_.examples, *project_.skills,
                                     {.copies = t_.copies, .seed = t_.settings.train.seed});
    if (!t_.dev.empty()) {
      SLIPWAY_TRY(dev, project_.dataset(t_.dev));
      SLIPWAY_TRY(dev_rows, dataset::load_dataset(project_.path(dev.path)));
      dev_ = std::move(dev_rows);
      dev_scorer_ = dev.scorer;
    }
    std::vector<dataset::Dataset> others;
    for (const auto& other : project_.datasets) {
      const bool held = other.split == "dev" || other.split == "test";
      if (!held || project_.path(other.path) == project_.path(found.path)) continue;
      SLIPWAY_TRY(other_rows, dataset::load_dataset(project_.path(other.path), {.strict = false}));
      others.push_back(std::move(other_rows));
    }
    std::vector<const dataset::Dataset*> all = {&dev_};
    for (const auto& other : others) all.push_back(&other);
    held_out_ = HeldOut(all);
    return {};
  }

  Status make_spec() {
    auto& spec = tuned_.spec;
    spec.name = t_.name;
    spec.model = t_.model;
    spec.prompt = inside(project_, t_.prompt);
    spec.adapters = {inside(project_, t_.out.empty() ? "adapters/" + t_.name + ".gguf" : t_.out)};
    spec.constrain = dataset_.scorer == "call" && !t_.whole_vocabulary;
    // Before the training, not after it, a place that cannot be written is told.
    SLIPWAY_CHECK(files::make_directories(files::parent(project_.path(spec.adapters[0]))));
    if (t_.prompt != "none") return {};
    spec.prompt = "adapters/" + t_.name + ".jinja";
    return files::write_atomic(project_.path(spec.prompt), minimal_prompt);
  }

  // Of the engine's model the vocabulary alone: the trainer reads the weights itself.
  Status read_tokens(Fit& fit) {
    auto base = tuned_.spec;
    base.adapters.clear();
    SLIPWAY_TRY(ready, bench_.prepare(base, Opening::vocabulary));
    const TuningDataOptions options{.calls = dataset_.scorer == "call",
                                    .choices = !t_.whole_vocabulary,
                                    .max_tokens = t_.settings.train.max_tokens};
    SLIPWAY_TRY(data, tuning_data(ready.candidate, *ready.model, rows_, held_out_, options));
    data_ = std::move(data);
    fit.inputs = json::Value::object();
    fit.inputs.set("model", t_.model)
        .set("weights_sha256", ready.candidate.model.weights_sha256)
        .set("prompt", ready.candidate.prompt.name)
        .set("prompt_sha256", sha256_hex(ready.candidate.prompt.source))
        .set("dataset", rows_.name)
        .set("dataset_sha256", rows_.sha256)
        .set("tokens_sha256", data_.sha256)
        .set("copies", t_.copies)
        .set("chosen_from", chosen_from(tuned_.spec.constrain))
        .set("dev_sha256", dev_.sha256);
    fit.environment = bench_.environment_of(*ready.model);
    bench_.close_model();
    return {};
  }

  Result<double> exact_match(const FitEpoch& epoch) {
    auto spec = tuned_.spec;
    spec.adapters = {epoch.adapter_path};
    SLIPWAY_TRY(ready, bench_.prepare(spec));
    SLIPWAY_TRY(scorer, eval::make_scorer(dev_scorer_, ready.candidate.skills));
    auto evaluation = bench_.evaluation(ready, dev_, *scorer);
    evaluation.candidate.name += ", epoch " + std::to_string(epoch.epoch);
    evaluation.parent_run_id = epoch.run_id;
    evaluation.on_progress = hooks_.on_dev;
    evaluation.cancel = hooks_.cancel;
    auto result = eval::evaluate(evaluation);
    bench_.close_model();
    if (!result.ok()) return result.error().in("evaluation on dev");
    return result->report.exact.rate();
  }

  Workbench& bench_;
  const Project& project_;
  const TuneSpec& t_;
  const TuneHooks& hooks_;
  DatasetSpec dataset_;
  dataset::Dataset rows_, dev_;
  std::string dev_scorer_;
  HeldOut held_out_;
  TuningData data_;
  Tuned tuned_;
};

}  // namespace

Result<Tuned> tune_candidate(Workbench& bench, const TuneSpec& spec, const TuneHooks& hooks) {
  return Tuning(bench, spec, hooks).run();
}

}  // namespace slipway::lab
