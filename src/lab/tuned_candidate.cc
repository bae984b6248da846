#include "lab/tuned_candidate.h"

#include <algorithm>
#include <optional>

#include "base/files.h"
#include "base/hash.h"
#include "lab/adapters.h"
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
  tune.copies = spec.tune_copies;
  tune.whole_vocabulary = !spec.constrain;
  return tune;
}

// Member number `n` from 1: "adapters/tuned.gguf" is then the mean of "adapters/tuned-1.gguf", ...
CandidateSpec member_of(const CandidateSpec& spec, int n) {
  auto member = spec;
  const auto suffix = "-" + std::to_string(n);
  member.name += suffix;
  auto& path = member.adapters[0];
  path.insert(path.ends_with(".gguf") ? path.size() - 5 : path.size(), suffix);
  return member;
}

// The part of a tuning's inputs that says whether it is this candidate's.
Result<json::Value> wanted_inputs(Workbench& bench, const CandidateSpec& spec) {
  const auto& project = bench.project();
  SLIPWAY_TRY(dataset, project.dataset(spec.tune));
  SLIPWAY_TRY(rows, dataset::load_dataset(project.path(dataset.path)));
  SLIPWAY_TRY(prompt, files::read(project.path(spec.prompt)));
  SLIPWAY_TRY(weights, bench.weights_path(spec));
  SLIPWAY_TRY(weights_sha256, model::weights_sha256(weights));
  const auto all = tune_spec(project, spec).settings.to_json();
  auto settings = json::Value::object();
  settings.set("epochs", *all.get("epochs"));
  auto inputs = json::Value::object();
  inputs.set("dataset_sha256", rows.sha256)
      .set("prompt_sha256", sha256_hex(prompt))
      .set("copies", spec.tune_copies)
      .set("chosen_from", chosen_from(spec.constrain))
      .set("weights_sha256", weights_sha256)
      .set("settings", std::move(settings));
  return inputs;
}

bool agree(const json::Value& inputs, const json::Value& wanted) {
  const auto& members = wanted.as_object();
  return std::all_of(members.begin(), members.end(), [&](const auto& member) {
    const auto* value = inputs.get(member.first);
    if (value && value->is_object() && member.second.is_object())
      return agree(*value, member.second);
    return value && value->dump() == member.second.dump();
  });
}

// The hash of what a finished run of that name and these inputs, among others, made.
Result<std::optional<std::string>> known_adapter(const Workbench& bench, const std::string& kind,
                                                 const std::string& name,
                                                 const json::Value& wanted) {
  const auto& store = *bench.store();
  SLIPWAY_TRY(
      runs,
      store.list_runs({.kind = kind, .status = store::RunStatus::finished, .limit = kLookedAt}));
  for (const auto& run : runs) {
    if (run.name != name || !agree(run.inputs, wanted)) continue;
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

Status train(Workbench& bench, const CandidateSpec& spec, uint64_t seed, const TuneHooks& hooks) {
  auto tune = tune_spec(bench.project(), spec);
  tune.settings.train.seed = seed;
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

// What the members' files hold, as the inputs of a run that averages them.
Result<json::Value> averaged_inputs(const Project& project,
                                    const std::vector<std::string>& members) {
  auto inputs = json::Value::object();
  auto others = json::Value::array();
  for (const auto& path : members) {
    SLIPWAY_TRY(sha, sha256_file(project.path(path)));
    if (inputs.size() == 0) {
      inputs.set("source_sha256", sha);
    } else {
      others.push_back(sha);
    }
  }
  return inputs.set("others_sha256", std::move(others));
}

Status put_mean(Workbench& bench, const CandidateSpec& spec,
                const std::vector<std::string>& members) {
  SLIPWAY_TRY(wanted, averaged_inputs(bench.project(), members));
  const auto name = "average " + files::filename(members[0]);
  SLIPWAY_TRY(known, known_adapter(bench, "adapter", name, wanted));
  if (known) return put_back(bench, bench.project().path(spec.adapters[0]), *known);
  AdapterSpec mean{.from = members[0], .others = {}, .model = spec.model, .out = spec.adapters[0],
                   .name = spec.name, .merge = {}};
  mean.others.assign(members.begin() + 1, members.end());
  SLIPWAY_TRY(done, average_adapters(bench, mean));
  (void)done;
  return Status();
}

Status make_one(Workbench& bench, const CandidateSpec& spec, const json::Value& wanted,
                uint64_t seed, const TuneHooks& hooks) {
  SLIPWAY_TRY(known, known_adapter(bench, "tune", spec.name, wanted));
  if (known) return put_back(bench, bench.project().path(spec.adapters[0]), *known);
  return train(bench, spec, seed, hooks);
}

}  // namespace

Status make_adapter(Workbench& bench, const CandidateSpec& spec, const TuneHooks& hooks) {
  if (spec.tune.empty()) return Status();
  SLIPWAY_TRY(wanted, wanted_inputs(bench, spec));
  if (spec.tune_members == 1) return make_one(bench, spec, wanted, 0, hooks);
  std::vector<std::string> members;
  for (int n = 1; n <= spec.tune_members; ++n) {
    const auto member = member_of(spec, n);
    if (hooks.on_member) hooks.on_member(n, spec.tune_members);
    SLIPWAY_CHECK(make_one(bench, member, wanted, static_cast<uint64_t>(n - 1), hooks));
    members.push_back(member.adapters[0]);
  }
  return put_mean(bench, spec, members);
}

}  // namespace slipway::lab
