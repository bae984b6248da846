#include "lab/lineage.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "store/test_folder.h"

using namespace slipway;
using namespace slipway::lab;

namespace {

struct Trainings {
  store::TestFolder folder;
  std::shared_ptr<store::Store> store = folder.open();

  std::string add(const std::string& kind, const std::string& adapter, json::Value inputs = {},
                  store::RunStatus status = store::RunStatus::finished) {
    store::Run run{.kind = kind};
    run.inputs = std::move(inputs);
    const auto created = store->create_run(run);
    REQUIRE(created.ok());
    REQUIRE(store->set_tags(created->id, {{"adapter_sha256", adapter}}).ok());
    REQUIRE(store->finish_run(created->id, status).ok());
    return created->id;
  }

  std::string add_mean(const std::string& adapter, const std::string& one,
                       const std::string& other) {
    auto others = json::Value::array();
    others.push_back(other);
    auto inputs = json::Value::object();
    inputs.set("action", "average").set("source_sha256", one).set("others_sha256", others);
    return add("adapter", adapter, inputs);
  }

  std::vector<std::string> makers(const std::string& adapter) {
    const auto runs = store->list_runs({});
    REQUIRE(runs.ok());
    const auto found = makers_of(*store, *runs, {adapter});
    REQUIRE(found.ok());
    std::vector<std::string> ids;
    for (const auto* run : *found) ids.push_back(run->id);
    std::sort(ids.begin() + (ids.empty() ? 0 : 1), ids.end());
    return ids;
  }
};

}  // namespace

TEST_CASE("an adapter was made by its training, a mean by the trainings of its members too") {
  Trainings t;
  const auto a = t.add("tune", "a"), b = t.add("tune", "b"), c = t.add("tune", "c");
  t.add("tune", "a", {}, store::RunStatus::failed);
  t.add("eval", "a");
  CHECK(t.makers("a") == std::vector{a});
  CHECK(t.makers("nobody's").empty());
  const auto mean = t.add_mean("mean", "a", "b");
  const auto whole = t.add_mean("whole", "mean", "c");
  auto all = std::vector{whole, a, b, c, mean};
  std::sort(all.begin() + 1, all.end());
  CHECK(t.makers("whole") == all);
}
