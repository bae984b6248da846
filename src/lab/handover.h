// Handing over what was learnt: a store, or the part of it behind a run or a candidate, as one file
// for somebody else, and what somebody else handed over.
//
//     SLIPWAY_TRY(made, make_bundle(place, {.what = {"3f2a"}, .out = "lab.slipway"}));
//     SLIPWAY_TRY(opened, open_bundle("lab.slipway", fresh_folder));       // to look at
//     SLIPWAY_TRY(taken, take_bundle("lab.slipway", place, {}));           // to keep
//     SLIPWAY_TRY(synced, sync_stores(*mine, *other, false));              // both ways
//
// The file is store/bundle.h's; who may trust what is in store/transfer.h. Licence notices travel
// as entities of kind `notice`, adapters as objects, weights only when asked for. `take_bundle`
// leaves a run of kind `unbundle`, when there was something new. One thread. Errors:
// not_found (run, candidate, bundle), already_exists (a run of the same id with other content; an
// unbundling that is under way), exhausted (too many models), those of bundle.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "lab/project.h"
#include "model/catalog.h"
#include "store/bundle.h"

namespace slipway::lab {

// Where it happens.
struct Place {
  std::shared_ptr<store::Store> store;
  const Project* project = nullptr;  // for adapters that are files only; may be null
  model::Catalog catalog;            // for notices and weights
  std::string models_folder;
  json::Value environment;  // of the run that is recorded
};

inline constexpr size_t most_bundled_models = 16;  // whose weights are in one bundle

struct Notice {
  std::string model, weights_sha256;
  std::string licence, url, text;
};

struct BundleSpec {
  std::vector<std::string> what;  // runs (id or its beginning), candidates (name, alias, id)
  bool all = false;
  bool weights = false;
  std::string out;
};

struct Bundled {
  std::string path;
  std::string sha256;  // of all frames but the last: what the file is known by
  uint64_t bytes = 0;
  int64_t runs = 0, objects = 0, entities = 0;
  std::vector<std::string> weights;  // models whose weights are in it
  std::vector<Notice> notices;
  std::vector<std::string> without_licence;   // models of which no notice is known
  std::vector<std::string> missing_adapters;  // hashes that nobody has any more
};

Result<Bundled> make_bundle(Place& place, const BundleSpec& spec);

// The bundle as a store of its own in `folder`/.slipway, which must not exist; weights in it are
// read over.
Result<std::shared_ptr<store::Store>> open_bundle(const std::string& path,
                                                  const std::string& folder);

struct TakeOptions {
  bool releases = false;  // take the history of an alias that was never released here
  store::BundleLimits limits;
};

struct TakenBundle {
  std::string run_id;  // of kind `unbundle`; empty: nothing was new
  store::Taken taken;
  std::vector<std::string> weights;  // files that are new in the models folder
  std::vector<Notice> notices;
};

// Into a fresh store first, then into the project's.
Result<TakenBundle> take_bundle(const std::string& path, Place& place, const TakeOptions& options);

struct Synced {
  store::Taken here, there;
};

// A sync that is cut off is finished by the next one.
Result<Synced> sync_stores(store::Store& here, store::Store& there, bool releases);

std::vector<Notice> notices_of(const store::Store& store);

}  // namespace slipway::lab
