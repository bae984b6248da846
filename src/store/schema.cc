#include "store/schema.h"

#include <chrono>
#include <iterator>
#include <string>
#include <thread>

namespace slipway::store {
namespace {

constexpr const char* kVersion1 = R"sql(
CREATE TABLE runs (
  number      INTEGER PRIMARY KEY,
  id          TEXT NOT NULL UNIQUE,
  experiment  TEXT NOT NULL,
  kind        TEXT NOT NULL,
  name        TEXT NOT NULL,
  parent_id   TEXT REFERENCES runs(id),
  status      TEXT NOT NULL CHECK (status IN ('running', 'finished', 'failed', 'killed')),
  start_ms    INTEGER NOT NULL,
  end_ms      INTEGER,
  error       TEXT NOT NULL,
  inputs      TEXT NOT NULL,
  environment TEXT NOT NULL
) STRICT;
CREATE INDEX runs_by_start      ON runs (start_ms);
CREATE INDEX runs_by_experiment ON runs (experiment, start_ms);
CREATE INDEX runs_by_kind       ON runs (kind, start_ms);
CREATE INDEX runs_by_status     ON runs (status, start_ms);
CREATE INDEX runs_by_parent     ON runs (parent_id) WHERE parent_id IS NOT NULL;

CREATE TABLE params (
  run_id TEXT NOT NULL REFERENCES runs(id),
  key    TEXT NOT NULL,
  value  TEXT NOT NULL,
  PRIMARY KEY (run_id, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE tags (
  run_id TEXT NOT NULL REFERENCES runs(id),
  key    TEXT NOT NULL,
  value  TEXT NOT NULL,
  PRIMARY KEY (run_id, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE metrics_latest (
  run_id  TEXT NOT NULL REFERENCES runs(id),
  key     TEXT NOT NULL,
  value   REAL,
  step    INTEGER NOT NULL,
  unix_ms INTEGER NOT NULL,
  PRIMARY KEY (run_id, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE metric_chunks (
  number     INTEGER PRIMARY KEY,
  run_id     TEXT NOT NULL REFERENCES runs(id),
  key        TEXT NOT NULL,
  first_step INTEGER NOT NULL,
  last_step  INTEGER NOT NULL,
  points     INTEGER NOT NULL,
  sha256     BLOB NOT NULL CHECK (length(sha256) = 32),
  payload    BLOB NOT NULL,
  UNIQUE (run_id, key, first_step, sha256)
) STRICT;

CREATE TABLE cases (
  run_id     TEXT NOT NULL REFERENCES runs(id),
  idx        INTEGER NOT NULL,
  example_id TEXT NOT NULL,
  passed     INTEGER NOT NULL CHECK (passed IN (0, 1)),
  output     TEXT NOT NULL,
  latency_ms REAL,
  cached     INTEGER NOT NULL CHECK (cached IN (0, 1)),
  detail     TEXT NOT NULL,
  PRIMARY KEY (run_id, idx)
) STRICT;

CREATE TABLE span_chunks (
  number  INTEGER PRIMARY KEY,
  run_id  TEXT REFERENCES runs(id),
  spans   INTEGER NOT NULL,
  sha256  BLOB NOT NULL UNIQUE CHECK (length(sha256) = 32),
  payload BLOB NOT NULL
) STRICT;

CREATE TABLE trace_index (
  trace_id      TEXT NOT NULL,
  chunk         INTEGER NOT NULL REFERENCES span_chunks(number),
  run_id        TEXT REFERENCES runs(id),
  root_name     TEXT,
  start_unix_ns INTEGER NOT NULL,
  PRIMARY KEY (trace_id, chunk)
) STRICT, WITHOUT ROWID;
CREATE INDEX trace_index_by_run   ON trace_index (run_id, start_unix_ns);
CREATE INDEX trace_index_by_chunk ON trace_index (chunk);

CREATE TABLE entities (
  number     INTEGER PRIMARY KEY,
  kind       TEXT NOT NULL,
  id         TEXT NOT NULL,
  name       TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  put_ms     INTEGER NOT NULL,
  content    TEXT NOT NULL,
  UNIQUE (kind, id, name)
) STRICT;
CREATE INDEX entities_by_name ON entities (kind, name, put_ms);

CREATE TABLE answers (
  key        TEXT PRIMARY KEY NOT NULL,
  created_ms INTEGER NOT NULL,
  answer     TEXT NOT NULL
) STRICT;
)sql";

constexpr const char* kVersion2 = R"sql(
CREATE TABLE releases (
  number           INTEGER PRIMARY KEY,
  alias            TEXT NOT NULL,
  action           TEXT NOT NULL CHECK (action IN ('promote', 'rollback')),
  candidate        TEXT NOT NULL,
  candidate_name   TEXT NOT NULL,
  candidate_object TEXT NOT NULL,
  engine_id        TEXT NOT NULL,
  gate_run_id      TEXT REFERENCES runs(id),
  because          TEXT NOT NULL,
  who              TEXT NOT NULL,
  unix_ms          INTEGER NOT NULL,
  previous         INTEGER REFERENCES releases(number)
) STRICT;
CREATE INDEX releases_by_alias ON releases (alias, number);
)sql";

constexpr const char* kVersion3 = R"sql(
CREATE TABLE experiments (
  number            INTEGER PRIMARY KEY,
  name              TEXT NOT NULL UNIQUE,
  artifact_location TEXT NOT NULL,
  created_ms        INTEGER NOT NULL,
  updated_ms        INTEGER NOT NULL,
  deleted_ms        INTEGER
) STRICT;
CREATE TABLE experiment_tags (
  experiment INTEGER NOT NULL REFERENCES experiments(number),
  key        TEXT NOT NULL,
  value      TEXT NOT NULL,
  PRIMARY KEY (experiment, key)
) STRICT, WITHOUT ROWID;
INSERT INTO experiments (number, name, artifact_location, created_ms, updated_ms)
VALUES (0, 'Default', '', unixepoch() * 1000, unixepoch() * 1000);
INSERT INTO experiments (name, artifact_location, created_ms, updated_ms)
SELECT experiment, '', min(start_ms), min(start_ms) FROM runs WHERE experiment != 'Default'
GROUP BY experiment ORDER BY min(number);

ALTER TABLE runs ADD COLUMN user TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN deleted_ms INTEGER;

CREATE TABLE run_links (
  run_id  TEXT NOT NULL REFERENCES runs(id),
  kind    TEXT NOT NULL CHECK (kind IN ('dataset', 'input_model', 'output_model')),
  key     TEXT NOT NULL,
  number  INTEGER NOT NULL,
  content TEXT NOT NULL,
  PRIMARY KEY (run_id, kind, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE artifacts (
  path   TEXT PRIMARY KEY NOT NULL,
  sha256 TEXT NOT NULL CHECK (length(sha256) = 64),
  bytes  INTEGER NOT NULL,
  put_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE registered_models (
  number      INTEGER PRIMARY KEY,
  name        TEXT NOT NULL UNIQUE,
  description TEXT NOT NULL,
  created_ms  INTEGER NOT NULL,
  updated_ms  INTEGER NOT NULL
) STRICT;
CREATE TABLE model_versions (
  model       INTEGER NOT NULL REFERENCES registered_models(number),
  version     INTEGER NOT NULL,
  description TEXT NOT NULL,
  source      TEXT NOT NULL,
  run_id      TEXT NOT NULL,
  run_link    TEXT NOT NULL,
  model_id    TEXT NOT NULL,
  stage       TEXT NOT NULL,
  user        TEXT NOT NULL,
  created_ms  INTEGER NOT NULL,
  updated_ms  INTEGER NOT NULL,
  PRIMARY KEY (model, version)
) STRICT, WITHOUT ROWID;
CREATE TABLE model_tags (
  model   INTEGER NOT NULL REFERENCES registered_models(number),
  version INTEGER NOT NULL,
  key     TEXT NOT NULL,
  value   TEXT NOT NULL,
  PRIMARY KEY (model, version, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE model_aliases (
  model   INTEGER NOT NULL REFERENCES registered_models(number),
  alias   TEXT NOT NULL,
  version INTEGER NOT NULL,
  PRIMARY KEY (model, alias)
) STRICT, WITHOUT ROWID;
CREATE TABLE logged_models (
  number     INTEGER PRIMARY KEY,
  id         TEXT NOT NULL UNIQUE,
  experiment INTEGER NOT NULL REFERENCES experiments(number),
  run_id     TEXT NOT NULL,
  name       TEXT NOT NULL,
  type       TEXT NOT NULL,
  status     TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  updated_ms INTEGER NOT NULL,
  deleted_ms INTEGER,
  params     TEXT NOT NULL,
  tags       TEXT NOT NULL
) STRICT;
CREATE TABLE trace_infos (
  id         TEXT PRIMARY KEY NOT NULL,
  experiment INTEGER NOT NULL REFERENCES experiments(number),
  put_ms     INTEGER NOT NULL,
  content    TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX logged_models_by_experiment ON logged_models (experiment, created_ms);
)sql";

// The n-th moves a file from version n to n + 1.
constexpr const char* kMigrations[] = {kVersion1, kVersion2, kVersion3};
static_assert(std::size(kMigrations) == schema_version);

Result<int64_t> version_of(Database& database) {
  SLIPWAY_TRY(version, database.query_integer("PRAGMA user_version"));
  if (version > schema_version) {
    return Error::unsupported("the store has format version " + std::to_string(version) +
                                  "; this slipway knows versions up to " +
                                  std::to_string(schema_version),
                              "use the newer slipway that wrote it");
  }
  SLIPWAY_TRY(application, database.query_integer("PRAGMA application_id"));
  SLIPWAY_TRY(objects, database.query_integer("SELECT count(*) FROM sqlite_schema"));
  const bool empty = application == 0 && version == 0 && objects == 0;
  if (!empty && (application != application_id || version < 1)) {
    return Error::corrupt("records.db is an SQLite file, but not a store of slipway",
                          "move it away, or name another folder");
  }
  return version;
}

// Switching to WAL does not wait for other processes as writes do; two that create one store at
// once must.
Status switch_to_wal(Database& database) {
  constexpr int most_attempts = 1'000;
  for (int attempt = 1;; ++attempt) {
    const Status status = database.execute("PRAGMA journal_mode=WAL");
    if (status.ok() || status.error().code() != ErrorCode::unavailable || attempt == most_attempts)
      return status;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

Status migrate(Database& database) {
  SLIPWAY_TRY(transaction, Transaction::begin(database));
  SLIPWAY_TRY(version, version_of(database));  // again: another process may have been first
  for (int64_t next = version; next < schema_version; ++next) {
    SLIPWAY_CHECK(database.execute(kMigrations[next]));
  }
  SLIPWAY_CHECK(database.execute("PRAGMA application_id=" + std::to_string(application_id) +
                                 "; PRAGMA user_version=" + std::to_string(schema_version)));
  return transaction.commit();
}

}  // namespace

Status prepare_schema(Database& database) {
  SLIPWAY_TRY(version, version_of(database));
  SLIPWAY_CHECK(switch_to_wal(database));
  SLIPWAY_CHECK(database.execute("PRAGMA journal_size_limit=67108864"));
  if (version < schema_version) return migrate(database);
  return {};
}

}  // namespace slipway::store
