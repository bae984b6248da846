// The store: everything Slipway did and with what. One folder, `.slipway/`: content-addressed
// objects beside one SQLite file of records (docs/format/store.md is the promise; this is the
// door).
//
//     SLIPWAY_TRY(store, Store::open(".slipway"));
//     SLIPWAY_TRY(run, store->create_run({.experiment = "home", .kind = "eval", .name = "naive"}));
//     SLIPWAY_CHECK(store->log_metrics(run.id, {{"exact_match", 0.42}}));
//     SLIPWAY_CHECK(store->finish_run(run.id, RunStatus::finished));
//
// Durability: a call that returned success is on disk (WAL, synchronous=FULL); concurrent writers
// share one fsync (group commit). Thread-safe; several processes may open one store. Errors:
// unavailable (disk), corrupt, not_found, and exhausted (disk full; what was acknowledged stays).
// Writing to an unknown run is not_found; reading what an unknown run logged is empty. Limits
// (docs/format/store.md#limits): keys 250 bytes, texts and JSON 16 MiB, objects 1 GiB.
//
// After fork(2) a child opens its own Store.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/tracer.h"
#include "json/value.h"
#include "store/aliases.h"

namespace slipway::store {

enum class RunStatus { running, finished, failed, killed };
std::string_view status_name(RunStatus status);

// The tag of a run that came from another store, and from which (store/transfer.h).
inline constexpr const char* imported_tag = "imported";
// The tag of a gate's run that a promotion relies on (store/aliases.h).
inline constexpr const char* verdict_tag = "verdict";

struct Run {
  std::string id;  // 32 hex characters
  std::string experiment = "default";
  std::string kind;       // eval, ask, demo, tune, ... or a client's own
  std::string name;       // for people
  std::string parent_id;  // empty: no parent
  RunStatus status = RunStatus::running;
  int64_t start_ms = 0;
  int64_t end_ms = 0;  // 0 while running
  std::string error;   // when failed
  // What decided the result: candidate id, dataset hash, seed ...; where: machine, engine id,
  // command line (masked), git commit and the hash of the (masked) diff. docs/format/store.md lists
  // the keys.
  json::Value inputs;
  json::Value environment;
  std::string user;  // who started it, as a client said
};

struct Metric {
  std::string key;
  double value = 0;
  int64_t step = 0;
  int64_t unix_ms = 0;  // 0: now
};

struct RunQuery {
  std::string experiment;  // empty: all
  std::string kind;        // empty: all
  std::optional<RunStatus> status;
  int limit = 50;
  int offset = 0;         // newest first
  std::string parent_id;  // empty: all
};

// One example scored in one run. `detail` holds the output, the scores and what cost what.
struct Case {
  int64_t index = 0;  // position in the dataset
  std::string example_id;
  bool passed = false;
  std::string output;
  double latency_ms = 0;
  bool cached = false;
  json::Value detail;
};

// What of a case a comparison needs.
struct Outcome {
  std::string example_id;
  bool passed = false;
};

// A named, versioned thing: candidate, prompt, dataset, alias target. `id` is the hash of
// `content`.
struct Entity {
  std::string kind;  // candidate, prompt, dataset
  std::string id;    // SHA-256 of the content object
  std::string name;
  int64_t created_ms = 0;
  // The canonical description (small); large parts are objects named in it by hash.
  json::Value content;
  int64_t put_ms = 0;  // the one of a name put last is the current one
};

// How often a test split has been looked at: each look makes what looks best a little less so.
struct Looks {
  int64_t runs = 0;        // finished evaluations, without reproductions
  int64_t candidates = 0;  // different ones among them
};

class Store {
 public:
  // Creates the folder when `create`; migrates an older format version; refuses a newer one.
  static Result<std::shared_ptr<Store>> open(const std::string& folder, bool create = true);
  struct Impl;
  explicit Store(std::unique_ptr<Impl> impl);  // `open` calls it
  ~Store();

  // Objects: bytes by SHA-256, zstd-compressed, written once, fsynced, verified when read.
  Result<std::string> put_object(std::string_view bytes);
  Result<std::string> get_object(std::string_view sha256) const;
  bool has_object(std::string_view sha256) const;

  // Runs.
  Result<Run> create_run(Run run);  // fills id and start when empty
  // `running` reopens it.
  Status finish_run(const std::string& id, RunStatus status, const std::string& error = {});
  // As the work ended: finished, killed (Error cancelled) or failed, with the error's message.
  Status end_run(const std::string& id, const Status& outcome);
  // A param is written once: another value for its key is invalid_input, the same again is no
  // write.
  Status log_params(const std::string& run_id,
                    const std::vector<std::pair<std::string, std::string>>& params);
  // A point equal in key, step, time and value to an earlier one is the same point; NaN and
  // infinities are values.
  Status log_metrics(const std::string& run_id, const std::vector<Metric>& metrics);
  // The last value of a tag stands.
  Status set_tags(const std::string& run_id,
                  const std::vector<std::pair<std::string, std::string>>& tags);
  // A full id or a unique prefix of at least 4 characters. Errors: not_found, invalid_input
  // (ambiguous).
  Result<Run> find_run(std::string_view id_or_prefix) const;
  Result<std::vector<Run>> list_runs(const RunQuery& query) const;
  Result<std::vector<Run>> all_runs() const;  // oldest first, as they are at one moment
  Result<std::map<std::string, std::string>> params(const std::string& run_id) const;
  Result<std::map<std::string, std::string>> tags(const std::string& run_id) const;
  // Of each key the point with the greatest step, among those the latest.
  Result<std::map<std::string, double>> latest_metrics(const std::string& run_id) const;
  Result<std::vector<Metric>> metric_history(const std::string& run_id,
                                             const std::string& key) const;

  // Cases: idempotent by (run, index), so that a resumed evaluation rewrites nothing.
  Status put_cases(const std::string& run_id, const std::vector<Case>& cases);
  Result<std::vector<Case>> cases(const std::string& run_id) const;
  Result<std::vector<Outcome>> outcomes(const std::string& run_id) const;  // cases, in short

  // Traces: packed chunks of spans; idempotent by (trace, span).
  Status put_spans(const std::string& run_id, const std::vector<SpanRecord>& spans);
  // A span is written once; `run_id` may be empty. By start; not_found when there are none.
  Result<std::vector<SpanRecord>> trace(const std::string& trace_id) const;
  Result<std::vector<std::string>> traces_of_run(const std::string& run_id) const;  // oldest first
  Result<int64_t> count_traces(const std::string& run_id) const;
  // A page of traces_of_run from its end: newest first.
  Result<std::vector<std::string>> newest_traces(const std::string& run_id, int64_t limit,
                                                 int64_t offset = 0) const;

  // Entities and aliases.
  Result<Entity> put_entity(const std::string& kind, const std::string& name,
                            const json::Value& content);
  // Newest of a name.
  Result<Entity> find_entity(const std::string& kind, std::string_view id_prefix_or_name) const;
  // Newest first: putting an entity again makes it the newest of its name.
  Result<std::vector<Entity>> list_entities(const std::string& kind) const;

  // Aliases (store/aliases.h). One transaction checks the evidence and moves the alias: unless it
  // is forced, `gate_run_id` must be a finished gate run of this very candidate with the verdict
  // pass, else permission_denied.
  Result<Release> promote(Release release);
  // To the release before; again: to the one before that. Errors: not_found.
  Result<Release> roll_back(const std::string& alias, const std::string& who,
                            const std::string& because = {});
  Result<std::optional<Release>> release_of(const std::string& alias) const;
  Result<std::vector<Release>> releases(const std::string& alias = {}) const;  // newest first
  // By the hash of the rows; 0 for what was never evaluated as split `test`.
  Result<Looks> looks(const std::string& dataset_sha256) const;

  // Answers remembered by the hash of everything that decides them (docs/format/store.md#answers).
  Result<std::optional<json::Value>> cached_answer(std::string_view key) const;
  Status put_answers(const std::vector<std::pair<std::string, json::Value>>& answers);

  // For store/transfer.h alone: records of another store, as they are there.
  // A run that will be ended by `end_taken_run`; `imported` becomes its tag of that name, unless
  // empty.
  Status take_run(const Run& run, const std::string& imported);
  Status end_taken_run(const Run& run);  // its status, end and error
  Status take_entity(const Entity& entity);
  // Those of aliases that were never released here, oldest first; how many. All or none: half of an
  // alias's history would leave it where it once was.
  Result<int64_t> take_releases(std::vector<Release> releases);
  Result<std::vector<Entity>> all_entities() const;  // in the order in which they were put
  Result<std::vector<std::string>> traces_without_run() const;
  std::vector<std::string> object_names() const;

  // SQLite's integrity_check plus every object, chunk and entity against its hash; the list of what
  // is wrong, empty when sound.
  Result<std::vector<std::string>> verify() const;

  const std::string& folder() const;
  Impl& parts() const { return *impl_; }  // for the other doors of this folder (store/tracking.h)

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipway::store
