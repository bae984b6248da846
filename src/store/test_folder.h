// For the tests of this folder: a fresh temporary folder, removed at the end of the scope.
//
//     TestFolder folder;
//     auto store = folder.open();      // std::shared_ptr<Store>; the test fails when it cannot
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "base/temporary_folder_test.h"
#include "store/store.h"

namespace slipway::store {

// What makes a file of version 3 one of version 2 again.
inline constexpr const char* undo_version_3 =
    "PRAGMA foreign_keys=OFF; DROP TABLE logged_models; DROP TABLE model_aliases; "
    "DROP TABLE trace_infos; "
    "DROP TABLE model_tags; DROP TABLE model_versions; DROP TABLE registered_models; "
    "DROP TABLE artifacts; DROP TABLE run_links; DROP TABLE experiment_tags; "
    "DROP TABLE experiments; ALTER TABLE runs DROP COLUMN user; "
    "ALTER TABLE runs DROP COLUMN deleted_ms; PRAGMA user_version=2;";

class TestFolder : public TemporaryFolder {
 public:
  TestFolder() : TemporaryFolder("store") {}

  std::string store_path() const { return *this / ".slipway"; }
  std::string records_path() const { return store_path() + "/records.db"; }
  std::shared_ptr<Store> open() const {
    auto store = Store::open(store_path());
    const std::string failure = store.ok() ? "" : store.error().to_string();
    INFO(failure);
    REQUIRE(store.ok());
    return *store;
  }
};

inline Run new_run(Store& store) {
  auto run = store.create_run({.kind = "eval", .name = "naive"});
  REQUIRE(run.ok());
  return *run;
}

}  // namespace slipway::store
