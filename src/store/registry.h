// The model registry of MLflow's clients: named models, their versions, tags and aliases. A prompt
// is a model whose tags say so, and its text is a tag of a version.
//
//     Registry registry(store);
//     SLIPWAY_CHECK(registry.create({.name = "greeting"}));
//     SLIPWAY_TRY(version, registry.create_version({.name = "greeting", .source = "runs:/..."}));
//     SLIPWAY_CHECK(registry.set_alias("greeting", "production", version.version));
//
// These aliases are the client's own: what Slipway serves is decided by store/aliases.h.
// Thread-safe; the store outlives it. What was acknowledged is on disk. Errors: not_found,
// already_exists, invalid_input (a name, a filter).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "store/experiments.h"
#include "store/store.h"

namespace slipway::store {

struct ModelVersion {
  std::string name;
  int64_t version = 0;  // from 1
  std::string description, source, run_id, run_link, model_id, user;
  std::string stage = "None";
  int64_t created_ms = 0;
  int64_t updated_ms = 0;
  Pairs tags;                        // sorted by key
  std::vector<std::string> aliases;  // sorted
};

struct RegisteredModel {
  std::string name;
  std::string description;
  int64_t created_ms = 0;
  int64_t updated_ms = 0;
  Pairs tags;
  std::vector<std::pair<std::string, int64_t>> aliases;  // sorted
  std::vector<ModelVersion> latest;                      // the newest of each stage
};

class Registry {
 public:
  explicit Registry(Store& store) : store_(store) {}

  Result<RegisteredModel> create(const RegisteredModel& model);  // name, description, tags
  Result<RegisteredModel> get(const std::string& name) const;
  Status rename(const std::string& name, const std::string& new_name);
  Status describe(const std::string& name, const std::string& description);
  Status remove(const std::string& name);  // with its versions
  Result<Page<RegisteredModel>> search(Search search) const;

  Result<ModelVersion> create_version(ModelVersion version);  // gets the next number
  Result<ModelVersion> version(const std::string& name, int64_t number) const;
  Status describe_version(const std::string& name, int64_t number, const std::string& description);
  // `archive` sends the others of that stage to Archived.
  Status set_stage(const std::string& name, int64_t number, const std::string& stage, bool archive);
  Status remove_version(const std::string& name, int64_t number);
  Result<Page<ModelVersion>> search_versions(Search search) const;

  // `number` 0: the model's own tags.
  Status set_tag(const std::string& name, int64_t number, const std::string& key,
                 const std::string& value);
  Status delete_tag(const std::string& name, int64_t number, const std::string& key);
  Status set_alias(const std::string& name, const std::string& alias, int64_t number);
  Status delete_alias(const std::string& name, const std::string& alias);
  Result<ModelVersion> by_alias(const std::string& name, const std::string& alias) const;

 private:
  Store& store_;
};

}  // namespace slipway::store
