#include "lab/releases.h"

#include <algorithm>

#include "base/files.h"
#include "base/hash.h"
#include "base/text.h"
#include "candidate/stored.h"
#include "model/weights.h"

namespace slipway::lab {
namespace {

Result<candidate::Candidate> rebuild(const store::Store& store, const store::Release& release) {
  SLIPWAY_TRY(text, store.get_object(release.candidate_object));
  SLIPWAY_TRY(candidate, candidate::read_candidate(text, release.alias));
  if (candidate.id() == release.candidate) return candidate;
  return Error::corrupt("the stored candidate is not the one that was released");
}

// The newest release of each alias.
Result<std::vector<store::Release>> current_releases(const store::Store& store) {
  SLIPWAY_TRY(all, store.releases());
  std::vector<store::Release> current;
  for (const auto& release : all) {
    const bool known = std::any_of(current.begin(), current.end(),
                                   [&](const auto& r) { return r.alias == release.alias; });
    if (!known) current.push_back(release);
  }
  return current;
}

// A file of that content: one that the project has, or the store's, unpacked for the engine.
Result<std::string> adapter_file(const Project& project, const store::Store& store,
                                 const std::vector<std::string>& at_hand,
                                 const std::string& sha256) {
  const auto unpacked = files::join(store.folder(), "unpacked/" + sha256 + ".gguf");
  auto places = at_hand;
  for (auto& place : places) place = project.path(place);
  places.push_back(unpacked);
  for (const auto& path : places) {
    if (!files::exists(path)) continue;
    SLIPWAY_TRY(found, sha256_file(path));
    if (found == sha256) return path;
  }
  auto bytes = store.get_object(sha256);
  if (!bytes.ok()) {
    return Error::not_found(
        "the adapter " + short_id(sha256) + " is neither a file of the project nor in the store",
        "put it back, or promote a candidate that is whole");
  }
  SLIPWAY_CHECK(files::write_atomic(unpacked, *bytes));
  return unpacked;
}

std::optional<CandidateSpec> of_project(const Project& project, const std::string& name) {
  auto spec = project.candidate(name);
  if (!spec.ok() || spec->released) return std::nullopt;
  return *spec;
}

Status check_weights(const candidate::Candidate& released, const std::string& found) {
  if (released.model.weights_sha256 == found) return Status();
  return Error::invalid_input("the weights of '" + released.model.name + "' are " +
                                  short_id(found) + " here; the candidate was recorded with " +
                                  short_id(released.model.weights_sha256),
                              "pull those weights again");
}

}  // namespace

CandidateSpec spec_of(Released released) {
  const auto& candidate = released.candidate;
  CandidateSpec spec;
  spec.name = candidate.name;
  spec.model = candidate.model.name;
  spec.use_skills = candidate.skills && !candidate.skills->skills().empty();
  static_cast<candidate::Settings&>(spec) = candidate;
  spec.released = std::make_shared<const Released>(std::move(released));
  return spec;
}

Status add_releases(Project& project, const store::Store& store) {
  SLIPWAY_TRY(current, current_releases(store));
  for (auto& release : current) {
    if (of_project(project, release.alias)) {
      return Error::invalid_input(
          "slipway.toml names a candidate '" + release.alias + "', and so is a release",
          "rename the candidate: one name must mean one thing");
    }
    Released released{std::move(release), {}, std::nullopt};
    auto candidate = rebuild(store, released.release);
    if (candidate.ok())
      released.candidate = std::move(candidate).value();
    else
      released.problem = candidate.error().in("release '" + released.release.alias + "'");
    released.candidate.name = released.release.alias;
    project.candidates.push_back(spec_of(std::move(released)));
  }
  return Status();
}

std::vector<std::string> changed_parts(const candidate::Candidate& released,
                                       const candidate::Candidate& now) {
  std::vector<std::string> changed;
  const auto note = [&](bool same, const char* part) {
    if (!same) changed.push_back(part);
  };
  note(released.model.name == now.model.name, "model");
  note(released.model.adapter_sha256 == now.model.adapter_sha256, "adapters");
  note(released.prompt.source == now.prompt.source, "prompt");
  // As text: the order of parameters is part of it.
  note(released.skills->to_json().dump() == now.skills->to_json().dump(), "skills");
  const auto was = released.to_json(), is = now.to_json();
  for (const auto& [key, name] : candidate::setting_names) {
    const auto *one = was.get(key), *other = is.get(key);
    note(one && other ? *one == *other : one == other, name);
  }
  return changed;
}

// What the files of the project say now; empty adapters where a file is missing.
Result<candidate::Candidate> Workbench::as_on_disk(const CandidateSpec& spec) const {
  SLIPWAY_TRY(now, make_candidate(project_, spec));
  for (const auto& adapter : spec.adapters) {
    const auto path = project_.path(adapter);
    if (!files::exists(path)) continue;
    SLIPWAY_TRY(sha, sha256_file(path));
    now.model.adapter_sha256.push_back(sha);
  }
  return now;
}

void Workbench::tell_changes(const Released& released, const model::Model& model) const {
  const auto& release = released.release;
  if (release.alias.empty() || !settings_.on_note) return;
  const auto named = "'" + release.alias + "' is candidate " + short_id(release.candidate) + " (" +
                     release.candidate_name + ")";
  if (release.engine_id != model.info().engine_id) {
    settings_.on_note(named + ", proved on engine " + release.engine_id + "; this is " +
                      model.info().engine_id + ": run its gate again");
  }
  const auto spec = of_project(project_, release.candidate_name);
  if (!spec) {
    settings_.on_note(named +
                      "; slipway.toml has no such candidate any more: the released content "
                      "is used");
    return;
  }
  const auto now = as_on_disk(*spec);
  if (!now.ok()) {
    settings_.on_note(named + "; its files cannot be read any more (" + now.error().message() +
                      "): the released content is used");
    return;
  }
  const auto changed = changed_parts(released.candidate, *now);
  if (changed.empty()) return;
  settings_.on_note(named + "; on disk its " + join(changed, ", ") +
                    " changed since: the released content is used");
}

Result<Ready> Workbench::prepare_released(const CandidateSpec& spec) {
  const auto& released = *spec.released;
  if (released.problem) return *released.problem;
  auto candidate = released.candidate;
  candidate.name = spec.name;
  candidate.decoding.logprobs = spec.decoding.logprobs;
  std::vector<std::string> at_hand;
  if (const auto own = of_project(project_, released.release.candidate_name))
    at_hand = own->adapters;
  std::vector<std::string> adapters;
  for (const auto& sha : candidate.model.adapter_sha256) {
    SLIPWAY_TRY(path, adapter_file(project_, *store_, at_hand, sha));
    adapters.push_back(path);
  }
  SLIPWAY_TRY(model, open_model(spec, adapters, candidate.model.adapter_sha256));
  SLIPWAY_CHECK(check_weights(candidate, model->info().weights_sha256));
  tell_changes(released, *model);
  return Ready{std::move(candidate), std::move(model)};
}

Result<std::string> keep_candidate(Workbench& bench, const CandidateSpec& spec,
                                   const candidate::Candidate& candidate) {
  for (const auto& adapter : spec.adapters) {
    SLIPWAY_TRY(bytes, files::read(bench.project().path(adapter)));
    SLIPWAY_TRY(object, bench.store()->put_object(bytes));
  }
  SLIPWAY_TRY(entity, bench.store()->put_entity("candidate", spec.name, candidate.to_json()));
  return bench.store()->put_object(candidate::stored_text(candidate));
}

Result<store::Release> promote(Workbench& bench, const std::string& name,
                               const Promotion& promotion) {
  if (of_project(bench.project(), promotion.alias)) {
    return Error::invalid_input("slipway.toml names a candidate '" + promotion.alias + "'",
                                "choose another alias: one name must mean one thing");
  }
  SLIPWAY_TRY(spec, bench.project().candidate(name));
  SLIPWAY_TRY(ready, bench.prepare(spec));
  store::Release release;
  release.alias = promotion.alias;
  release.candidate = ready.candidate.id();
  release.candidate_name = spec.released ? spec.released->release.candidate_name : spec.name;
  release.engine_id = ready.model->info().engine_id;
  release.because = promotion.because;
  release.who = promotion.who;
  if (!promotion.gate_run.empty()) {
    SLIPWAY_TRY(run, bench.store()->find_run(promotion.gate_run));
    release.gate_run_id = run.id;
    const auto proved_on = run.environment.text("engine_id");
    if (!release.forced() && proved_on != release.engine_id) {
      return Error::permission_denied("the gate ran on another engine (" + proved_on + ")",
                                      "run the gate again on this one");
    }
  }
  SLIPWAY_TRY(object, keep_candidate(bench, spec, ready.candidate));
  release.candidate_object = object;
  return bench.store()->promote(std::move(release));
}

}  // namespace slipway::lab
