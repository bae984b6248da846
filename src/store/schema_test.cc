#include "store/schema.h"

#include "store/test_folder.h"

namespace slipway::store {
namespace {

Database open_file(const std::string& path) {
  auto database = Database::open(path, Database::Mode::write);
  REQUIRE(database.ok());
  return std::move(database).value();
}

TEST_CASE("an empty file of version 0 becomes a store of the current version") {
  TestFolder folder;
  REQUIRE(files::make_directories(folder.store_path()).ok());
  {
    Database empty = open_file(folder.records_path());
    REQUIRE(empty.execute("VACUUM").ok());  // a file with a header and no table
    CHECK(*empty.query_integer("PRAGMA user_version") == 0);
  }
  CHECK(folder.open()->create_run({.kind = "eval"}).ok());
  Database database = open_file(folder.records_path());
  CHECK(*database.query_integer("PRAGMA user_version") == schema_version);
  CHECK(*database.query_integer("PRAGMA application_id") == application_id);
  CHECK(*database.query_integer("SELECT count(*) FROM runs") == 1);
}

TEST_CASE("opening again changes nothing; without create nothing is made") {
  TestFolder folder;
  CHECK(Store::open(folder.store_path(), false).error().code() == ErrorCode::not_found);
  CHECK_FALSE(files::exists(folder.store_path()));
  const std::string id = new_run(*folder.open()).id;
  auto again = Store::open(folder.store_path(), false);
  REQUIRE(again.ok());
  CHECK((*again)->find_run(id).ok());
  CHECK(*files::read(folder.store_path() + "/.gitignore") == "*\n");
}

TEST_CASE("a newer version is refused by name and left as it is") {
  TestFolder folder;
  folder.open();
  REQUIRE(open_file(folder.records_path()).execute("PRAGMA user_version=99").ok());
  const auto store = Store::open(folder.store_path());
  REQUIRE_FALSE(store.ok());
  CHECK(store.error().code() == ErrorCode::unsupported);
  CHECK(store.error().message().find("version 99") != std::string::npos);
  CHECK_FALSE(store.error().hint().empty());
  CHECK(*open_file(folder.records_path()).query_integer("PRAGMA user_version") == 99);
}

TEST_CASE("a stranger's SQLite file and a file that is none are refused") {
  TestFolder folder;
  REQUIRE(files::make_directories(folder.store_path()).ok());
  REQUIRE(open_file(folder.records_path()).execute("CREATE TABLE t (x)").ok());
  CHECK(Store::open(folder.store_path()).error().code() == ErrorCode::corrupt);
  REQUIRE(files::write_atomic(folder.records_path(), std::string(8192, 'x')).ok());
  CHECK(Store::open(folder.store_path()).error().code() == ErrorCode::corrupt);
}

TEST_CASE("a table's rules hold, and the log is written ahead and synced") {
  TestFolder folder;
  folder.open();
  Database database = open_file(folder.records_path());
  CHECK(*database.query_integer("PRAGMA synchronous") == 2);  // FULL
  CHECK(*database.query_integer("PRAGMA foreign_keys") == 1);
  auto mode = database.prepare("PRAGMA journal_mode");
  REQUIRE(*mode->step());
  CHECK(mode->text(0) == "wal");
  CHECK_FALSE(database.execute("INSERT INTO tags VALUES ('no such run', 'k', 'v')").ok());
  CHECK_FALSE(database.execute("INSERT INTO answers VALUES ('k', 'no integer', '{}')").ok());
}

TEST_CASE("a reading connection cannot write") {
  TestFolder folder;
  folder.open();
  auto reader = Database::open(folder.records_path(), Database::Mode::read);
  REQUIRE(reader.ok());
  CHECK_FALSE(reader->execute("DELETE FROM runs").ok());
}

}  // namespace
}  // namespace slipway::store
