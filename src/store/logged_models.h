// Models as clients of MLflow 3 log them: an id, where it came from, params and tags; its files are
// artifacts (store/artifacts.h).
//
//     LoggedModels models(store);
//     SLIPWAY_TRY(model, models.create({.experiment_id = 1, .name = "tree", .run_id = run}));
//     SLIPWAY_CHECK(models.set_status(model.id, "LOGGED_MODEL_READY"));
//
// Thread-safe; the store outlives it. What was acknowledged is on disk. Errors: not_found,
// invalid_input (a param that has another value, a filter).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/experiments.h"
#include "store/store.h"

namespace slipway::store {

struct LoggedModel {
  std::string id;  // "m-" and 32 hex characters; filled in
  int64_t experiment_id = 0;
  std::string name, type, run_id;
  std::string status = "LOGGED_MODEL_PENDING";
  std::string artifact_uri;  // filled in
  int64_t created_ms = 0;
  int64_t updated_ms = 0;
  bool deleted = false;
  Pairs params, tags;
};

class LoggedModels {
 public:
  explicit LoggedModels(Store& store) : store_(store) {}
  Result<LoggedModel> create(LoggedModel model);
  Result<LoggedModel> get(const std::string& id, bool also_deleted = false) const;
  Status set_status(const std::string& id, const std::string& status);
  Status log_params(const std::string& id, const Pairs& params);
  Status set_tags(const std::string& id, const Pairs& tags);
  Status delete_tag(const std::string& id, const std::string& key);
  Status remove(const std::string& id);
  Result<Page<LoggedModel>> search(const std::vector<int64_t>& experiment_ids,
                                   const Search& search) const;

 private:
  Store& store_;
};

}  // namespace slipway::store
