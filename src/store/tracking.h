// Runs as MLflow's clients write and read them: whole, in batches, searched, deleted and restored.
//
//     Tracking tracking(store);
//     SLIPWAY_TRY(run, tracking.create_run({.experiment_id = 0, .name = "first", .tags = {...}}));
//     SLIPWAY_CHECK(tracking.log({.run_id = run.info.id, .metrics = {{"loss", 0.5}}}));
//     SLIPWAY_TRY(page, tracking.search({1, 2}, {.filter = "metrics.loss < 1", .limit = 100}));
//
// Slipway's own runs are among them; what decided them is shown as tags `slipway.kind`,
// `slipway.candidate_name` and so on (store/search.h). The tag `mlflow.runName` is the run's name.
// Thread-safe; the store outlives it. What was acknowledged is on disk, a batch whole or not at
// all. Errors: not_found; invalid_input (a filter, a param that has another value, a deleted run).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/experiments.h"
#include "store/store.h"

namespace slipway::store {

inline constexpr const char* client_run_kind = "mlflow";  // the kind of the runs made here

struct NewRun {
  int64_t experiment_id = 0;
  std::string name;  // empty: the tag mlflow.runName, else one is made up
  std::string user;
  int64_t start_ms = 0;  // 0: now
  Pairs tags;
};

// What a run read or made: a dataset, or a logged model. `content` is as the client sent it.
struct RunLink {
  enum class Kind { dataset, input_model, output_model };
  Kind kind = Kind::dataset;
  std::string key;  // what it is the same by: name and digest, or the model's id
  json::Value content;
};

struct TrackedRun {
  Run info;  // without inputs, environment and user
  int64_t experiment_id = 0;
  std::string user;
  std::string artifact_uri;
  bool deleted = false;
  std::vector<Metric> metrics;  // the latest of each key
  Pairs params, tags;
  std::vector<RunLink> links;
};

struct Batch {
  std::string run_id;
  std::vector<Metric> metrics;
  Pairs params, tags;
};

struct RunUpdate {
  std::optional<RunStatus> status;
  std::optional<int64_t> end_ms;
  std::optional<std::string> name;
};

class Tracking {
 public:
  explicit Tracking(Store& store) : store_(store) {}

  Result<TrackedRun> create_run(NewRun run);
  Result<TrackedRun> run(const std::string& id) const;
  Result<TrackedRun> update_run(const std::string& id, const RunUpdate& update);
  Status delete_run(const std::string& id);  // again: no error
  Status restore_run(const std::string& id);
  Status log(const Batch& batch);
  Status delete_tag(const std::string& run_id, const std::string& key);
  Status add_links(const std::string& run_id, const std::vector<RunLink>& links);
  // Of the experiments named; none: no run. The first calls `each` run by run, so that a large page
  // is never in memory as a whole; true when another page follows.
  using Each = std::function<void(const TrackedRun& run)>;
  Result<bool> search_each(const std::vector<int64_t>& experiment_ids, const Search& search,
                           const Each& each) const;
  Result<Page<TrackedRun>> search(const std::vector<int64_t>& experiment_ids,
                                  const Search& search) const;
  // Points in order of step and time, `limit` from `offset` on.
  Result<Page<Metric>> history(const std::string& run_id, const std::string& key, int64_t limit,
                               int64_t offset) const;
  // What a client says of a trace beside its spans (Store::trace): the last write stands.
  Status put_trace_info(const std::string& id, int64_t experiment_id, const json::Value& content);
  Result<json::Value> trace_info(const std::string& id) const;

 private:
  Store& store_;
};

// A run's name for who gave none: "bright-harbour-417".
std::string made_up_run_name(std::string_view run_id);

}  // namespace slipway::store
