#include "lab/optimize.h"

#include <algorithm>
#include <set>

#include "base/clock.h"
#include "base/files.h"
#include "base/hash.h"
#include "lab/optimize_moves.h"
#include "lab/tuning_data.h"
#include "store/held_run.h"

namespace slipway::lab {
namespace {

constexpr size_t kFirstShare = 8;  // of dev, in the first round
constexpr size_t kFewestRows = 16;
constexpr size_t kMostFailing = 4;  // functions that moves look at

class Optimizer {
 public:
  Optimizer(Workbench& bench, const OptimizeSpec& spec, const OptimizeHooks& hooks)
      : bench_(bench), store_(*bench.store()), spec_(spec), hooks_(hooks) {}

  Result<Optimized> run() {
    SLIPWAY_CHECK(load());
    SLIPWAY_CHECK(open_run());
    started_ms_ = steady_ms();
    auto outcome = search();
    if (outcome.ok()) outcome = conclude();
    result_.spent_ms = spent_ms();
    SLIPWAY_CHECK(store_.log_metrics(result_.run_id, {{"spent_s", spent_ms() / 1000}}));
    SLIPWAY_CHECK(store_.end_run(result_.run_id, outcome));
    if (!outcome.ok()) return outcome.error();
    return std::move(result_);
  }

 private:
  double spent_ms() const { return earlier_ms_ + steady_ms() - started_ms_; }
  bool out_of_time() const { return spent_ms() >= spec_.minutes * 60'000; }

  Result<dataset::Dataset> load_rows(const std::string& name, std::string* scorer) {
    SLIPWAY_TRY(found, bench_.project().dataset(name));
    if (found.split == "test") {
      return Error::invalid_input("'" + name +
                                      "' is a test split: a prompt chosen by it can no "
                                      "longer be measured with it",
                                  "give a train and a dev split");
    }
    if (scorer) *scorer = found.scorer;
    return dataset::load_dataset(bench_.project().path(found.path));
  }

  Status load() {
    if (spec_.train == spec_.dev)
      return Error::invalid_input("train and dev are one dataset", "give two");
    std::string scorer;
    SLIPWAY_TRY(train, load_rows(spec_.train, nullptr));
    SLIPWAY_TRY(dev, load_rows(spec_.dev, &scorer));
    if (dev.examples.size() < kFewestRows) {
      return Error::invalid_input(
          "'" + spec_.dev + "' has " + std::to_string(dev.examples.size()) + " rows",
          "16 are the fewest that tell two prompts apart");
    }
    SLIPWAY_TRY(ready, bench_.prepare(spec_.candidate));
    ready_ = std::move(ready);
    SLIPWAY_TRY(made, eval::make_scorer(scorer, ready_.candidate.skills));
    scorer_ = std::move(made);
    SLIPWAY_TRY(parts, PromptParts::of(ready_.candidate.prompt.source));
    result_.attempts.push_back({.number = 0, .what = "the prompt it began with", .parts = parts});
    train_sha256_ = train.sha256;
    SLIPWAY_CHECK(leave_out_held(train, dev));
    pool_ = std::make_unique<ExamplePool>(train.examples, spec_.seed);
    dev_ = std::move(dev);
    std::mt19937_64 random(spec_.seed);
    for (size_t i = dev_.examples.size(); i > 1; --i)
      std::swap(dev_.examples[i - 1], dev_.examples[random() % i]);
    return {};
  }

  // Rows of dev and test are not shown in a prompt that is measured with them.
  Status leave_out_held(dataset::Dataset& train, const dataset::Dataset& dev) {
    std::vector<dataset::Dataset> held;
    for (const auto& other : bench_.project().datasets) {
      if (other.split != "dev" && other.split != "test") continue;
      SLIPWAY_TRY(rows,
                  dataset::load_dataset(bench_.project().path(other.path), {.strict = false}));
      held.push_back(std::move(rows));
    }
    std::vector<const dataset::Dataset*> all = {&dev};
    for (const auto& rows : held) all.push_back(&rows);
    const HeldOut out(all);
    std::erase_if(train.examples, [&](const auto& row) { return out.contains(row); });
    if (!train.examples.empty()) return {};
    return Error::invalid_input("no row of '" + spec_.train + "' is left",
                                "its rows are all rows of dev or test");
  }

  json::Value inputs() const {
    auto others = json::Value::array();
    for (const auto& text : spec_.instructions) others.push_back(text);
    auto value = json::Value::object();
    value.set("candidate", ready_.candidate.id())
        .set("candidate_name", spec_.candidate.name)
        .set("dataset_sha256", dev_.sha256)
        .set("train_sha256", train_sha256_)
        .set("scorer", scorer_->id())
        .set("engine_id", ready_.model->info().engine_id)
        .set("instructions", std::move(others))
        .set("minutes", spec_.minutes)
        .set("attempts", spec_.attempts)
        .set("alpha", spec_.alpha)
        .set("seed", spec_.seed);
    return value;
  }

  // Continues the newest unfinished search of the same inputs whose process is gone, or begins one.
  Status open_run() {
    store::Run run;
    run.experiment = bench_.project().name;
    run.kind = "optimize";
    run.name = spec_.name;
    run.inputs = inputs();
    run.environment = bench_.environment_of(*ready_.model);
    SLIPWAY_TRY(held, store::continue_or_begin(store_, std::move(run)));
    held_ = std::move(held);
    result_.run_id = held_->run.id;
    result_.resumed = held_->resumed;
    SLIPWAY_TRY(tags, store_.tags(result_.run_id));
    measured_ = std::move(tags);
    SLIPWAY_TRY(metrics, store_.latest_metrics(result_.run_id));
    if (metrics.contains("spent_s")) earlier_ms_ = metrics.at("spent_s") * 1000;
    return {};
  }

  // Until the time is over, or a whole generation brings nothing new.
  Status search() {
    SLIPWAY_TRY(measured, measure(0, dev_.examples.size()));
    if (!measured) return out_of_budget();
    int idle = 0;
    for (int generation = 0; !out_of_time() && idle < 2; ++generation) {
      const auto before = best_;
      SLIPWAY_TRY(decided, run_generation(generation));
      if (!decided) break;
      ++result_.generations;
      idle = best_ == before ? idle + 1 : 0;
    }
    return {};
  }

  Error out_of_budget() const {
    return Error::exhausted("the minutes were over before the first prompt had answered dev",
                            "give more --minutes; the same command continues from here");
  }

  // The functions that the best gets wrong most often.
  Result<std::vector<std::string>> failing() {
    SLIPWAY_TRY(cases, store_.cases(result_.attempts[best_].run_id));
    std::map<std::string, int> wrong;
    for (const auto& c : cases)
      if (!c.passed) ++wrong[function_of(c.detail.text("expected"))];
    std::vector<std::pair<int, std::string>> order;
    for (const auto& [function, count] : wrong) order.emplace_back(-count, function);
    std::sort(order.begin(), order.end());
    std::vector<std::string> names;
    for (size_t i = 0; i < std::min(kMostFailing, order.size()); ++i)
      names.push_back(order[i].second);
    return names;
  }

  // False: the time was over before it was decided.
  Result<bool> run_generation(int generation) {
    SLIPWAY_TRY(wrong, failing());
    std::vector<size_t> racing;
    for (int i = 0; i < spec_.attempts; ++i) {
      auto move = make_move(result_.attempts[best_].parts, *pool_, spec_.instructions, wrong,
                            spec_.seed, generation, i);
      if (!seen_.insert(move.parts.source()).second) continue;
      const auto number = static_cast<int>(result_.attempts.size());
      racing.push_back(result_.attempts.size());
      result_.attempts.push_back({number, std::move(move.what), std::move(move.parts)});
    }
    size_t rows = std::max(kFewestRows, dev_.examples.size() / kFirstShare);
    while (!racing.empty()) {
      rows = std::min(rows, dev_.examples.size());
      for (const auto attempt : racing) {
        SLIPWAY_TRY(measured, measure(attempt, rows));
        if (!measured) return false;
      }
      SLIPWAY_CHECK(halve(racing));
      if (rows == dev_.examples.size()) break;
      rows *= 2;
    }
    if (!racing.empty() && better(racing.front(), best_)) best_ = racing.front();
    return true;
  }

  bool better(size_t a, size_t b) const {
    return result_.attempts[a].passed > result_.attempts[b].passed;
  }

  // Keeps the better half, and of it whoever is not shown to be worse than the leader.
  Status halve(std::vector<size_t>& racing) {
    std::stable_sort(racing.begin(), racing.end(),
                     [&](size_t a, size_t b) { return better(a, b); });
    racing.resize((racing.size() + 1) / 2);
    SLIPWAY_TRY(leading, store_.cases(result_.attempts[racing.front()].run_id));
    std::vector<size_t> kept;
    for (const auto attempt : racing) {
      SLIPWAY_TRY(cases, store_.cases(result_.attempts[attempt].run_id));
      const auto paired = eval::compare(leading, cases);
      const bool worse =
          paired.p_value <= spec_.alpha && paired.pairs.only_first > paired.pairs.only_second;
      if (!worse) kept.push_back(attempt);
    }
    racing = std::move(kept);
    return {};
  }

  // The attempt on the first rows of dev, once; false: the time is over.
  Result<bool> measure(size_t index, size_t rows) {
    auto& attempt = result_.attempts[index];
    auto ready = ready_;
    ready.candidate.prompt.source = attempt.parts.source();
    if (index > 0) {
      ready.candidate.prompt.name = spec_.name + " " + std::to_string(index);
      ready.candidate.name = spec_.candidate.name + ", attempt " + std::to_string(index);
    }
    seen_.insert(ready.candidate.prompt.source);
    attempt.candidate_id = ready.candidate.id();
    const auto key = "measured." + short_id(attempt.candidate_id) + "." + std::to_string(rows);
    auto known = measured_.find(key);
    if (known == measured_.end()) {
      if (out_of_time()) return false;
      SLIPWAY_TRY(run_id, answer(attempt, ready, rows));
      if (run_id.empty()) return false;
      known = measured_.emplace(key, run_id).first;
      SLIPWAY_CHECK(store_.set_tags(result_.run_id, {{key, run_id}}));
    }
    attempt.run_id = known->second;
    attempt.rows = static_cast<int64_t>(rows);
    SLIPWAY_TRY(cases, store_.cases(attempt.run_id));
    attempt.passed =
        std::count_if(cases.begin(), cases.end(), [](const auto& c) { return c.passed; });
    SLIPWAY_CHECK(store_.log_metrics(
        result_.run_id,
        {{"exact_match.rows_" + std::to_string(rows),
          static_cast<double>(attempt.passed) / static_cast<double>(rows), attempt.number, 1},
         {"spent_s", spent_ms() / 1000}}));
    if (hooks_.on_attempt) hooks_.on_attempt(attempt);
    return true;
  }

  // The run's id; empty: the time was over in the middle of it.
  Result<std::string> answer(const Attempt& attempt, const Ready& ready, size_t rows) {
    dataset::Dataset some = dev_;
    some.examples.resize(rows);
    some.sha256 = sha256_hex(dataset::to_jsonl(some.examples));
    CancelSource stop;
    auto evaluation = bench_.evaluation(ready, some, *scorer_);
    evaluation.parent_run_id = result_.run_id;
    evaluation.cancel = stop.token();
    evaluation.on_progress = [&](const eval::Progress& progress) {
      if (hooks_.cancel.cancelled() || out_of_time()) stop.cancel();
      if (hooks_.on_progress) hooks_.on_progress(attempt, progress, spent_ms());
    };
    auto result = eval::evaluate(evaluation);
    if (result.ok()) return result->run_id;
    const bool stopped = result.error().code() == ErrorCode::cancelled;
    if (stopped && !hooks_.cancel.cancelled()) return std::string();
    return result.error();
  }

  // Both have answered all of dev.
  Status conclude() {
    result_.best = result_.attempts[best_];
    SLIPWAY_TRY(first, store_.cases(result_.attempts[0].run_id));
    SLIPWAY_TRY(second, store_.cases(result_.best.run_id));
    result_.comparison = eval::compare(first, second);
    result_.adopted = spec_.candidate;
    if (best_ > 0) {
      const auto prompt = "prompts/" + spec_.name + ".jinja";
      result_.path = bench_.project().path(prompt);
      SLIPWAY_CHECK(files::write_atomic(result_.path, result_.best.parts.source()));
      result_.adopted.prompt = prompt;
      result_.adopted.name = spec_.name;
    }
    SLIPWAY_TRY(evidence, store_.put_object(result_.to_json().dump()));
    SLIPWAY_CHECK(store_.log_metrics(result_.run_id,
                                     {{"exact_match", static_cast<double>(result_.best.passed) /
                                                          static_cast<double>(result_.best.rows)},
                                      {"attempts", static_cast<double>(result_.attempts.size())}}));
    return store_.set_tags(result_.run_id, {{"best_candidate", result_.best.candidate_id},
                                            {"best_run", result_.best.run_id},
                                            {"evidence_object", evidence}});
  }

  Workbench& bench_;
  store::Store& store_;
  const OptimizeSpec& spec_;
  const OptimizeHooks& hooks_;
  Ready ready_;
  std::unique_ptr<eval::Scorer> scorer_;
  std::unique_ptr<ExamplePool> pool_;
  dataset::Dataset dev_;  // in the order of the search
  std::string train_sha256_;
  Optimized result_;
  std::optional<store::HeldRun> held_;
  std::map<std::string, std::string> measured_;  // candidate and rows -> run
  std::set<std::string> seen_;                   // prompts
  size_t best_ = 0;
  double started_ms_ = 0, earlier_ms_ = 0;
};

}  // namespace

json::Value Optimized::to_json() const {
  const auto json_of = [](const Attempt& a) {
    auto value = json::Value::object();
    value.set("number", a.number)
        .set("what", a.what)
        .set("candidate", a.candidate_id)
        .set("run_id", a.run_id)
        .set("rows", a.rows)
        .set("passed", a.passed);
    return value;
  };
  auto list = json::Value::array();
  for (const auto& attempt : attempts) list.push_back(json_of(attempt));
  auto value = json::Value::object();
  value.set("run_id", run_id)
      .set("resumed", resumed)
      .set("generations", generations)
      .set("attempts", std::move(list))
      .set("best", json_of(best))
      .set("comparison", comparison.to_json())
      .set("prompt", path)
      .set("spent_s", spent_ms / 1000);
  return value;
}

Result<Optimized> optimize(Workbench& bench, const OptimizeSpec& spec, const OptimizeHooks& hooks) {
  return Optimizer(bench, spec, hooks).run();
}

}  // namespace slipway::lab
