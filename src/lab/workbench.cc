#include "lab/workbench.h"

#include <algorithm>

#include "base/files.h"
#include "base/text.h"
#include "http/client.h"
#include "lab/provenance.h"
#include "lab/releases.h"
#include "model/weights.h"

namespace slipway::lab {

Result<Workbench> Workbench::open(Project project, Settings settings) {
  Workbench bench;
  bench.project_ = std::move(project);
  bench.settings_ = std::move(settings);
  const auto& config = bench.settings_.config_folder;
  SLIPWAY_TRY(user,
              load_user_config(files::join(config, "config.toml"), bench.settings_.environment));
  bench.user_ = std::move(user);
  SLIPWAY_CHECK(bench.apply_trust());
  SLIPWAY_TRY(catalog, model::Catalog::load_builtin());
  bench.catalog_ = std::move(catalog);
  SLIPWAY_CHECK(bench.catalog_.add_file(files::join(config, "models.json")));
  SLIPWAY_TRY(store, store::Store::open(bench.project_.store_folder()));
  bench.store_ = std::move(store);
  SLIPWAY_CHECK(add_releases(bench.project_, *bench.store_));
  return bench;
}

Status Workbench::apply_trust() {
  const auto& skills = project_.skills->skills();
  const bool none =
      std::none_of(skills.begin(), skills.end(), [](const auto& skill) { return skill.mcp; });
  if (none) return Status::success();
  SLIPWAY_TRY(trust, TrustFile::load(files::join(settings_.config_folder, "trust.json")));
  if (settings_.trust) {
    SLIPWAY_TRY(news, trust_servers(project_, trust, dispatch_options()));
    SLIPWAY_CHECK(trust.save());
    trust_news_ = std::move(news);
  }
  SLIPWAY_TRY(known, with_trusted_tools(*project_.skills, project_.folder, trust));
  for (const auto& skill : skills) {
    if (skill.mcp && trust.tools(project_.folder, skill.mcp->identity()))
      trusted_servers_.insert(skill.mcp->identity());
  }
  untrusted_ = std::move(known.untrusted);
  project_.skills = std::make_shared<const skill::SkillSet>(std::move(known.skills));
  return Status::success();
}

Status Workbench::check_trust() const {
  for (const auto& skill : project_.skills->skills()) {
    if (std::find(untrusted_.begin(), untrusted_.end(), skill.name) == untrusted_.end()) continue;
    return Error::permission_denied(
        "skill '" + skill.name + "' comes from an MCP server that you have not trusted: " +
            describe_server(*skill.mcp),
        "look at it, then run `slipway skills --trust` once");
  }
  return Status::success();
}

Result<Ready> Workbench::prepare(const CandidateSpec& spec, Opening opening) {
  if (spec.released) return prepare_released(spec);
  if (spec.use_skills) SLIPWAY_CHECK(check_trust());
  SLIPWAY_TRY(made, make_candidate(project_, spec));
  std::vector<std::string> adapters;
  for (const auto& adapter : spec.adapters) {
    adapters.push_back(project_.path(adapter));
    if (files::exists(adapters.back())) {
      SLIPWAY_TRY(sha, sha256_file(adapters.back()));
      made.model.adapter_sha256.push_back(sha);
      continue;
    }
    const auto make = "`slipway demo` makes it for a rung of the ladder; else `slipway tune " +
                      spec.tune + " --model " + spec.model + " --name " + spec.name + "`";
    return Error::not_found(
        "no adapter '" + adapter + "' for the candidate '" + spec.name + "'",
        spec.tune.empty() ? "make one with `slipway tune`, or correct the path" : make);
  }
  SLIPWAY_TRY(model, open_model(spec, adapters, made.model.adapter_sha256, opening));
  made.model.weights_sha256 = model->info().weights_sha256;
  return Ready{std::move(made), std::move(model)};
}

Result<std::string> Workbench::weights_path(const CandidateSpec& spec) const {
  SLIPWAY_TRY(options, resolve(spec));
  if (options.endpoint_url.empty()) return options.path;
  return Error::unsupported("'" + spec.model + "' is an endpoint: its weights are not here",
                            "name a model with GGUF weights");
}

Result<model::OpenOptions> Workbench::resolve(const CandidateSpec& spec) const {
  std::map<std::string, model::Endpoint> endpoints;
  for (const auto& endpoint : project_.endpoints) {
    SLIPWAY_TRY(url, http::parse_url(endpoint.url));
    const auto bound = user_.keys.find(url.origin());
    endpoints[endpoint.name] = {endpoint.url, endpoint.model,
                                bound == user_.keys.end() ? "" : bound->second};
  }
  // A file of the project, as slipway.toml names it; or one that a command line names.
  const bool file = spec.model.ends_with(".gguf") && files::exists(project_.path(spec.model));
  return catalog_.resolve(file ? project_.path(spec.model) : spec.model, settings_.models_folder,
                          endpoints);
}

Result<std::shared_ptr<model::Model>> Workbench::open_model(
    const CandidateSpec& spec, std::vector<std::string> adapters,
    const std::vector<std::string>& adapter_sha256, Opening opening) {
  SLIPWAY_TRY(options, resolve(spec));
  options.vocabulary_only = opening == Opening::vocabulary;
  options.adapters = std::move(adapters);
  options.max_sequences = settings_.max_sequences;
  options.prefix_folder = settings_.prefix_folder;
  options.fast_forward = settings_.fast_forward;
  const bool remote = !options.endpoint_url.empty();
  if (remote && !options.adapters.empty()) {
    return Error::unsupported("an adapter cannot be put on the endpoint '" + spec.model + "'",
                              "use a model with GGUF weights");
  }
  if (!remote) {
    SLIPWAY_TRY(sha, model::weights_sha256(options.path));
    options.weights_sha256 = sha;
  }
  const auto key =
      (options.vocabulary_only ? "vocabulary\n" : "") + spec.model + "\n" +
      options.weights_sha256 + "\n" + join(adapter_sha256, "\n");
  if (auto open = open_[key].lock()) return last_ = std::move(open);
  // One model in memory at a time, as far as it is up to us; weights that both have stay.
  std::shared_ptr<const void> weights;
  if (last_ && last_->info().weights_sha256 == options.weights_sha256)
    weights = last_->memory().weights;
  last_.reset();
  SLIPWAY_TRY(opened, remote ? model::open_endpoint(options) : model::open_llama(options));
  std::erase_if(open_, [](const auto& entry) { return entry.second.expired(); });
  open_[key] = last_ = opened;
  return opened;
}

json::Value Workbench::environment() {
  if (provenance_.is_null())
    provenance_ = capture_provenance(project_.folder, settings_.argv, *store_);
  return provenance_;
}

json::Value Workbench::environment_of(const model::Model& model) {
  auto environment = this->environment();
  environment.set("engine_id", model.info().engine_id);
  return environment;
}

skill::DispatchOptions Workbench::dispatch_options() const {
  skill::DispatchOptions options;
  options.secrets = user_.secrets;
  options.trusted_servers = trusted_servers_;
  options.working_directory = project_.folder;
  options.cancel = settings_.cancel;
  return options;
}

eval::Evaluation Workbench::evaluation(const Ready& ready, const dataset::Dataset& rows,
                                       const eval::Scorer& scorer) {
  eval::Evaluation evaluation;
  evaluation.candidate = ready.candidate;
  evaluation.dataset = &rows;
  evaluation.scorer = &scorer;
  evaluation.model = ready.model;
  evaluation.store = store_;
  evaluation.experiment = project_.name;
  evaluation.environment = environment_of(*ready.model);
  return evaluation;
}

}  // namespace slipway::lab
