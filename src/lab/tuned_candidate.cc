#include "lab/tuned_candidate.h"

#include <optional>

#include "base/files.h"
#include "base/hash.h"
#include "model/catalog.h"
#include "model/weights.h"

namespace slipway::lab {
namespace {

constexpr int kLookedAt = 1000;  // tunings, newest first

TuneSpec tune_spec(const Project& project, const CandidateSpec& spec) {
  TuneSpec tune;
  tune.name = spec.name;
  tune.dataset = spec.tune;
  tune.dev = project.dataset("dev").ok() ? "dev" : "";
  tune.model = spec.model;
  tune.prompt = spec.prompt;
  tune.out = spec.adapters[0];
  tune.settings.epochs = spec.tune_epochs;
  return tune;
}

// The part of a tuning's inputs that says whether it is this candidate's.
Result<json::Value> wanted_inputs(Workbench& bench, const CandidateSpec& spec) {
  const auto& project = bench.project();
  SLIPWAY_TRY(dataset, project.dataset(spec.tune));
  SLIPWAY_TRY(rows, dataset::load_dataset(project.path(dataset.path)));
  SLIPWAY_TRY(prompt, files::read(project.path(spec.prompt)));
  SLIPWAY_TRY(weights, bench.weights_path(spec));
  SLIPWAY_TRY(weights_sha256, model::weights_sha256(weights));
  auto inputs = json::Value::object();
  inputs.set("dataset_sha256", rows.sha256)
      .set("prompt_sha256", sha256_hex(prompt))
      .set("weights_sha256", weights_sha256);
  return inputs;
}

bool agree(const json::Value& inputs, const json::Value& wanted) {
  for (const auto& key : {"dataset_sha256", "prompt_sha256", "weights_sha256"}) {
    const auto* value = inputs.get(key);
    if (!value || value->dump() != wanted.get(key)->dump()) return false;
  }
  return true;
}

Result<std::optional<std::string>> known_adapter(const Workbench& bench, const CandidateSpec& spec,
                                                 const json::Value& wanted) {
  const auto& store = *bench.store();
  SLIPWAY_TRY(
      runs,
      store.list_runs({.kind = "tune", .status = store::RunStatus::finished, .limit = kLookedAt}));
  for (const auto& run : runs) {
    if (run.name != spec.name || !agree(run.inputs, wanted)) continue;
    SLIPWAY_TRY(tags, store.tags(run.id));
    const auto sha = tags.find("adapter_sha256");
    if (sha != tags.end() && store.has_object(sha->second)) return std::optional(sha->second);
  }
  return std::optional<std::string>();
}

Status put_back(const Workbench& bench, const std::string& path, const std::string& sha256) {
  if (files::exists(path)) {
    SLIPWAY_TRY(present, sha256_file(path));
    if (present == sha256) return Status();
  }
  SLIPWAY_TRY(bytes, bench.store()->get_object(sha256));
  return files::write_atomic(path, bytes);
}

Status train(Workbench& bench, const CandidateSpec& spec, const TuneHooks& hooks) {
  auto tune = tune_spec(bench.project(), spec);
  tune.resume = true;
  auto tuned = tune_candidate(bench, tune, hooks);
  if (tuned.ok() || tuned.error().code() != ErrorCode::not_found) {
    return tuned.ok() ? Status() : Status(tuned.error());
  }
  tune.resume = false;  // there was nothing to continue
  SLIPWAY_TRY(fresh, tune_candidate(bench, tune, hooks));
  (void)fresh;
  return Status();
}

}  // namespace

Status make_adapter(Workbench& bench, const CandidateSpec& spec, const TuneHooks& hooks) {
  if (spec.tune.empty()) return Status();
  SLIPWAY_TRY(wanted, wanted_inputs(bench, spec));
  SLIPWAY_TRY(known, known_adapter(bench, spec, wanted));
  if (known) return put_back(bench, bench.project().path(spec.adapters[0]), *known);
  return train(bench, spec, hooks);
}

}  // namespace slipway::lab
