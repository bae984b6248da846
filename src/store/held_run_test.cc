#include "store/held_run.h"

#include "base/ids.h"
#include "store/test_folder.h"

using namespace slipway;
using namespace slipway::store;

TEST_CASE("what was stopped is taken up once, when its process is gone") {
  TestFolder folder;
  auto opened = folder.open();
  auto& store = *opened;
  auto inputs = json::Value::object();
  inputs.set("rows", 3);
  Run wanted;
  wanted.experiment = "home";
  wanted.kind = "sweep";
  wanted.inputs = inputs;
  const auto left = [&](const json::Value& same) {
    auto taken = take_unfinished(store, {.kind = "sweep"}, same);
    REQUIRE(taken.ok());
    return std::move(*taken);
  };
  CHECK_FALSE(left(inputs));
  std::string id;
  {
    const auto held = create_held(store, wanted);
    REQUIRE(held.ok());
    id = held->run.id;
    CHECK_FALSE(left(inputs));  // it is alive
  }
  CHECK_FALSE(left(json::Value::object()));
  {
    const auto again = left(inputs);
    REQUIRE(again);
    CHECK(again->run.id == id);
    CHECK_FALSE(left(inputs));
  }
  REQUIRE(store.finish_run(id, RunStatus::killed).ok());
  {
    const auto again = continue_or_begin(store, wanted);
    REQUIRE(again.ok());
    CHECK(again->resumed);
    CHECK(again->run.id == id);
    CHECK(store.find_run(id)->status == RunStatus::running);
    const auto beside = continue_or_begin(store, wanted);
    REQUIRE(beside.ok());
    CHECK_FALSE(beside->resumed);
    CHECK(beside->run.id != id);
    REQUIRE(store.finish_run(beside->run.id, RunStatus::finished).ok());
  }
  REQUIRE(store.set_tags(id, {{imported_tag, "elsewhere"}}).ok());
  CHECK_FALSE(left(inputs));
  const auto second = create_held(store, wanted)->run.id;
  REQUIRE(store.finish_run(second, RunStatus::finished).ok());
  CHECK_FALSE(left(inputs));
}

TEST_CASE("a run is locked before anybody can see it") {
  TestFolder folder;
  auto store = folder.open();
  const Run run{.id = new_run_id(), .kind = "sweep"};
  {
    auto lock = FileLock::try_lock(files::join(store->folder(), "locks/" + run.id));
    REQUIRE(lock.ok());
    REQUIRE(*lock);
    CHECK_FALSE(create_held(*store, run).ok());
    CHECK(store->list_runs({})->empty());
  }
  const auto held = create_held(*store, run);
  REQUIRE(held.ok());
  CHECK(held->run.id == run.id);
}
