#include "base/clock.h"
#include "base/ids.h"
#include "base/text.h"
#include "store/pieces.h"
#include "store/records.h"
#include "store/store.h"
#include "store/store_impl.h"

namespace slipway::store {
namespace {

constexpr std::string_view kInsert = R"sql(
INSERT INTO runs (id, experiment, kind, name, parent_id, status, start_ms, end_ms, error, inputs,
                  environment, user)
VALUES (?, ?, ?, ?, nullif(?, ''), ?, ?, nullif(?, 0), ?, ?, ?, ?)
ON CONFLICT (id) DO NOTHING)sql";

constexpr int kMostListed = 10'000;
constexpr std::string_view kColumns =
    "SELECT id, experiment, kind, name, parent_id, status, start_ms, end_ms, error, inputs, "
    "environment, user FROM runs ";

Result<Run> run_of(const Statement& row) {
  Run run;
  run.id = row.text(0);
  run.experiment = row.text(1);
  run.kind = row.text(2);
  run.name = row.text(3);
  run.parent_id = row.text(4);
  SLIPWAY_TRY(status, run_status_of(row.text(5)));
  run.status = status;
  run.start_ms = row.integer(6);
  run.end_ms = row.integer(7);
  run.error = row.text(8);
  SLIPWAY_TRY(inputs, json_column(row, 9));
  SLIPWAY_TRY(environment, json_column(row, 10));
  run.inputs = std::move(inputs);
  run.environment = std::move(environment);
  run.user = row.text(11);
  return run;
}

Result<std::vector<Run>> runs_of(Statement& query) {
  std::vector<Run> runs;
  while (true) {
    SLIPWAY_TRY(row, query.step());
    if (!row) return runs;
    SLIPWAY_TRY(run, run_of(query));
    runs.push_back(std::move(run));
  }
}

Result<std::map<std::string, std::string>> read_pairs(ReadPool& readers, std::string_view sql,
                                                      const std::string& run_id) {
  SLIPWAY_TRY(reader, readers.take());
  SLIPWAY_TRY(query, reader->prepare(sql));
  query.bind(run_id);
  std::map<std::string, std::string> pairs;
  while (true) {
    SLIPWAY_TRY(row, query.step());
    if (!row) return pairs;
    pairs[query.text(0)] = query.text(1);
  }
}

}  // namespace

Result<RunStatus> run_status_of(std::string_view name) {
  for (const auto status :
       {RunStatus::running, RunStatus::finished, RunStatus::failed, RunStatus::killed}) {
    if (status_name(status) == name) return status;
  }
  return Error::corrupt("a run has the unknown status '" + std::string(name) + "'",
                        "restore records.db from a backup");
}

Status check_run(const Run& run) {
  SLIPWAY_CHECK(check_key("experiment", run.experiment));
  SLIPWAY_CHECK(check_key("run kind", run.kind));
  SLIPWAY_CHECK(check_text("a run's name", run.name));
  SLIPWAY_CHECK(check_text("a run's error", run.error));
  SLIPWAY_CHECK(check_text("a run's user", run.user));
  if (run.id.size() == 32 && is_hex_prefix(run.id)) return {};
  return Error::invalid_input("'" + run.id + "' is no run id",
                              "leave it empty, or give 32 lower-case hex characters");
}

Status insert_run(Database& database, const Run& run, const std::string& inputs,
                  const std::string& environment) {
  if (!run.parent_id.empty()) SLIPWAY_CHECK(require_run(database, run.parent_id));
  SLIPWAY_CHECK(ensure_experiment(database, run.experiment, run.start_ms));
  SLIPWAY_TRY(insert, database.prepare(kInsert));
  SLIPWAY_CHECK(insert
                    .bind(run.id, run.experiment, run.kind, run.name, run.parent_id,
                          status_name(run.status), run.start_ms, run.end_ms, run.error, inputs,
                          environment, run.user)
                    .run());
  if (database.changes() == 1) return {};
  return Error::already_exists("run '" + run.id + "' exists",
                               "leave the id empty to get a new one");
}

Status check_pairs(std::string_view what, const Pairs& pairs) {
  for (const auto& [key, value] : pairs) {
    SLIPWAY_CHECK(check_key(std::string(what) + " key", key));
    SLIPWAY_CHECK(check_text("the value of " + std::string(what) + " '" + key + "'", value));
  }
  return {};
}

// A param decided the result, so it is written once; the same value again is the same write.
Status insert_param(Database& database, const std::string& run_id, const std::string& key,
                    const std::string& value) {
  SLIPWAY_TRY(
      insert,
      database.prepare(
          "INSERT INTO params (run_id, key, value) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"));
  SLIPWAY_CHECK(insert.bind(run_id, key, value).run());
  if (database.changes() == 1) return {};
  SLIPWAY_TRY(query, database.prepare("SELECT value FROM params WHERE run_id = ? AND key = ?"));
  SLIPWAY_TRY(found, query.bind(run_id, key).step());
  if (found && query.text(0) == value) return {};
  return Error::invalid_input(
      "param '" + key + "' of run '" + run_id + "' has another value already",
      "a param is written once; use a tag for what changes, or a new run");
}

Status insert_tags(Database& database, const std::string& run_id, const Pairs& tags) {
  SLIPWAY_TRY(insert,
              database.prepare("INSERT INTO tags (run_id, key, value) VALUES (?, ?, ?) "
                               "ON CONFLICT (run_id, key) DO UPDATE SET value = excluded.value"));
  for (const auto& [key, value] : tags) SLIPWAY_CHECK(insert.bind(run_id, key, value).run());
  return {};
}

std::string_view status_name(RunStatus status) {
  switch (status) {
    case RunStatus::running:
      return "running";
    case RunStatus::finished:
      return "finished";
    case RunStatus::failed:
      return "failed";
    case RunStatus::killed:
      return "killed";
  }
  return "failed";
}

Result<Run> Store::create_run(Run run) {
  if (run.id.empty()) run.id = new_run_id();
  if (run.start_ms == 0) run.start_ms = now_unix_ms();
  SLIPWAY_CHECK(check_run(run));
  SLIPWAY_TRY(inputs, json_text("a run's inputs", run.inputs));
  SLIPWAY_TRY(environment, json_text("a run's environment", run.environment));
  SLIPWAY_CHECK(
      impl_->writer.write([&](Database& db) { return insert_run(db, run, inputs, environment); }));
  return run;
}

Status Store::take_run(const Run& run, const std::string& imported) {
  SLIPWAY_CHECK(check_run(run));
  SLIPWAY_TRY(inputs, json_text("a run's inputs", run.inputs));
  SLIPWAY_TRY(environment, json_text("a run's environment", run.environment));
  return impl_->writer.write([&](Database& db) -> Status {
    SLIPWAY_CHECK(insert_run(db, run, inputs, environment));
    if (imported.empty()) return {};
    SLIPWAY_TRY(tag, db.prepare("INSERT INTO tags (run_id, key, value) VALUES (?, ?, ?)"));
    return tag.bind(run.id, imported_tag, imported).run();
  });
}

Status Store::end_taken_run(const Run& run) {
  SLIPWAY_CHECK(check_text("a run's error", run.error));
  return impl_->writer.write([&](Database& db) -> Status {
    SLIPWAY_TRY(update, db.prepare("UPDATE runs SET status = ?, end_ms = nullif(?, 0), error = ? "
                                   "WHERE id = ?"));
    return update.bind(status_name(run.status), run.end_ms, run.error, run.id).run();
  });
}

Status Store::end_run(const std::string& id, const Status& outcome) {
  if (outcome.ok()) return finish_run(id, RunStatus::finished);
  const bool stopped = outcome.error().code() == ErrorCode::cancelled;
  return finish_run(id, stopped ? RunStatus::killed : RunStatus::failed, outcome.error().message());
}

Status Store::finish_run(const std::string& id, RunStatus status, const std::string& error) {
  SLIPWAY_CHECK(check_text("a run's error", error));
  const int64_t end_ms = status == RunStatus::running ? 0 : now_unix_ms();
  return impl_->writer.write([&](Database& db) -> Status {
    SLIPWAY_TRY(
        update,
        db.prepare("UPDATE runs SET status = ?, end_ms = nullif(?, 0), error = ? WHERE id = ?"));
    SLIPWAY_CHECK(update.bind(status_name(status), end_ms, error, id).run());
    if (db.changes() == 1) return {};
    return Error::not_found("no run '" + id + "'", "create the run first");
  });
}

Status Store::log_params(const std::string& run_id, const Pairs& params) {
  SLIPWAY_CHECK(check_pairs("param", params));
  return impl_->writer.write([&](Database& db) -> Status {
    SLIPWAY_CHECK(require_run(db, run_id));
    for (const auto& [key, value] : params) SLIPWAY_CHECK(insert_param(db, run_id, key, value));
    return {};
  });
}

Status Store::set_tags(const std::string& run_id, const Pairs& tags) {
  SLIPWAY_CHECK(check_pairs("tag", tags));
  return impl_->writer.write([&](Database& db) -> Status {
    SLIPWAY_CHECK(require_run(db, run_id));
    return insert_tags(db, run_id, tags);
  });
}

Result<Run> Store::find_run(std::string_view id_or_prefix) const {
  const std::string prefix = to_lower(id_or_prefix);
  if (prefix.size() < fewest_prefix_characters) {
    return Error::invalid_input("'" + prefix + "' is too short for a run id",
                                "give 4 or more characters of it");
  }
  const Error missing =
      Error::not_found("no run '" + prefix + "'", "list the runs to see their ids");
  if (!is_hex_prefix(prefix)) return missing;
  SLIPWAY_TRY(reader, impl_->readers.take());
  SLIPWAY_TRY(
      ids,
      reader->prepare("SELECT id FROM runs WHERE id >= ?1 AND id < ?1 || 'g' ORDER BY id LIMIT 5"));
  SLIPWAY_TRY(id, unique_id(ids.bind(prefix), "run", prefix));
  if (id.empty()) return missing;
  SLIPWAY_TRY(query, reader->prepare(std::string(kColumns) + "WHERE id = ?"));
  SLIPWAY_TRY(found, query.bind(id).step());
  if (!found) return missing;
  return run_of(query);
}

Result<std::vector<Run>> Store::list_runs(const RunQuery& wanted) const {
  if (wanted.limit < 1 || wanted.limit > kMostListed || wanted.offset < 0) {
    return Error::invalid_input("cannot list " + std::to_string(wanted.limit) + " runs from " +
                                    std::to_string(wanted.offset),
                                "ask for 1 to " + std::to_string(kMostListed) + " at a time");
  }
  std::string sql(kColumns);
  sql += "WHERE deleted_ms IS NULL";
  sql += " AND ?1 IS NOT NULL AND ?2 IS NOT NULL AND ?3 IS NOT NULL";  // each is named, used or not
  if (!wanted.experiment.empty()) sql += " AND experiment = ?1";
  if (!wanted.kind.empty()) sql += " AND kind = ?2";
  if (wanted.status) sql += " AND status = ?3";
  sql += wanted.parent_id.empty() ? " AND ?6 IS NOT NULL" : " AND parent_id = ?6";
  sql += " ORDER BY start_ms DESC, number DESC LIMIT ?4 OFFSET ?5";
  SLIPWAY_TRY(reader, impl_->readers.take());
  SLIPWAY_TRY(query, reader->prepare(sql));
  query.bind(wanted.experiment, wanted.kind,
             status_name(wanted.status.value_or(RunStatus::running)), wanted.limit, wanted.offset,
             wanted.parent_id);
  return runs_of(query);
}

// One statement, and no pages: what is written meanwhile can shift nothing.
Result<std::vector<Run>> Store::all_runs() const {
  SLIPWAY_TRY(reader, impl_->readers.take());
  SLIPWAY_TRY(query, reader->prepare(std::string(kColumns) +
                                     "WHERE deleted_ms IS NULL ORDER BY start_ms, number"));
  return runs_of(query);
}

Result<std::map<std::string, std::string>> Store::params(const std::string& run_id) const {
  return read_pairs(impl_->readers, "SELECT key, value FROM params WHERE run_id = ?", run_id);
}

Result<std::map<std::string, std::string>> Store::tags(const std::string& run_id) const {
  return read_pairs(impl_->readers, "SELECT key, value FROM tags WHERE run_id = ?", run_id);
}

}  // namespace slipway::store
