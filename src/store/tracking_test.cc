#include "store/tracking.h"

#include <unistd.h>

#include <algorithm>
#include <set>

#include "store/artifacts.h"
#include "store/database.h"
#include "store/logged_models.h"
#include "store/registry.h"
#include "store/test_folder.h"

namespace slipway::store {
namespace {

template <typename T>
T must(Result<T> result) {
  const auto failure = result.ok() ? "" : result.error().to_string();
  INFO(failure);
  REQUIRE(result.ok());
  return std::move(result).value();
}

const std::string* value_of(const Pairs& pairs, std::string_view key) {
  for (const auto& [name, value] : pairs) {
    if (name == key) return &value;
  }
  return nullptr;
}

struct Home {
  TestFolder folder;
  std::shared_ptr<Store> store = folder.open();
  Experiments experiments{*store};
  Tracking tracking{*store};
  Registry registry{*store};
  Artifacts artifacts{*store};

  TrackedRun run(const std::string& name = "first") {
    return must(tracking.create_run(
        {.experiment_id = 0, .name = name, .user = "ada", .start_ms = 7, .tags = {{"a", "b"}}}));
  }
};

TEST_CASE("an experiment lives, is renamed with its runs, goes and comes back") {
  Home h;
  CHECK(must(h.experiments.get(0)).name == "Default");
  const int64_t id = must(
      h.experiments.create({.name = "home", .artifact_location = "", .tags = {{"team", "x"}}}));
  CHECK(
      h.experiments.create({.name = "home", .artifact_location = "", .tags = {}}).error().code() ==
      ErrorCode::already_exists);
  CHECK(must(h.experiments.get(id)).artifact_location == "mlflow-artifacts:/" + std::to_string(id));
  const auto run = must(h.tracking.create_run(
      {.experiment_id = id, .name = "r", .user = "", .start_ms = 1, .tags = {}}));
  const auto gone = must(h.tracking.create_run(
      {.experiment_id = id, .name = "gone", .user = "", .start_ms = 1, .tags = {}}));
  REQUIRE(h.tracking.delete_run(gone.info.id).ok());
  REQUIRE(h.experiments.rename(id, "house").ok());
  CHECK(must(h.tracking.run(run.info.id)).info.experiment == "house");
  CHECK(h.experiments.rename(id, "Default").error().code() == ErrorCode::already_exists);
  REQUIRE(h.experiments.set_tag(id, "team", "y").ok());
  CHECK(must(h.experiments.search({.filter = "tags.team = 'y'", .order = {}})).items.size() == 1);
  ::usleep(2000);  // the run that was deleted before has another time
  REQUIRE(h.experiments.remove(id).ok());
  CHECK_FALSE(h.experiments.remove(id).ok());
  CHECK(must(h.tracking.run(run.info.id)).deleted);
  CHECK_FALSE(h.experiments.set_tag(id, "team", "z").ok());
  CHECK_FALSE(
      h.tracking.create_run({.experiment_id = id, .name = "", .user = "", .tags = {}}).ok());
  REQUIRE(h.experiments.restore(id).ok());
  CHECK_FALSE(must(h.tracking.run(run.info.id)).deleted);
  CHECK(must(h.tracking.run(gone.info.id)).deleted);
}

TEST_CASE("a run of Slipway's own is found beside a client's, with what decided it") {
  Home h;
  auto inputs = json::Value::object();
  inputs.set("candidate_name", "tuned").set("seed", 7);
  const auto own = must(h.store->create_run(
      {.experiment = "house", .kind = "eval", .name = "tuned", .inputs = inputs}));
  const auto experiment = must(h.experiments.get_by_name("house"));
  const auto page = must(h.tracking.search(
      {0, experiment.id},
      {.filter = "tags.`slipway.candidate_name` = 'tuned' AND tags.slipway.kind = 'eval'",
       .order = {}}));
  REQUIRE(page.items.size() == 1);
  CHECK(page.items[0].info.id == own.id);
  CHECK(*value_of(page.items[0].tags, "slipway.seed") == "7");
  CHECK(*value_of(page.items[0].tags, "mlflow.runName") == "tuned");
}

TEST_CASE("what a promotion relies on is not a client's to say") {
  Home h;
  const auto gate = must(h.store->create_run({.kind = "gate", .name = "gate"})).id;
  REQUIRE(h.store->set_tags(gate, {{verdict_tag, "fail"}, {imported_tag, "elsewhere"}}).ok());
  for (const char* key : {verdict_tag, imported_tag}) {
    const Pairs tags = {{key, "pass"}};
    CHECK(h.tracking.log({.run_id = gate, .metrics = {}, .params = {}, .tags = tags})
              .error()
              .code() == ErrorCode::permission_denied);
    CHECK(h.tracking.delete_tag(gate, key).error().code() == ErrorCode::permission_denied);
  }
  CHECK(h.store->tags(gate)->at("verdict") == "fail");
  const Pairs other = {{"team", "x"}};
  CHECK(h.tracking.log({.run_id = gate, .metrics = {}, .params = {}, .tags = other}).ok());
}

TEST_CASE("a batch is written whole or not at all, and again it is the same write") {
  Home h;
  const auto run = h.run();
  const std::string& id = run.info.id;
  CHECK(*value_of(run.tags, "mlflow.runName") == "first");
  const Batch batch{.run_id = id,
                    .metrics = {{"m", 1, 0, 5}, {"m", 2, 1, 6}},
                    .params = {{"p", "1"}},
                    .tags = {{"t", "1"}, {"mlflow.runName", "second"}}};
  REQUIRE(h.tracking.log(batch).ok());
  REQUIRE(h.tracking.log(batch).ok());
  const auto wrong = h.tracking.log(
      {.run_id = id, .metrics = {{"m", 9, 9, 9}}, .params = {{"p", "2"}}, .tags = {{"t", "2"}}});
  CHECK(wrong.error().code() == ErrorCode::invalid_input);
  const auto back = must(h.tracking.run(id));
  CHECK(back.info.name == "second");
  REQUIRE(back.metrics.size() == 1);
  CHECK(back.metrics[0].value == 2);
  CHECK(*value_of(back.tags, "t") == "1");
  const auto history = must(h.tracking.history(id, "m", 1, 0));
  CHECK(history.items.size() == 1);
  CHECK(history.more);
  CHECK(must(h.tracking.history(id, "m", 1, 1)).items[0].step == 1);
}

TEST_CASE("among points of one step and time the greatest is the latest") {
  Home h;
  const auto run = h.run();
  for (const double value : {1.0, 3.0, -5.0, 2.0})
    REQUIRE(h.store->log_metrics(run.info.id, {{"m", value, 4, 5}}).ok());
  REQUIRE(h.store->log_metrics(run.info.id, {{"n", -2, 4, 5}, {"n", -1, 4, 5}}).ok());
  const auto back = must(h.tracking.run(run.info.id));
  CHECK(back.metrics[0].value == 3);
  CHECK(back.metrics[1].value == -1);
}

TEST_CASE("a deleted run takes no write until it is restored") {
  Home h;
  const auto id = h.run().info.id;
  REQUIRE(h.tracking.delete_run(id).ok());
  CHECK_FALSE(h.tracking.log({.run_id = id, .metrics = {{"m", 1}}, .params = {}, .tags = {}}).ok());
  CHECK_FALSE(h.tracking.update_run(id, {.status = RunStatus::finished}).ok());
  CHECK(must(h.tracking.search({0}, {.filter = "", .order = {}})).items.empty());
  CHECK(must(h.tracking.search({0}, {.filter = "", .order = {}, .view = View::deleted}))
            .items.size() == 1);
  CHECK(must(h.store->list_runs({})).empty());
  REQUIRE(h.tracking.restore_run(id).ok());
  CHECK(must(h.tracking.update_run(id, {.status = RunStatus::finished, .end_ms = 9})).info.end_ms ==
        9);
  CHECK(h.tracking.delete_run("0123456789abcdef0123456789abcdef").error().code() ==
        ErrorCode::not_found);
}

TEST_CASE("versions count up, aliases move, and a name is a label only") {
  Home h;
  must(h.registry.create({.name = "greeting", .description = "d", .tags = {{"k", "v"}}}));
  CHECK_FALSE(h.registry.create({.name = "a/b", .description = "", .tags = {}}).ok());
  for (int i = 1; i <= 2; ++i) {
    ModelVersion wanted;
    wanted.name = "greeting";
    wanted.source = "runs:/x";
    wanted.tags = {{"n", std::to_string(i)}};
    CHECK(must(h.registry.create_version(wanted)).version == i);
  }
  REQUIRE(h.registry.set_alias("greeting", "production", 1).ok());
  REQUIRE(h.registry.set_alias("greeting", "production", 2).ok());
  CHECK_FALSE(h.registry.set_alias("greeting", "latest", 1).ok());
  CHECK_FALSE(h.registry.set_alias("greeting", "v3", 1).ok());
  CHECK(h.registry.set_alias("greeting", "x", 3).error().code() == ErrorCode::not_found);
  REQUIRE(h.registry.rename("greeting", "hello").ok());
  CHECK(must(h.registry.by_alias("hello", "production")).version == 2);
  CHECK(must(h.registry.search_versions({.filter = "name = 'hello' and tags.n = '1'", .order = {}}))
            .items.size() == 1);
  REQUIRE(h.registry.remove_version("hello", 2).ok());
  CHECK_FALSE(h.registry.by_alias("hello", "production").ok());
  CHECK(must(h.registry.get("hello")).latest[0].version == 1);
  CHECK(h.registry.version("hello", 2).error().code() == ErrorCode::not_found);
  CHECK(h.registry.set_alias("hello", "x", 2).error().code() == ErrorCode::not_found);
  CHECK(must(h.registry.search_versions({.filter = "name = 'hello'", .order = {}})).items.size() ==
        1);
  ModelVersion next;
  next.name = "hello";
  next.source = "runs:/y";
  CHECK(must(h.registry.create_version(next)).version == 3);  // whoever pinned 2 gets no other
  REQUIRE(h.registry.remove("hello").ok());
  CHECK(h.registry.get("hello").error().code() == ErrorCode::not_found);
}

TEST_CASE("prompts are found by who asks for them") {
  Home h;
  must(h.registry.create({.name = "model", .description = "", .tags = {}}));
  must(h.registry.create(
      {.name = "prompt", .description = "", .tags = {{"mlflow.prompt.is_prompt", "true"}}}));
  const auto names = [&](const std::string& filter) {
    std::vector<std::string> found;
    for (const auto& model : must(h.registry.search({.filter = filter, .order = {}})).items)
      found.push_back(model.name);
    return found;
  };
  CHECK(names("") == std::vector<std::string>{"model"});
  CHECK(names("tags.`mlflow.prompt.is_prompt` = 'true'") == std::vector<std::string>{"prompt"});
  CHECK(names("name LIKE '%o%' and tags.`mlflow.prompt.is_prompt` != 'true'") ==
        std::vector<std::string>{"model"});
}

TEST_CASE("an artifact whose object is lost is told") {
  Home h;
  REQUIRE(h.artifacts.put("1/r/a", "bytes").ok());
  CHECK(must(h.store->verify()).empty());
  const auto objects = h.folder.store_path() + "/objects";
  for (const auto& name : files::list(objects))
    REQUIRE(files::remove_all(objects + "/" + name).ok());
  CHECK(must(h.store->verify()).size() == 1);
}

TEST_CASE("artifacts are listed as folders, and a path is never a file's") {
  Home h;
  for (const char* path : {"1/r/artifacts/a.txt", "1/r/artifacts/plots/x.png",
                           "1/r/artifacts/plots/deep/y.png", "1/r/artifacts/plots2", "1/s/z"})
    REQUIRE(h.artifacts.put(path, path).ok());
  std::vector<std::string> names;
  for (const auto& entry : must(h.artifacts.list("1/r/artifacts")))
    names.push_back(entry.name + (entry.is_folder ? "/" : ""));
  CHECK(names == std::vector<std::string>{"a.txt", "plots/", "plots2"});
  CHECK(must(h.artifacts.list("")).size() == 1);
  CHECK(must(h.artifacts.list("2")).empty());
  CHECK(must(h.artifacts.get("1/s/z")) == "1/s/z");
  for (const char* path : {"", "/etc/passwd", "a//b", "../x", "a/./b", "a/..", "a\\b"})
    CHECK(h.artifacts.put(path, "x").error().code() == ErrorCode::invalid_input);
  REQUIRE(h.artifacts.remove("1/r/artifacts/plots").ok());
  CHECK(h.artifacts.get("1/r/artifacts/plots/x.png").error().code() == ErrorCode::not_found);
  CHECK(h.artifacts.get("1/r/artifacts/plots2").ok());
}

TEST_CASE("a logged model is made ready, searched and deleted") {
  Home h;
  LoggedModels models(*h.store);
  LoggedModel wanted;
  wanted.name = "tree";
  wanted.params = {{"depth", "3"}};
  const auto model = must(models.create(wanted));
  CHECK(model.artifact_uri == "mlflow-artifacts:/0/models/" + model.id + "/artifacts");
  REQUIRE(models.set_status(model.id, "LOGGED_MODEL_READY").ok());
  REQUIRE(models.set_tags(model.id, {{"a", "1"}, {"b", "2"}}).ok());
  REQUIRE(models.delete_tag(model.id, "a").ok());
  CHECK_FALSE(models.delete_tag(model.id, "a").ok());
  const auto page = must(models.search(
      {0}, {.filter = "params.depth = '3' and tags.b = '2' and name = 'tree'", .order = {}}));
  REQUIRE(page.items.size() == 1);
  CHECK(page.items[0].status == "LOGGED_MODEL_READY");
  REQUIRE(models.remove(model.id).ok());
  CHECK_FALSE(models.get(model.id).ok());
  CHECK(models.get(model.id, true).ok());
}

// A file as version 2 left it: the current one without what came later.
TEST_CASE("a store of version 2 gets its experiments from its runs") {
  TestFolder folder;
  std::string id;
  {
    auto store = folder.open();
    id = must(store->create_run({.experiment = "home", .kind = "eval", .name = "n"})).id;
    must(store->create_run({.experiment = "Default", .kind = "eval", .name = "d"}));
  }
  {
    auto database = Database::open(folder.records_path(), Database::Mode::write);
    REQUIRE(database.ok());
    REQUIRE(database->execute(undo_version_3).ok());
  }
  auto store = folder.open();
  const auto home = must(Experiments(*store).get_by_name("home"));
  CHECK(home.id == 1);
  CHECK(must(Experiments(*store).search({.filter = "", .order = {}})).items.size() == 2);
  CHECK(must(Tracking(*store).run(id)).experiment_id == home.id);
  CHECK(must(store->verify()).empty());
}

}  // namespace
}  // namespace slipway::store
