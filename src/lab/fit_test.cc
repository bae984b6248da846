#include "lab/fit.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>

#include "base/files.h"
#include "base/temporary_folder_test.h"
#include "tune/testing.h"

using namespace slipway;
using namespace slipway::lab;

namespace {

struct Bench {
  Bench() {
    weights = tune::testing::tiny_model("gemma3", {});
    examples = tune::testing::random_examples(11, 61, 5, {1, 2, 3, 4, 5});
    reopen();
  }
  ~Bench() { (void)files::remove_all(weights); }
  void reopen() {
    auto opened = store::Store::open(folder / ".slipway");
    REQUIRE(opened.ok());
    store = *opened;
  }
  Fit fit(const std::string& experiment) const {
    Fit fit;
    fit.weights_path = weights;
    fit.examples = &examples;
    fit.settings.train.lora.rank = 4;
    fit.settings.train.threads = 1;
    fit.settings.train.dropout = 0.1f;
    fit.settings.train.optimizer.learning_rate = 1e-2;
    fit.settings.epochs = 3;
    fit.settings.batch = 4;
    fit.store = store;
    fit.experiment = experiment;
    fit.inputs = json::Value::object();
    fit.inputs.set("dataset", "tiny");
    fit.adapter_path = folder / (experiment + ".gguf");
    fit.metadata = {{"general.name", "tiny"}};
    fit.checkpoint_steps = 2;
    return fit;
  }
  TemporaryFolder folder{"fit"};
  std::string weights;
  std::vector<tune::Example> examples;
  std::shared_ptr<store::Store> store;
};

Fitted finished(const Fit& fit) {
  auto fitted = run_fit(fit);
  REQUIRE_MESSAGE(fitted.ok(), (fitted.ok() ? "" : fitted.error().to_string()));
  return std::move(fitted).value();
}

}  // namespace

TEST_CASE("a training is a run with its curve, and its adapter is a file and an object") {
  Bench bench;
  const auto fitted = finished(bench.fit("whole"));
  CHECK(fitted.steps == 9);  // 11 rows, 4 a step, 3 epochs
  CHECK(fitted.losses.size() == 9);
  CHECK(fitted.losses.back() < fitted.losses.front());
  auto run = bench.store->find_run(fitted.run_id);
  REQUIRE(run.ok());
  CHECK(run->status == store::RunStatus::finished);
  CHECK(bench.store->metric_history(fitted.run_id, "loss")->size() == 9);
  CHECK(bench.store->params(fitted.run_id)->at("rank") == "4");
  auto object = bench.store->get_object(fitted.adapter_sha256);
  REQUIRE(object.ok());
  CHECK(*object == *files::read(fitted.adapter_path));
  CHECK_FALSE(files::exists(bench.folder / (".slipway/tune/" + fitted.run_id)));
}

TEST_CASE("stopped anywhere and resumed, or with more threads, a training ends in the same bytes") {
  Bench bench;
  const auto whole = finished(bench.fit("whole"));
  auto wide = bench.fit("wide");
  wide.settings.train.threads = 2;
  CHECK(finished(wide).adapter_sha256 == whole.adapter_sha256);
  for (const int64_t stop : {1, 2, 3, 5, 8}) {
    CAPTURE(stop);
    auto fit = bench.fit("cut-" + std::to_string(stop));
    CancelSource cancel;
    fit.cancel = cancel.token();
    fit.on_progress = [&](const FitProgress& p) {
      if (p.step == stop) cancel.cancel();
    };
    auto cut = run_fit(fit);
    REQUIRE_FALSE(cut.ok());
    CHECK(cut.error().code() == ErrorCode::cancelled);
    auto rest = bench.fit("cut-" + std::to_string(stop));
    rest.resume = true;
    const auto fitted = finished(rest);
    CHECK(fitted.resumed);
    CHECK(fitted.resumed_at == stop);
    CHECK(fitted.adapter_sha256 == whole.adapter_sha256);
    CHECK(fitted.losses == whole.losses);
    CHECK(bench.store->metric_history(fitted.run_id, "loss")->size() == 9);
  }
}

TEST_CASE("a checkpoint that cannot be read is begun again, to the same bytes") {
  Bench bench;
  const auto whole = finished(bench.fit("whole"));
  auto fit = bench.fit("cut");
  CancelSource cancel;
  fit.cancel = cancel.token();
  fit.on_progress = [&](const FitProgress& p) {
    if (p.step == 5) cancel.cancel();
  };
  REQUIRE_FALSE(run_fit(fit).ok());
  const auto runs = bench.store->list_runs({.experiment = "cut"});
  REQUIRE(runs->size() == 1);
  const auto checkpoint = bench.folder / (".slipway/tune/" + runs->at(0).id + "/state.ckpt");
  REQUIRE(files::write_atomic(checkpoint, "half a file").ok());
  auto again = bench.fit("cut");
  again.resume = true;
  const auto fitted = finished(again);
  CHECK(fitted.run_id == runs->at(0).id);
  CHECK(fitted.resumed_at == 0);
  CHECK(fitted.adapter_sha256 == whole.adapter_sha256);
}

TEST_CASE("a process killed between checkpoints continues from the last one to the same bytes") {
  Bench bench;
  const auto whole = finished(bench.fit("whole"));
  bench.store.reset();  // a child opens its own
  for (const int64_t at : {1, 4, 7}) {
    CAPTURE(at);
    if (const auto child = ::fork(); child == 0) {
      auto opened = store::Store::open(bench.folder / ".slipway");
      if (!opened.ok()) ::_exit(1);
      auto fit = bench.fit("killed");
      fit.store = *opened;
      fit.resume = at > 1;
      fit.on_progress = [&](const FitProgress& p) {
        if (p.step == at) ::kill(::getpid(), SIGKILL);
      };
      (void)run_fit(fit);
      ::_exit(2);
    } else {
      int status = 0;
      REQUIRE(::waitpid(child, &status, 0) == child);
      REQUIRE(WIFSIGNALED(status));
    }
  }
  bench.reopen();
  auto rest = bench.fit("killed");
  rest.resume = true;
  const auto fitted = finished(rest);
  CHECK(fitted.resumed_at == 6);
  CHECK(fitted.adapter_sha256 == whole.adapter_sha256);
  const auto runs = bench.store->list_runs({.experiment = "killed"});
  CHECK(runs->size() == 1);
}

TEST_CASE("the last epoch may be a part of one, and is judged like the others") {
  Bench bench;
  auto fit = bench.fit("parts");
  std::vector<int> judged;
  fit.on_epoch = [&](const FitEpoch& epoch) {
    judged.push_back(epoch.epoch);
    CHECK(std::isfinite(epoch.loss));
  };
  fit.settings.epochs = 0.5;
  CHECK(finished(fit).steps == 2);  // of 3 an epoch
  fit.settings.epochs = 1.75;
  CHECK(finished(fit).steps == 5);
  CHECK(judged == std::vector<int>{1, 1, 2});
  fit.settings.epochs = 0;
  CHECK(run_fit(fit).error().code() == ErrorCode::invalid_input);
}

TEST_CASE("the best epoch by its score is kept, the later of equals; patience ends early") {
  Bench bench;
  auto fit = bench.fit("judged");
  fit.settings.epochs = 5;
  const std::vector<double> scores = {0.5, 0.8, 0.8, 0.7, 0.6};
  std::vector<std::string> adapters;
  fit.judge = [&](const FitEpoch& epoch) -> Result<double> {
    adapters.push_back(*files::read(epoch.adapter_path));
    return scores[static_cast<size_t>(epoch.epoch - 1)];
  };
  std::vector<int> bests;
  fit.on_epoch = [&](const FitEpoch& epoch) {
    CHECK(*epoch.score == scores[static_cast<size_t>(epoch.epoch - 1)]);
    if (epoch.best) bests.push_back(epoch.epoch);
  };
  auto fitted = finished(fit);
  CHECK(bests == std::vector<int>{1, 2, 3});
  CHECK(adapters.size() == 5);
  CHECK(fitted.best_epoch == 3);
  CHECK(*fitted.best_score == 0.8);
  CHECK(*files::read(fitted.adapter_path) == adapters[2]);

  adapters.clear();
  fit.settings.patience = 1;
  fitted = finished(fit);
  CHECK(adapters.size() == 4);
  CHECK(fitted.best_epoch == 3);
}

TEST_CASE("a judgement that was interrupted is made after resuming") {
  Bench bench;
  auto fit = bench.fit("judged");
  fit.judge = [](const FitEpoch& epoch) -> Result<double> {
    if (epoch.epoch == 2) return Error::cancelled();
    return 0.5;
  };
  CHECK(run_fit(fit).error().code() == ErrorCode::cancelled);
  std::vector<int> judged;
  fit.resume = true;
  fit.judge = [&](const FitEpoch& epoch) -> Result<double> {
    judged.push_back(epoch.epoch);
    return 0.4;
  };
  const auto fitted = finished(fit);
  CHECK(judged == std::vector<int>{2, 3});
  CHECK(fitted.best_epoch == 1);
}

TEST_CASE("a training that diverges stops with a clear error and keeps its checkpoint") {
  Bench bench;
  auto fit = bench.fit("wild");
  fit.settings.train.optimizer.learning_rate = 1e3;
  fit.settings.train.optimizer.clip_norm = 0;
  fit.settings.warmup_steps = 0;
  fit.settings.epochs = 20;
  const auto fitted = run_fit(fit);
  REQUIRE_FALSE(fitted.ok());
  CHECK(fitted.error().code() == ErrorCode::exhausted);
  CHECK(fitted.error().message().find("diverged at step") != std::string::npos);
  CHECK(fitted.error().hint().find("learning rate") != std::string::npos);
  const auto runs = bench.store->list_runs({.experiment = "wild"});
  REQUIRE(runs->size() == 1);
  CHECK(runs->at(0).status == store::RunStatus::failed);
  CHECK(bench.store->tags(runs->at(0).id)->contains(diverged_tag));
  CHECK_FALSE(files::exists(fit.adapter_path));
}

TEST_CASE("only the same inputs and settings are resumed") {
  Bench bench;
  auto fit = bench.fit("one");
  CancelSource cancel;
  fit.cancel = cancel.token();
  cancel.cancel();
  CHECK(run_fit(fit).error().code() == ErrorCode::cancelled);
  auto other = bench.fit("one");
  other.resume = true;
  other.settings.train.lora.rank = 5;
  CHECK(run_fit(other).error().code() == ErrorCode::not_found);
  other.settings.train.lora.rank = 4;
  other.settings.train.threads = 2;  // decides nothing
  CHECK(finished(other).resumed);
}
