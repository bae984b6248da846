#include "store/group_commit.h"

#include <atomic>
#include <latch>

#include "store/test_folder.h"

namespace slipway::store {
namespace {

Database open_numbers(const TestFolder& folder) {
  auto database = Database::open(folder.path() + "/numbers.db", Database::Mode::write);
  REQUIRE(database.ok());
  REQUIRE(database
              ->execute("PRAGMA journal_mode=WAL; CREATE TABLE IF NOT EXISTS numbers (n INTEGER "
                        "UNIQUE) STRICT")
              .ok());
  return std::move(database).value();
}

Status insert(Database& database, int64_t n) {
  SLIPWAY_TRY(statement, database.prepare("INSERT INTO numbers VALUES (?)"));
  return statement.bind(n).run();
}

TEST_CASE(
    "writes that wait for the disk together share a transaction; one that fails is undone alone") {
  TestFolder folder;
  constexpr int writers = 16;
  size_t transactions = 0;
  std::atomic<int> failed = 0;
  {
    GroupCommit group(open_numbers(folder));
    std::latch held(1);
    std::latch inside(1);
    // The first write holds the writer until all others are queued.
    std::jthread first([&] {
      (void)group.write([&](Database&) {
        inside.count_down();
        held.wait();
        return Status();
      });
    });
    inside.wait();
    std::vector<std::jthread> threads;
    for (int n = 0; n < writers; ++n) {
      threads.emplace_back([&group, &failed, n] {
        const Status done = group.write([n](Database& db) -> Status {
          SLIPWAY_CHECK(insert(db, n));
          return n % 4 == 3 ? Status(Error::invalid_input("no", "")) : Status();
        });
        if (!done.ok()) ++failed;
      });
    }
    while (group.waiting() < writers) std::this_thread::yield();
    held.count_down();
    threads.clear();
    first.join();
    transactions = group.transactions();
  }
  CHECK(transactions == 2);
  CHECK(failed == writers / 4);
  Database database = open_numbers(folder);
  CHECK(*database.query_integer("SELECT count(*) FROM numbers") == writers - writers / 4);
  CHECK(*database.query_integer("SELECT count(*) FROM numbers WHERE n % 4 = 3") == 0);
}

TEST_CASE("an operation's own error comes back, and a later write succeeds") {
  TestFolder folder;
  GroupCommit group(open_numbers(folder));
  CHECK(group.write([](Database& db) { return insert(db, 1); }).ok());
  CHECK(group.write([](Database& db) { return insert(db, 1); }).error().code() ==
        ErrorCode::internal);
  CHECK(group.write([](Database& db) { return insert(db, 2); }).ok());
  CHECK(group.transactions() == 3);
}

}  // namespace
}  // namespace slipway::store
