#include "eval/runner.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>

using namespace slipway;

namespace {

// Echoes its input; stops being available after `limit` answers, as a killed process or a lost
// endpoint would.
class Echo : public model::Model {
 public:
  Echo() {
    info_.name = "echo";
    info_.engine_id = "test";
  }
  const model::ModelInfo& info() const override { return info_; }
  Result<model::Completion> complete(const model::Request& request) override {
    if (answered >= limit) return Error::unavailable("gone");
    if (request.messages.back().content == refuses) return Error::invalid_input("too long");
    answered += 1;
    model::Completion completion;
    completion.text = request.messages.back().content;
    completion.total_ms = 10;
    return completion;
  }
  Status complete_all(std::span<const model::Request> requests, const Done& done,
                      CancelToken) override {
    for (size_t i = 0; i < requests.size(); ++i) done(i, complete(requests[i]));
    return Status::success();
  }
  Result<std::string> render(const std::vector<model::Message>&) const override {
    return std::string();
  }
  Result<std::vector<int32_t>> tokenize(std::string_view) const override {
    return std::vector<int32_t>();
  }
  int answered = 0;
  int limit = 1000;
  std::string refuses;

 private:
  model::ModelInfo info_;
};

struct Fixture {
  std::string folder = "/tmp/slipway-runner-test-" + std::to_string(::getpid());
  std::shared_ptr<store::Store> store;
  std::shared_ptr<Echo> model = std::make_shared<Echo>();
  dataset::Dataset rows;
  std::unique_ptr<eval::Scorer> scorer;
  eval::Evaluation evaluation;

  Fixture() {
    std::filesystem::remove_all(folder);
    auto opened = store::Store::open(folder);
    REQUIRE(opened.ok());
    store = *opened;
    rows.name = "rows";
    rows.sha256 = "aa";
    for (int i = 0; i < 10; ++i) {
      dataset::Example example;
      example.id = std::to_string(i);
      example.input = "k: " + std::to_string(i);
      example.output = i < 7 ? example.input : "k: wrong";
      rows.examples.push_back(example);
    }
    auto made = eval::make_scorer("fields", std::make_shared<skill::SkillSet>());
    REQUIRE(made.ok());
    scorer = std::move(made).value();
    evaluation.candidate.name = "c";
    evaluation.candidate.model = {"echo", "bb", {}};
    evaluation.candidate.prompt = {"p", "{{ input }}"};
    evaluation.candidate.skills = std::make_shared<skill::SkillSet>();
    evaluation.dataset = &rows;
    evaluation.scorer = scorer.get();
    evaluation.model = model;
    evaluation.store = store;
  }
  ~Fixture() { std::filesystem::remove_all(folder); }
};

}  // namespace

TEST_CASE("an evaluation is a finished run whose figures come from its cases") {
  Fixture f;
  auto result = eval::evaluate(f.evaluation);
  REQUIRE(result.ok());
  CHECK(result->report.exact.passed == 7);
  CHECK(result->report.exact.total == 10);
  CHECK(result->report.computed() == 10);
  auto metrics = f.store->latest_metrics(result->run_id);
  REQUIRE(metrics.ok());
  CHECK(metrics->at("exact_match") == doctest::Approx(0.7));
  auto run = f.store->find_run(result->run_id);
  REQUIRE(run.ok());
  CHECK(run->status == store::RunStatus::finished);
  auto candidate = f.store->find_entity("candidate", "c");
  REQUIRE(candidate.ok());
  CHECK(candidate->id == f.evaluation.candidate.id());
}

TEST_CASE("a request that fails is wrong for its own reason, and no latency") {
  Fixture f;
  auto scorer = eval::make_scorer("bfcl", std::make_shared<skill::SkillSet>());
  REQUIRE(scorer.ok());
  f.evaluation.scorer = scorer->get();
  f.rows.examples.resize(2);
  for (auto& example : f.rows.examples) example.output = "none()";  // what an answer of "" would be
  f.model->refuses = f.rows.examples[0].input;
  auto result = eval::evaluate(f.evaluation);
  REQUIRE(result.ok());
  const auto cases = f.store->cases(result->run_id);
  REQUIRE(cases.ok());
  CHECK_FALSE((*cases)[0].passed);
  CHECK((*cases)[0].detail.text("reason") == "too long");
  CHECK((*cases)[1].passed);
  CHECK(eval::failed((*cases)[0]));
  CHECK(result->report.latency_p50_ms == 10);
  CHECK(result->report.computed() == 1);
  CHECK(result->report.failures == 1);
}

TEST_CASE("the second evaluation remembers every answer and counts none as latency") {
  Fixture f;
  REQUIRE(eval::evaluate(f.evaluation).ok());
  auto again = eval::evaluate(f.evaluation);
  REQUIRE(again.ok());
  CHECK(again->report.cached == 10);
  CHECK(f.model->answered == 10);
  f.evaluation.use_answers = false;
  auto fresh = eval::evaluate(f.evaluation);
  REQUIRE(fresh.ok());
  CHECK(f.model->answered == 20);
  CHECK(fresh->report.exact.passed == 7);
}

TEST_CASE("a broken-off run continues and computes no finished case again") {
  Fixture f;
  f.evaluation.use_answers = false;
  f.model->limit = 4;
  auto broken = eval::evaluate(f.evaluation);
  REQUIRE_FALSE(broken.ok());
  CHECK(broken.error().code() == ErrorCode::unavailable);
  f.model->limit = 1000;
  auto resumed = eval::evaluate(f.evaluation);
  REQUIRE(resumed.ok());
  CHECK(resumed->resumed);
  CHECK(resumed->already_done == 4);
  CHECK(f.model->answered == 10);
  CHECK(resumed->report.exact.total == 10);
  CHECK(resumed->report.exact.passed == 7);
}

TEST_CASE("another prompt is another evaluation: nothing is resumed or remembered") {
  Fixture f;
  REQUIRE(eval::evaluate(f.evaluation).ok());
  f.evaluation.candidate.prompt.source = "k: {{ input }}";
  auto other = eval::evaluate(f.evaluation);
  REQUIRE(other.ok());
  CHECK_FALSE(other->resumed);
  CHECK(other->report.cached == 0);
}
