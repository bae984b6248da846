#include "store/aliases.h"

#include "base/hash.h"
#include "store/database.h"
#include "store/schema.h"
#include "store/test_folder.h"

namespace slipway::store {
namespace {

// Beside what production is.
std::string gate_run(Store& store, const std::string& candidate, const std::string& verdict,
                     bool finished = true) {
  const auto now = store.release_of("production");
  REQUIRE(now.ok());
  auto inputs = json::Value::object();
  inputs.set("candidate", candidate).set("against", *now ? (*now)->candidate : "");
  auto run = store.create_run({.kind = "gate", .name = "g", .inputs = inputs});
  REQUIRE(run.ok());
  REQUIRE(store.set_tags(run->id, {{"verdict", verdict}}).ok());
  if (finished) REQUIRE(store.finish_run(run->id, RunStatus::finished).ok());
  return run->id;
}

Release release(Store& store, const std::string& name, const std::string& gate) {
  Release made;
  made.candidate = sha256_hex(name);
  made.candidate_name = name;
  made.candidate_object = *store.put_object(name);
  made.engine_id = "engine";
  made.gate_run_id = gate;
  made.who = "ada";
  return made;
}

std::string current(const Store& store) {
  const auto found = store.release_of("production");
  REQUIRE(found.ok());
  return *found ? (*found)->candidate_name : "";
}

TEST_CASE("promote moves the alias, rollback returns, twice too, and nothing is forgotten") {
  TestFolder folder;
  auto store = folder.open();
  CHECK(current(*store).empty());
  for (const std::string name : {"a", "b", "c"}) {
    const auto gate = gate_run(*store, sha256_hex(name), "pass");
    auto made = store->promote(release(*store, name, gate));
    REQUIRE(made.ok());
    CHECK(made->action == "promote");
    CHECK(current(*store) == name);
  }
  REQUIRE(store->roll_back("production", "eve", "too slow").ok());
  CHECK(current(*store) == "b");
  REQUIRE(store->roll_back("production", "eve").ok());
  CHECK(current(*store) == "a");
  CHECK(store->roll_back("production", "eve").error().code() == ErrorCode::not_found);
  CHECK(store->roll_back("staging", "eve").error().code() == ErrorCode::not_found);
  const auto history = store->releases("production");
  REQUIRE(history.ok());
  REQUIRE(history->size() == 5);
  CHECK((*history)[1].action == "rollback");
  CHECK((*history)[1].who == "eve");
  CHECK((*history)[1].because == "too slow");
  CHECK((*history)[1].gate_run_id == (*history)[3].gate_run_id);  // b's own evidence
  CHECK(store->releases("staging")->empty());
  // After a rollback, what comes next stands on what was current then.
  REQUIRE(store->promote(release(*store, "b", gate_run(*store, sha256_hex("b"), "pass"))).ok());
  REQUIRE(store->roll_back("production", "eve").ok());
  CHECK(current(*store) == "a");
}

TEST_CASE("without a passing gate of this very candidate nothing moves") {
  TestFolder folder;
  auto store = folder.open();
  const auto id = sha256_hex("a");
  const std::string refused[] = {gate_run(*store, id, "fail"),
                                 gate_run(*store, id, "undecided"),
                                 gate_run(*store, sha256_hex("b"), "pass"),
                                 gate_run(*store, id, "pass", false),
                                 new_run(*store).id,
                                 ""};
  for (const auto& gate : refused) {
    CHECK(store->promote(release(*store, "a", gate)).error().code() ==
          ErrorCode::permission_denied);
  }
  const auto unknown = std::string(32, '0');
  CHECK(store->promote(release(*store, "a", unknown)).error().code() == ErrorCode::not_found);
  CHECK(current(*store).empty());
  CHECK(store->releases()->empty());
}

TEST_CASE("a gate beside something else than what is replaced is no evidence") {
  TestFolder folder;
  auto store = folder.open();
  const auto before = gate_run(*store, sha256_hex("b"), "pass");
  REQUIRE(store->promote(release(*store, "a", gate_run(*store, sha256_hex("a"), "pass"))).ok());
  const auto refused = store->promote(release(*store, "b", before)).error();
  CHECK(refused.code() == ErrorCode::permission_denied);
  CHECK(refused.hint() == "run `slipway gate b --against production`");
  CHECK(current(*store) == "a");
  REQUIRE(store->promote(release(*store, "b", gate_run(*store, sha256_hex("b"), "pass"))).ok());
}

TEST_CASE("forcing is possible and is recorded with its reason") {
  TestFolder folder;
  auto store = folder.open();
  auto first = release(*store, "a", "");
  first.because = "the first of all";
  REQUIRE(store->promote(first).ok());
  const auto found = store->release_of("production");
  REQUIRE(found.ok());
  CHECK((*found)->forced());
  CHECK((*found)->because == "the first of all");
  auto lost = release(*store, "b", "");
  lost.because = "x";
  lost.candidate_object = sha256_hex("never put");
  CHECK(store->promote(lost).error().code() == ErrorCode::not_found);
}

TEST_CASE("looks at a test split are counted by its rows, without reproductions") {
  TestFolder folder;
  auto store = folder.open();
  const auto eval = [&](const char* candidate, const char* split, RunStatus status,
                        const std::string& parent = {}) {
    auto inputs = json::Value::object();
    inputs.set("candidate", candidate).set("dataset_sha256", "d").set("split", split);
    auto run = store->create_run({.kind = "eval", .parent_id = parent, .inputs = inputs});
    REQUIRE(run.ok());
    REQUIRE(store->finish_run(run->id, status).ok());
  };
  eval("a", "test", RunStatus::finished);
  eval("a", "test", RunStatus::finished);
  eval("b", "test", RunStatus::finished);
  eval("c", "dev", RunStatus::finished);
  eval("c", "test", RunStatus::killed);
  auto again = store->create_run({.kind = "reproduce"});
  eval("c", "test", RunStatus::finished, again->id);
  CHECK(store->looks("d")->runs == 3);
  CHECK(store->looks("d")->candidates == 2);
  CHECK(store->looks("e")->runs == 0);
}

// A file as version 1 left it: the current one without what came later.
void make_version_1(const std::string& records) {
  auto database = Database::open(records, Database::Mode::write);
  REQUIRE(database.ok());
  REQUIRE(database->execute(undo_version_3).ok());
  REQUIRE(database->execute("DROP TABLE releases; PRAGMA user_version=1").ok());
}

TEST_CASE("a store of version 1 is brought up to date and keeps what it holds") {
  TestFolder folder;
  std::string run_id;
  {
    auto store = folder.open();
    run_id = new_run(*store).id;
    REQUIRE(store->log_params(run_id, {{"lr", "0.1"}}).ok());
  }
  make_version_1(folder.records_path());
  auto store = folder.open();
  CHECK(store->find_run(run_id).ok());
  CHECK(store->params(run_id)->at("lr") == "0.1");
  REQUIRE(store->promote(release(*store, "a", gate_run(*store, sha256_hex("a"), "pass"))).ok());
  CHECK(current(*store) == "a");
  CHECK(store->verify()->empty());
  auto database = Database::open(folder.records_path(), Database::Mode::read);
  CHECK(*database->query_integer("PRAGMA user_version") == schema_version);
}

}  // namespace
}  // namespace slipway::store
