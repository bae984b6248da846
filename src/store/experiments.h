// Experiments: named groups of runs, as MLflow's clients know them.
//
//     Experiments experiments(store);
//     SLIPWAY_TRY(id, experiments.create({.name = "home"}));
//     SLIPWAY_TRY(page, experiments.search({.filter = "name LIKE 'ho%'", .limit = 100}));
//
// An experiment also comes into being with the first run that is filed under its name. Thread-safe;
// the store outlives it. What was acknowledged is on disk. Errors: not_found, already_exists,
// invalid_input (a name, a filter, an experiment in the wrong state).
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "store/store.h"

namespace slipway::store {

using Pairs = std::vector<std::pair<std::string, std::string>>;

// Which of the deleted and the others; MLflow's view types.
enum class View { active, deleted, all };

struct Experiment {
  int64_t id = 0;
  std::string name;
  std::string artifact_location;  // empty when created: the server's own, mlflow-artifacts:/ID
  int64_t created_ms = 0;
  int64_t updated_ms = 0;
  bool deleted = false;
  Pairs tags;  // sorted by key
};

struct Search {
  std::string filter;              // store/search.h
  std::vector<std::string> order;  // "metrics.loss DESC"
  View view = View::active;
  int64_t limit = 1000;  // 1 to 50,000
  int64_t offset = 0;
};

template <typename T>
struct Page {
  std::vector<T> items;
  bool more = false;  // the next page starts at offset + items.size()
};

class Experiments {
 public:
  explicit Experiments(Store& store) : store_(store) {}

  Result<int64_t> create(const Experiment& experiment);
  Result<Experiment> get(int64_t id) const;
  Result<Experiment> get_by_name(const std::string& name) const;
  Status rename(int64_t id, const std::string& name);
  // Its runs go and come back with it, those alone that went with it.
  Status remove(int64_t id);
  Status restore(int64_t id);
  Status set_tag(int64_t id, const std::string& key, const std::string& value);
  Status delete_tag(int64_t id, const std::string& key);
  Result<Page<Experiment>> search(const Search& search) const;

 private:
  Store& store_;
};

}  // namespace slipway::store
