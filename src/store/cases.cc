#include "store/records.h"
#include "store/store.h"
#include "store/store_impl.h"

namespace slipway::store {
namespace {

Result<std::vector<std::string>> details_of(const std::vector<Case>& cases) {
  std::vector<std::string> details;
  for (const auto& c : cases) {
    if (c.index < 0)
      return Error::invalid_input("a case with index " + std::to_string(c.index), "count from 0");
    SLIPWAY_CHECK(check_text("a case's example id", c.example_id));
    SLIPWAY_CHECK(check_text("a case's output", c.output));
    SLIPWAY_TRY(detail, json_text("a case's detail", c.detail));
    details.push_back(std::move(detail));
  }
  return details;
}

Result<Case> case_of(const Statement& row) {
  Case c;
  c.index = row.integer(0);
  c.example_id = row.text(1);
  c.passed = row.integer(2) != 0;
  c.output = row.text(3);
  c.latency_ms = row.real(4);
  c.cached = row.integer(5) != 0;
  SLIPWAY_TRY(detail, json_column(row, 6));
  c.detail = std::move(detail);
  return c;
}

}  // namespace

Status Store::put_cases(const std::string& run_id, const std::vector<Case>& cases) {
  SLIPWAY_TRY(details, details_of(cases));
  return impl_->writer.write([&](Database& db) -> Status {
    SLIPWAY_CHECK(require_run(db, run_id));
    SLIPWAY_TRY(insert,
                db.prepare("INSERT INTO cases (run_id, idx, example_id, passed, output, "
                           "latency_ms, cached, detail) "
                           "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (run_id, idx) DO NOTHING"));
    for (size_t i = 0; i < cases.size(); ++i) {
      const Case& c = cases[i];
      SLIPWAY_CHECK(insert
                        .bind(run_id, c.index, c.example_id, c.passed, c.output, c.latency_ms,
                              c.cached, details[i])
                        .run());
    }
    return {};
  });
}

Result<std::vector<Case>> Store::cases(const std::string& run_id) const {
  SLIPWAY_TRY(reader, impl_->readers.take());
  SLIPWAY_TRY(query,
              reader->prepare(
                  "SELECT idx, example_id, passed, output, latency_ms, cached, detail FROM cases "
                  "WHERE run_id = ? ORDER BY idx"));
  query.bind(run_id);
  std::vector<Case> cases;
  while (true) {
    SLIPWAY_TRY(row, query.step());
    if (!row) return cases;
    SLIPWAY_TRY(c, case_of(query));
    cases.push_back(std::move(c));
  }
}

Result<std::vector<Outcome>> Store::outcomes(const std::string& run_id) const {
  SLIPWAY_TRY(reader, impl_->readers.take());
  SLIPWAY_TRY(query, reader->prepare(
                         "SELECT example_id, passed FROM cases WHERE run_id = ? ORDER BY idx"));
  query.bind(run_id);
  std::vector<Outcome> outcomes;
  while (true) {
    SLIPWAY_TRY(row, query.step());
    if (!row) return outcomes;
    outcomes.push_back({query.text(0), query.integer(1) != 0});
  }
}

}  // namespace slipway::store
