#include "lab/sweep.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "base/files.h"
#include "base/hash.h"
#include "model/weights.h"
#include "store/held_run.h"

namespace slipway::lab {
namespace {

constexpr size_t kFewestRows = 64;

class Sweeping {
 public:
  Sweeping(Workbench& bench, const SweepSpec& spec, const SweepHooks& hooks)
      : bench_(bench), store_(*bench.store()), spec_(spec), hooks_(hooks) {
    result_.arms = spec.arms;
  }

  Result<Swept> run() {
    if (spec_.arms.size() < 2)
      return Error::invalid_input("there is one setting only", "give several: --rank 4,16");
    if (spec_.arms[0].tune.dev.empty())
      return Error::invalid_input("a sweep needs a dev split", "name one with --dev");
    SLIPWAY_TRY(dataset, rows_of(spec_.arms[0].tune.dataset));
    all_rows_ = dataset.examples.size();
    SLIPWAY_CHECK(open_run(dataset));
    auto outcome = spec_.halve ? race() : train_all();
    if (outcome.ok()) outcome = deliver();
    SLIPWAY_CHECK(store_.end_run(result_.run_id, outcome));
    if (!outcome.ok()) return outcome.error();
    return std::move(result_);
  }

 private:
  Result<dataset::Dataset> rows_of(const std::string& name) {
    SLIPWAY_TRY(known, bench_.project().dataset(name));
    return dataset::load_dataset(bench_.project().path(known.path));
  }

  // All that the arms' figures depend on: an interrupted sweep goes on with the same, or not.
  Result<json::Value> inputs_of(const dataset::Dataset& rows) {
    auto arms = json::Value::array();
    for (const auto& arm : spec_.arms) {
      auto value = arm.tune.settings.to_json();
      value.set("limit", arm.tune.limit)
          .set("copies", arm.tune.copies)
          .set("whole_vocabulary", arm.tune.whole_vocabulary)
          .set("max_tokens", arm.tune.settings.train.max_tokens);
      arms.push_back(std::move(value));
    }
    const auto& tune = spec_.arms[0].tune;
    SLIPWAY_TRY(dev, rows_of(tune.dev));
    CandidateSpec base;
    base.model = tune.model;
    SLIPWAY_TRY(weights, bench_.weights_path(base));
    SLIPWAY_TRY(weights_sha256, model::weights_sha256(weights));
    std::string prompt(minimal_prompt);
    if (tune.prompt != "none") {
      SLIPWAY_TRY(text, files::read(bench_.project().path(tune.prompt)));
      prompt = text;
    }
    auto value = json::Value::object();
    value.set("dataset", rows.name)
        .set("dataset_sha256", rows.sha256)
        .set("dev", tune.dev)
        .set("dev_sha256", dev.sha256)
        .set("model", tune.model)
        .set("weights_sha256", weights_sha256)
        .set("prompt", tune.prompt)
        .set("prompt_sha256", sha256_hex(prompt))
        .set("halve", spec_.halve)
        .set("name", spec_.name)
        .set("arms", std::move(arms));
    return value;
  }

  Status open_run(const dataset::Dataset& rows) {
    store::Run run;
    run.experiment = bench_.project().name;
    run.kind = "sweep";
    run.name = spec_.name;
    SLIPWAY_TRY(inputs, inputs_of(rows));
    run.inputs = std::move(inputs);
    run.environment = bench_.environment();
    SLIPWAY_TRY(held, store::continue_or_begin(store_, std::move(run)));
    held_ = std::move(held);
    result_.run_id = held_->run.id;
    result_.resumed = held_->resumed;
    SLIPWAY_TRY(tags, store_.tags(result_.run_id));
    done_ = std::move(tags);
    return {};
  }

  Status race() {
    std::vector<size_t> racing(result_.arms.size());
    std::iota(racing.begin(), racing.end(), size_t{0});
    for (const auto rows : race_rows(racing.size(), all_rows_, kFewestRows)) {
      for (const auto index : racing) SLIPWAY_CHECK(train(index, rows));
      std::stable_sort(racing.begin(), racing.end(), [&](size_t a, size_t b) {
        const auto &one = result_.arms[a], &other = result_.arms[b];
        if (one.diverged != other.diverged) return other.diverged;
        return one.score > other.score;
      });
      if (rows == all_rows_) break;
      for (size_t i = (racing.size() + 1) / 2; i < racing.size(); ++i)
        result_.arms[racing[i]].raced = false;
      racing.resize((racing.size() + 1) / 2);
    }
    result_.best = racing.front();
    return {};
  }

  Status train_all() {
    std::map<size_t, double> best;
    for (size_t i = 0; i < result_.arms.size(); ++i) {
      const auto& arm = result_.arms[i];
      SLIPWAY_CHECK(train(i, arm.tune.limit ? std::min(arm.tune.limit, all_rows_) : all_rows_));
      if (arm.diverged) continue;
      const auto& leader = result_.arms[result_.best];
      if (leader.diverged || arm.score > leader.score) result_.best = i;
      auto& point = best[arm.examples];
      point = std::max(point, arm.score);
    }
    result_.curve.assign(best.begin(), best.end());
    if (best.size() < 2) return {};
    std::vector<store::Metric> metrics;
    for (const auto& [examples, score] : best)
      metrics.push_back({"scaling.dev_exact_match", score, static_cast<int64_t>(examples), 1});
    return store_.log_metrics(result_.run_id, metrics);
  }

  // One training, once: what an earlier sitting finished is read from its run.
  Status train(size_t index, size_t rows) {
    auto& arm = result_.arms[index];
    const auto trained = "trained." + std::to_string(index) + "." + std::to_string(rows);
    const auto diverged = "diverged." + std::to_string(index);
    if (!done_.contains(trained) && !done_.contains(diverged)) {
      SLIPWAY_CHECK(tune(arm, index, rows));
      const auto& key = arm.diverged ? diverged : trained;
      done_[key] = arm.run_id;
      SLIPWAY_CHECK(store_.set_tags(result_.run_id, {{key, arm.run_id}}));
    }
    arm.diverged = done_.contains(diverged);
    arm.run_id = done_[arm.diverged ? diverged : trained];
    SLIPWAY_CHECK(read(arm));
    SLIPWAY_CHECK(
        store_.log_metrics(result_.run_id, {{"dev_exact_match.rows_" + std::to_string(rows),
                                             arm.score, static_cast<int64_t>(index), 1}}));
    if (hooks_.on_arm) hooks_.on_arm(arm);
    return {};
  }

  Status tune(SweepArm& arm, size_t index, size_t rows) {
    auto spec = arm.tune;
    spec.name = spec_.name + "-" + std::to_string(index + 1);
    spec.out = "adapters/" + spec.name + ".gguf";
    spec.limit = rows == all_rows_ ? 0 : rows;
    spec.parent_run_id = result_.run_id;
    spec.resume = true;  // of a sitting that was killed in the middle of it
    std::string run_id;
    auto hooks = hooks_.tune;
    hooks.on_run = [&](const std::string& begun) { run_id = begun; };
    auto tuned = tune_candidate(bench_, spec, hooks);
    if (!tuned.ok() && tuned.error().code() == ErrorCode::not_found) {
      spec.resume = false;
      tuned = tune_candidate(bench_, spec, hooks);
    }
    if (!tuned.ok()) return lost(arm, tuned.error(), run_id);
    arm.run_id = tuned->fitted.run_id;
    // The store has it: a sweep leaves one adapter in the project, the best.
    return files::remove_all(tuned->fitted.adapter_path);
  }

  // A loss that leaves all bounds is a result of the setting; whatever else fails ends the sweep.
  Status lost(SweepArm& arm, const Error& error, const std::string& run_id) {
    if (run_id.empty()) return error.in(arm.label);
    SLIPWAY_TRY(tags, store_.tags(run_id));
    if (tags[diverged_tag] != "1") return error.in(arm.label);
    arm.diverged = true;
    arm.run_id = run_id;
    return {};
  }

  Status read(SweepArm& arm) {
    SLIPWAY_TRY(run, store_.find_run(arm.run_id));
    arm.examples = static_cast<size_t>(run.inputs.number("examples"));
    SLIPWAY_TRY(scores, store_.metric_history(arm.run_id, "dev_exact_match"));
    arm.score = 0;
    for (const auto& score : scores) arm.score = std::max(arm.score, score.value);
    SLIPWAY_TRY(metrics, store_.latest_metrics(arm.run_id));
    arm.train_s = metrics.contains("train_s") ? metrics.at("train_s") : 0;
    if (arm.diverged) arm.score = 0, arm.raced = false;
    return {};
  }

  Status deliver() {
    const auto& best = result_.arms[result_.best];
    if (best.diverged)
      return Error::exhausted("every setting diverged", "sweep lower rates with --lr");
    SLIPWAY_TRY(tags, store_.tags(best.run_id));
    SLIPWAY_TRY(bytes, store_.get_object(tags["adapter_sha256"]));
    auto& spec = result_.adopted;
    spec.name = spec_.name;
    spec.model = best.tune.model;
    spec.adapters = {"adapters/" + spec_.name + ".gguf"};
    spec.prompt = best.tune.prompt;
    SLIPWAY_TRY(dataset, bench_.project().dataset(best.tune.dev));
    spec.constrain = dataset.scorer == "call" && !best.tune.whole_vocabulary;
    SLIPWAY_CHECK(files::write_atomic(bench_.project().path(spec.adapters[0]), bytes));
    if (spec.prompt == "none") {
      spec.prompt = "adapters/" + spec_.name + ".jinja";
      SLIPWAY_CHECK(files::write_atomic(bench_.project().path(spec.prompt), minimal_prompt));
    }
    SLIPWAY_CHECK(store_.log_metrics(result_.run_id, {{"dev_exact_match", best.score}}));
    return store_.set_tags(result_.run_id,
                           {{"best_run", best.run_id}, {"adapter_sha256", tags["adapter_sha256"]}});
  }

  Workbench& bench_;
  store::Store& store_;
  const SweepSpec& spec_;
  const SweepHooks& hooks_;
  Swept result_;
  std::optional<store::HeldRun> held_;
  std::map<std::string, std::string> done_;  // arm and rows -> run
  size_t all_rows_ = 0;
};

}  // namespace

std::vector<size_t> race_rows(size_t arms, size_t all, size_t fewest) {
  std::vector<size_t> rows = {all};
  for (size_t left = arms; left > 1; left = (left + 1) / 2) {
    const size_t half = rows.front() / 2;
    if (half < fewest) break;
    rows.insert(rows.begin(), half);
  }
  return rows;
}

json::Value Swept::to_json() const {
  auto list = json::Value::array(), points = json::Value::array();
  for (const auto& arm : arms) {
    auto value = json::Value::object();
    value.set("label", arm.label)
        .set("run_id", arm.run_id)
        .set("examples", arm.examples)
        .set("dev_exact_match", arm.score)
        .set("train_s", arm.train_s)
        .set("raced_to_the_end", arm.raced)
        .set("diverged", arm.diverged);
    list.push_back(std::move(value));
  }
  for (const auto& [examples, score] : curve) {
    auto point = json::Value::object();
    points.push_back(point.set("examples", examples).set("dev_exact_match", score));
  }
  auto value = json::Value::object();
  value.set("run_id", run_id)
      .set("resumed", resumed)
      .set("arms", std::move(list))
      .set("best", best)
      .set("curve", std::move(points))
      .set("candidate", to_toml(adopted));
  return value;
}

Result<Swept> run_sweep(Workbench& bench, const SweepSpec& spec, const SweepHooks& hooks) {
  return Sweeping(bench, spec, hooks).run();
}

}  // namespace slipway::lab
