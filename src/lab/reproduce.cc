#include "lab/reproduce.h"

#include <algorithm>
#include <map>
#include <sstream>

#include "base/hash.h"
#include "candidate/stored.h"
#include "lab/releases.h"
#include "model/weights.h"

namespace slipway::lab {
namespace {

// "call" of "call/2".
std::string scorer_name(const std::string& id) { return id.substr(0, id.find('/')); }

class Reproducer {
 public:
  Reproducer(Workbench& bench, store::Run run, const ReproduceOptions& options)
      : bench_(bench), run_(std::move(run)), options_(options) {
    result_.of_run = run_.id;
  }

  Result<Reproduction> run() {
    SLIPWAY_TRY(recorded, bench_.store()->cases(run_.id));
    recorded_ = std::move(recorded);
    result_.cases = static_cast<int64_t>(recorded_.size());
    if (!verify_inputs() || options_.verify_only) return std::move(result_);
    SLIPWAY_CHECK(begin());
    const auto outcome = candidate_.pinned() ? compute() : replay();
    result_.computed = outcome.ok();
    if (outcome.ok()) SLIPWAY_CHECK(record());
    SLIPWAY_CHECK(bench_.store()->end_run(result_.run_id, outcome));
    if (!outcome.ok()) return outcome.error();
    return std::move(result_);
  }

 private:
  std::string recorded_input(const std::string& key) const { return run_.inputs.text(key); }

  // Notes what was found for an input; false, and the reason, when it is another.
  bool check(const std::string& input, const std::string& found, const std::string& why) {
    result_.checks.push_back({input, recorded_input(input), found});
    if (result_.checks.back().same()) return true;
    return differs(input, why);
  }
  bool differs(const std::string& what, const std::string& why) {
    if (result_.first_difference.empty()) result_.first_difference = what, result_.why = why;
    return false;
  }

  // In the order in which they decide; the first that differs ends it.
  bool verify_inputs() {
    return verify_candidate() && verify_rows() && verify_scorer() && verify_model();
  }

  bool verify_candidate() {
    const auto object = recorded_input("candidate_object");
    auto text = object.empty() ? stored_entity() : bench_.store()->get_object(object);
    if (!text.ok()) return differs("candidate", text.error().to_string());
    auto candidate = candidate::read_candidate(*text, recorded_input("candidate_name"));
    if (!candidate.ok()) return differs("candidate", candidate.error().to_string());
    candidate_ = std::move(candidate).value();
    return check("candidate", candidate_.id(), "the stored candidate has another id") &&
           check("prompt_sha256", sha256_hex(candidate_.prompt.source),
                 "the stored prompt is another");
  }

  // Runs from before there were objects of candidates.
  Result<std::string> stored_entity() const {
    SLIPWAY_TRY(entity, bench_.store()->find_entity("candidate", recorded_input("candidate")));
    return entity.content.dump();
  }

  bool verify_rows() {
    auto rows = stored_rows();
    if (!rows.ok()) return differs("dataset_sha256", rows.error().to_string());
    rows_ = std::move(rows).value();
    rows_.name = recorded_input("dataset");
    rows_.split = recorded_input("split");
    const auto fits = [&](const store::Case& c) {
      const auto at = static_cast<size_t>(c.index);
      return at < rows_.examples.size() && rows_.examples[at].id == c.example_id;
    };
    if (std::all_of(recorded_.begin(), recorded_.end(), fits)) return true;
    return differs("dataset_sha256", "the rows are not those of the run's cases");
  }

  // The store's, whose hash is the run's; else the project's of the same hash.
  Result<dataset::Dataset> stored_rows() {
    if (const auto object = recorded_input("rows_object"); !object.empty()) {
      SLIPWAY_TRY(text, bench_.store()->get_object(object));
      std::istringstream stream(text);
      SLIPWAY_TRY(rows, dataset::read_dataset(stream, "stored rows"));
      rows.sha256 = recorded_input("dataset_sha256");
      result_.checks.push_back({"rows_object", object, sha256_hex(text)});
      return rows;
    }
    const auto wanted = recorded_input("dataset_sha256");
    for (const auto& spec : bench_.project().datasets) {
      auto rows = dataset::load_dataset(bench_.project().path(spec.path));
      if (rows.ok() && rows->sha256 == wanted) return rows;
    }
    return Error::not_found("no dataset of the project has the rows of the run any more",
                            "put the file back as it was");
  }

  bool verify_scorer() {
    const auto name = scorer_name(recorded_input("scorer"));
    auto scorer = eval::make_scorer(name, candidate_.skills);
    if (!scorer.ok()) return differs("scorer", scorer.error().to_string());
    scorer_ = std::move(scorer).value();
    return check("scorer", scorer_->id(), "this slipway scores by other rules");
  }

  bool verify_model() {
    if (!candidate_.pinned()) return true;  // nobody knows an endpoint's weights
    Released released{{}, candidate_, std::nullopt};
    released.release.alias.clear();  // it is none: nobody is told what the files say now
    released.release.candidate_name = recorded_input("candidate_name");
    const auto spec = spec_of(std::move(released));
    const auto path = bench_.weights_path(spec);
    if (!path.ok()) return differs("weights_sha256", path.error().to_string());
    const auto sha = model::weights_sha256(*path);
    if (!sha.ok()) return differs("weights_sha256", sha.error().to_string());
    if (!check("weights_sha256", *sha, "the weights of '" + spec.model + "' are others"))
      return false;
    auto ready = bench_.prepare(spec);
    if (!ready.ok()) {
      const bool adapted = !candidate_.model.adapter_sha256.empty();
      return differs(adapted ? "adapters" : "model", ready.error().to_string());
    }
    ready_ = std::move(ready).value();
    const auto& engine = ready_.model->info().engine_id;
    result_.checks.push_back({"engine_id", recorded_input("engine_id"), engine});
    return true;  // another engine may well give the same: the outputs tell
  }

  Status begin() {
    store::Run run;
    run.experiment = run_.experiment;
    run.kind = "reproduce";
    run.name = run_.name;
    run.inputs = json::Value::object();
    run.inputs.set("run", run_.id).set("candidate", recorded_input("candidate"));
    run.environment = ready_.model ? bench_.environment_of(*ready_.model) : bench_.environment();
    SLIPWAY_TRY(created, bench_.store()->create_run(std::move(run)));
    result_.run_id = created.id;
    return Status();
  }

  Status compute() {
    auto evaluation = bench_.evaluation(ready_, rows_, *scorer_);
    evaluation.parent_run_id = result_.run_id;
    evaluation.use_answers = evaluation.resume = false;
    evaluation.cancel = options_.cancel;
    evaluation.on_progress = options_.on_progress;
    SLIPWAY_TRY(again, eval::evaluate(evaluation));
    SLIPWAY_TRY(cases, bench_.store()->cases(again.run_id));
    std::map<int64_t, const store::Case*> by_index;
    for (const auto& c : cases) by_index[c.index] = &c;
    for (const auto& before : recorded_) {
      const auto found = by_index.find(before.index);
      compare(before, found == by_index.end() ? nullptr : found->second);
    }
    if (result_.equal_outputs < result_.cases) {
      name_engine();
      return Status();
    }
    const bool all_hashes = result_.hashes == result_.cases && result_.cases > 0;
    result_.grade =
        all_hashes && result_.equal_hashes == result_.hashes ? Grade::bit : Grade::token;
    return Status();
  }

  void compare(const store::Case& before, const store::Case* now) {
    const bool equal = now && before.output == now->output && before.passed == now->passed;
    result_.equal_outputs += equal;
    if (!equal) differs("row " + before.example_id, "its output is another");
    const auto hash = before.detail.text("logprobs_sha256");
    result_.hashes += !hash.empty();
    result_.equal_hashes += !hash.empty() && now && now->detail.text("logprobs_sha256") == hash;
  }

  // Outputs differ: another engine is the first input that does.
  void name_engine() {
    const auto& engine = result_.checks.back();
    if (engine.input != "engine_id" || engine.same()) return;
    result_.why = "it is another engine, and " + result_.first_difference + " came out otherwise";
    result_.first_difference = "engine_id";
  }

  Status replay() {
    for (const auto& c : recorded_) {
      const auto& example = rows_.examples[static_cast<size_t>(c.index)];
      const bool same = scorer_->score(example, c.output).passed == c.passed;
      result_.equal_outputs += same;
      if (!same) differs("row " + c.example_id, "its recorded output has another score");
    }
    if (result_.equal_outputs == result_.cases) result_.grade = Grade::replay;
    return Status();
  }

  Status record() {
    SLIPWAY_TRY(evidence, bench_.store()->put_object(result_.to_json().dump()));
    return bench_.store()->set_tags(result_.run_id,
                                    {{"grade", std::string(grade_name(result_.grade))},
                                     {"first_difference", result_.first_difference},
                                     {"evidence_object", evidence}});
  }

  Workbench& bench_;
  store::Run run_;
  const ReproduceOptions& options_;
  std::vector<store::Case> recorded_;
  candidate::Candidate candidate_;
  dataset::Dataset rows_;
  std::unique_ptr<eval::Scorer> scorer_;
  Ready ready_;
  Reproduction result_;
};

}  // namespace

std::string_view grade_name(Grade grade) {
  switch (grade) {
    case Grade::failed:
      return "failed";
    case Grade::replay:
      return "replay";
    case Grade::token:
      return "token";
    case Grade::bit:
      return "bit";
  }
  return "failed";
}

json::Value Reproduction::to_json() const {
  auto inputs = json::Value::array();
  for (const auto& check : checks) {
    auto c = json::Value::object();
    c.set("input", check.input)
        .set("recorded", check.recorded)
        .set("found", check.found)
        .set("same", check.same());
    inputs.push_back(std::move(c));
  }
  auto value = json::Value::object();
  value.set("of_run", of_run)
      .set("run_id", run_id)
      .set("grade", computed ? json::Value(grade_name(grade)) : json::Value())
      .set("first_difference", first_difference)
      .set("why", why)
      .set("inputs", std::move(inputs))
      .set("cases", cases)
      .set("equal_outputs", equal_outputs)
      .set("hashes", hashes)
      .set("equal_hashes", equal_hashes);
  return value;
}

Result<Reproduction> reproduce(Workbench& bench, const std::string& id,
                               const ReproduceOptions& options) {
  SLIPWAY_TRY(run, bench.store()->find_run(id));
  if (run.kind != "eval" || run.status != store::RunStatus::finished) {
    return Error::invalid_input("run " + short_id(run.id) + " is no finished evaluation",
                                "`slipway runs --kind eval` lists those");
  }
  if (run.inputs.get("audio")) {
    return Error::unsupported("run " + short_id(run.id) + " is of recordings",
                              "evaluations of a dataset's rows can be reproduced");
  }
  return Reproducer(bench, std::move(run), options).run();
}

}  // namespace slipway::lab
