// The SQL of docs/format/store.md, run as it stands there: whoever reads the file without us gets
// our numbers.
#include <cmath>

#include "store/database.h"
#include "store/test_folder.h"

namespace slipway::store {
namespace {

// The fenced block that follows the line `<!-- query: name -->`.
std::string documented(const std::string& name) {
  const auto page = files::read("docs/format/store.md");
  REQUIRE(page.ok());
  const std::string mark = "<!-- query: " + name + " -->\n```sql\n";
  const size_t begin = page->find(mark);
  INFO(name);
  REQUIRE(begin != std::string::npos);
  const size_t start = begin + mark.size();
  return page->substr(start, page->find("```", start) - start);
}

Statement ask(Database& database, const std::string& name, const std::string& run_id) {
  auto query = database.prepare(documented(name));
  const std::string failure = query.ok() ? "" : query.error().to_string();
  INFO(name, " ", failure);
  REQUIRE(query.ok());
  query->bind(run_id);
  const auto row = query->step();
  REQUIRE(row.ok());
  REQUIRE(*row);
  return std::move(query).value();
}

struct Measured {
  TestFolder folder;
  std::string run_id;
  Measured() {
    auto store = folder.open();
    run_id = new_run(*store).id;
    auto valid = json::Value::object();
    valid.set("valid", true);
    std::vector<Case> cases;
    for (int64_t i = 0; i < 100; ++i) {
      // 98 pass; four are remembered answers without a latency; the other 96 take 1 to 96 ms.
      const bool cached = i >= 96;
      cases.push_back({i, "e" + std::to_string(i), i >= 2, "out",
                       cached ? 0.0 : 96.0 - static_cast<double>(i), cached,
                       i == 0 ? json::Value::object() : valid});
    }
    REQUIRE(store->put_cases(run_id, cases).ok());
    const std::string other = new_run(*store).id;
    REQUIRE(
        store
            ->put_cases(other, {{0, "e0", true, "out", 1e6, false, valid}, {2, "e2", false, "out"}})
            .ok());
    REQUIRE(store->log_metrics(run_id, {{"exact_match", 0.98}}).ok());
  }
  Database open() const {
    auto database = Database::open(folder.records_path(), Database::Mode::read);
    REQUIRE(database.ok());
    return std::move(database).value();
  }
};

TEST_CASE("documented SQL: exact match, valid calls and the Wilson interval") {
  Measured measured;
  Database database = measured.open();
  const Statement row = ask(database, "exact match", measured.run_id);
  CHECK(row.integer(0) == 98);
  CHECK(row.integer(1) == 100);
  CHECK(row.real(2) == doctest::Approx(0.98));
  CHECK(row.integer(3) == 99);
  const Statement interval = ask(database, "wilson", measured.run_id);
  CHECK(interval.real(0) == doctest::Approx(0.9300).epsilon(0.001));  // Wilson 1927, 98 of 100
  CHECK(interval.real(1) == doctest::Approx(0.9945).epsilon(0.001));
}

TEST_CASE("documented SQL: latency of computed answers, interpolated as the report does") {
  Measured measured;
  Database database = measured.open();
  const Statement row = ask(database, "latency", measured.run_id);
  CHECK(row.real(0) == doctest::Approx(48.5));  // the middle of 48 and 49
  CHECK(row.integer(1) == 96);
}

TEST_CASE("documented SQL: what passed in one run only, latest metrics, traces") {
  Measured measured;
  Database database = measured.open();
  auto compare = database.prepare(documented("compare"));
  REQUIRE(compare.ok());
  auto others = database.prepare("SELECT id FROM runs WHERE id <> ?");
  REQUIRE(*others->bind(measured.run_id).step());
  compare->bind(measured.run_id, others->text(0));
  REQUIRE(*compare->step());
  CHECK(compare->integer(0) == 1);  // e2
  CHECK(compare->integer(1) == 1);  // e0
  const Statement metric = ask(database, "latest metrics", measured.run_id);
  CHECK(metric.text(0) == "exact_match");
  CHECK(metric.real(1) == 0.98);
  CHECK(database.prepare(documented("traces")).ok());
}

}  // namespace
}  // namespace slipway::store
