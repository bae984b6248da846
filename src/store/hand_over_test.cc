// What one store takes from another, and what stays as it is.
#include <algorithm>

#include "store/artifacts.h"
#include "store/database.h"
#include "store/experiments.h"
#include "store/logged_models.h"
#include "store/registry.h"
#include "store/test_folder.h"
#include "store/tracking.h"
#include "store/transfer.h"

namespace slipway::store {
namespace {

Status import_all(const Store& from, Store& to) {
  Importer importer(to, {.from = "x"});
  return hand_over(from, {.all = true}, importer);
}

TEST_CASE("a run that was made here takes nothing from a bundle") {
  TestFolder here;
  auto store = here.open();
  const Run run = new_run(*store);
  REQUIRE(store->finish_run(run.id, RunStatus::finished).ok());
  Importer taker(*store, {.from = "a stranger"});
  const auto record = [&](const std::string& text) {
    auto value = json::parse(text);
    REQUIRE(value.ok());
    value->set(value->text("record") == "run" ? "id" : "run", run.id);
    return taker.record(*value);
  };
  CHECK(record(R"({"record": "run", "id": "", "experiment": "default", "kind": "gate", "name": "",
                   "parent": "", "start_ms": 1, "inputs": {}, "environment": {}})")
            .ok());
  CHECK(record(R"({"record": "tags", "pairs": [["verdict", "pass"]]})").ok());
  CHECK(record(R"({"record": "end", "status": "failed", "end_ms": 9, "error": "no"})").ok());
  CHECK(store->tags(run.id)->empty());
  CHECK(store->find_run(run.id)->status == RunStatus::finished);
}

TEST_CASE("the same id with other content is told") {
  TestFolder here, there;
  auto from = here.open(), to = there.open();
  auto run = from->create_run({.kind = "eval", .name = "one"});
  run->kind = "tune";
  REQUIRE(to->create_run(*run).ok());
  CHECK(check_same_runs(*from, *to).error().code() == ErrorCode::already_exists);
  CHECK(check_same_runs(*from, *from).ok());
}

TEST_CASE("a run, or its experiment, that was renamed is the same run; it keeps its name here") {
  TestFolder here, there;
  auto from = here.open(), to = there.open();
  const Run run = new_run(*from);
  REQUIRE(import_all(*from, *to).ok());
  REQUIRE(Tracking(*from).update_run(run.id, {.name = "another"}).ok());
  REQUIRE(Experiments(*from).rename(Experiments(*from).get_by_name("default")->id, "house").ok());
  CHECK(check_same_runs(*from, *to).ok());
  CHECK(check_same_runs(*to, *from).ok());
  REQUIRE(import_all(*from, *to).ok());
  CHECK(to->find_run(run.id)->name == "naive");
  CHECK(to->find_run(run.id)->experiment == "default");
}

TEST_CASE("tags and aliases come to the very version of which they were said, and to no other") {
  TestFolder here, there;
  auto from = here.open(), to = there.open();
  Registry theirs(*from), ours(*to);
  const auto version = [](Registry& registry, const std::string& source) {
    const ModelVersion wanted{.name = "g", .source = source, .tags = {{"by", source}}};
    REQUIRE(registry.create_version(wanted).ok());
  };
  const Pairs prompt = {{"mlflow.prompt.is_prompt", "true"}};
  REQUIRE(ours.create({.name = "g"}).ok());
  version(ours, "ours");
  REQUIRE(theirs.create({.name = "g", .tags = prompt}).ok());
  for (const auto* source : {"theirs", "second", "third"}) version(theirs, source);
  REQUIRE(theirs.set_tag("g", 1, "only", "theirs").ok());
  REQUIRE(theirs.set_alias("g", "production", 1).ok());
  REQUIRE(theirs.create({.name = "new", .tags = prompt}).ok());
  REQUIRE(import_all(*from, *to).ok());
  CHECK(ours.version("g", 1)->tags == Pairs{{"by", "ours"}});
  CHECK(ours.get("g")->tags.empty());
  CHECK(ours.get("g")->aliases.empty());
  CHECK(ours.version("g", 2)->tags == Pairs{{"by", "second"}});
  CHECK(ours.get("new")->tags == prompt);

  REQUIRE(ours.remove_version("g", 2).ok());
  REQUIRE(theirs.set_tag("g", 2, "late", "yes").ok());
  REQUIRE(theirs.set_alias("g", "second", 2).ok());
  REQUIRE(theirs.set_tag("g", 3, "late", "yes").ok());
  REQUIRE(theirs.set_alias("g", "third", 3).ok());
  REQUIRE(theirs.set_tag("new", 0, "late", "yes").ok());
  REQUIRE(ours.delete_tag("new", 0, "mlflow.prompt.is_prompt").ok());
  REQUIRE(import_all(*from, *to).ok());
  CHECK(ours.by_alias("g", "third")->tags == Pairs{{"by", "third"}, {"late", "yes"}});
  CHECK(ours.get("new")->tags == Pairs{{"late", "yes"}});
  auto records = Database::open(there.records_path(), Database::Mode::read);
  for (const std::string table : {"model_tags", "model_aliases"})
    CHECK(*records->query_integer("SELECT count(*) FROM " + table + " WHERE version = 2") == 0);
}

TEST_CASE("a logged model that was not ready gains what it has since; one that is ready stays") {
  TestFolder here, there;
  auto from = here.open(), to = there.open();
  LoggedModels theirs(*from), ours(*to);
  const auto place = [](Store& store, const std::string& id) {
    const auto number = Experiments(store).get_by_name("default")->id;
    return std::to_string(number) + "/models/" + id + "/artifacts/";
  };
  const Run run = new_run(*from);
  const auto tree = theirs.create({.experiment_id = Experiments(*from).get_by_name("default")->id,
                                   .name = "tree", .run_id = run.id, .params = {{"depth", "3"}}});
  REQUIRE(tree.ok());
  REQUIRE(Artifacts(*from).put(place(*from, tree->id) + "MLmodel", "first").ok());
  REQUIRE(import_all(*from, *to).ok());
  REQUIRE(ours.get(tree->id)->status == "LOGGED_MODEL_PENDING");

  REQUIRE(Artifacts(*from).put(place(*from, tree->id) + "MLmodel", "second").ok());
  REQUIRE(Artifacts(*from).put(place(*from, tree->id) + "trees.bin", "leaves").ok());
  REQUIRE(theirs.log_params(tree->id, {{"leaves", "9"}}).ok());
  REQUIRE(theirs.set_tags(tree->id, {{"stage", "done"}}).ok());
  REQUIRE(theirs.set_status(tree->id, "LOGGED_MODEL_READY").ok());
  REQUIRE(import_all(*from, *to).ok());
  CHECK(ours.get(tree->id)->status == "LOGGED_MODEL_READY");
  CHECK(ours.get(tree->id)->params == Pairs{{"depth", "3"}, {"leaves", "9"}});
  CHECK(ours.get(tree->id)->tags == Pairs{{"stage", "done"}});
  CHECK(Artifacts(*to).get(place(*to, tree->id) + "trees.bin").value_or("") == "leaves");
  CHECK(*Artifacts(*to).get(place(*to, tree->id) + "MLmodel") == "first");

  REQUIRE(theirs.set_tags(tree->id, {{"stage", "late"}}).ok());
  REQUIRE(import_all(*from, *to).ok());
  CHECK(ours.get(tree->id)->tags == Pairs{{"stage", "done"}});
}

void promote_twice(Store& store) {
  const auto object = *store.put_object("{}");
  for (const std::string name : {"old", "new"}) {
    Release release{.candidate = std::string(64, 'a'), .candidate_name = name};
    release.candidate_object = object;
    release.because = "the first";
    REQUIRE(store.promote(release).ok());
  }
}

TEST_CASE("releases are taken where the alias was never released, and only when asked") {
  TestFolder here, there;
  auto from = here.open(), to = there.open();
  promote_twice(*from);
  Importer without(*to, {.from = "x"}), with(*to, {.from = "x", .releases = true});
  REQUIRE(hand_over(*from, {.all = true}, without).ok());
  CHECK(to->releases()->empty());
  REQUIRE(hand_over(*from, {.all = true}, with).ok());
  REQUIRE(to->releases()->size() == 2);
  CHECK(to->releases()->front().candidate_name == "new");
  CHECK(to->roll_back("production", "ada")->candidate_name == "old");
  Importer again(*to, {.from = "x", .releases = true});
  REQUIRE(hand_over(*from, {.all = true}, again).ok());
  CHECK(to->releases()->size() == 3);
}

TEST_CASE("an import that was cut off leaves no alias on an old release") {
  TestFolder here, there;
  auto from = here.open(), to = there.open();
  promote_twice(*from);
  struct Stopping : Importer {
    using Importer::Importer;
    Status record(const json::Value& record) override {
      if (record.text("candidate_name") == "new") return Error::cancelled();
      return Importer::record(record);
    }
  } stopping(*to, {.from = "x", .releases = true});
  CHECK_FALSE(hand_over(*from, {.all = true}, stopping).ok());
  CHECK(to->releases()->empty());
  Importer whole(*to, {.from = "x", .releases = true});
  REQUIRE(hand_over(*from, {.all = true}, whole).ok());
  CHECK(whole.taken().releases == 2);
  CHECK(to->release_of("production")->value().candidate_name == "new");
}

TEST_CASE("a gate that ran elsewhere is no evidence") {
  TestFolder here, there;
  auto from = here.open(), to = there.open();
  auto inputs = json::Value::object();
  inputs.set("candidate", std::string(64, 'a'));
  Run gate{.kind = "gate", .name = "g"};
  gate.inputs = inputs;
  gate = *from->create_run(gate);
  REQUIRE(from->set_tags(gate.id, {{"verdict", "pass"}}).ok());
  REQUIRE(from->finish_run(gate.id, RunStatus::finished).ok());
  REQUIRE(import_all(*from, *to).ok());
  Release release{.candidate = std::string(64, 'a'), .candidate_name = "c"};
  release.candidate_object = *to->put_object("{}");
  release.gate_run_id = gate.id;
  CHECK(to->promote(release).error().code() == ErrorCode::permission_denied);
}

struct Measure : Sink {
  Status object(const std::string&) override { return {}; }
  Status record(const json::Value& record) override {
    largest = std::max(largest, record.dump().size());
    for (const auto* member : {"cases", "spans"})
      if (const auto* list = record.get(member)) rows += list->size();
    return {};
  }
  size_t largest = 0, rows = 0;
};

TEST_CASE("records are closed by their bytes, whatever they are of") {
  TestFolder here;
  auto store = here.open();
  const Run run = new_run(*store);
  const std::string large(100'000, 'x');
  std::vector<Case> cases;
  std::vector<SpanRecord> spans;
  for (int i = 0; i < 40; ++i) {
    cases.push_back({i, large, true, "", 1, false, {}});
    spans.push_back({"t", std::to_string(i), "", large, i, i, true, "", {}});
  }
  REQUIRE(store->put_cases(run.id, cases).ok());
  REQUIRE(store->put_spans(run.id, spans).ok());
  Measure measure;
  REQUIRE(hand_over(*store, {.all = true}, measure).ok());
  CHECK(measure.rows == 80);
  CHECK(measure.largest < 1'300'000);
}

}  // namespace
}  // namespace slipway::store
