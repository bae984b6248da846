// The workbench: a project with its store, catalog and opened models; what every command stands on.
//
//     SLIPWAY_TRY(bench, Workbench::open(project, settings));
//     SLIPWAY_TRY(ready, bench.prepare(spec));   // candidate with all hashes; its model, opened
//
// One thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "candidate/candidate.h"
#include "eval/runner.h"
#include "lab/project.h"
#include "lab/trust.h"
#include "lab/user_config.h"
#include "model/catalog.h"
#include "model/model.h"
#include "skill/dispatch.h"
#include "store/store.h"

namespace slipway::lab {

struct Settings {
  std::string models_folder;
  std::string config_folder;  // the user's own: config.toml, models.json
  bool fast_forward = true;   // see model/model.h
  std::string prefix_folder;  // the user's cache of long prompts; empty: none
  Environment environment;
  std::vector<std::string> argv;
  bool trust = false;  // ask the project's MCP servers what they offer, and trust it
  CancelToken cancel;
  int max_sequences = 16;  // answered side by side; one conversation needs two
  std::function<void(const std::string&)> on_note;  // what the user should know, a line each
};

struct Ready {
  candidate::Candidate candidate;
  std::shared_ptr<model::Model> model;
};

// What is needed of a candidate's model: to answer, or to tell tokens (model::OpenOptions).
enum class Opening { whole, vocabulary };

class Workbench {
 public:
  static Result<Workbench> open(Project project, Settings settings);

  const Project& project() const { return project_; }
  const UserConfig& user() const { return user_; }
  const std::vector<TrustNews>& trust_news() const { return trust_news_; }  // with Settings::trust
  // permission_denied while an MCP skill of the project is not trusted: calls need it.
  Status check_trust() const;
  const std::vector<std::string>& untrusted() const { return untrusted_; }  // skills
  const model::Catalog& catalog() const { return catalog_; }
  const std::shared_ptr<store::Store>& store() const { return store_; }

  // Errors: not_found with what to do (`slipway models pull NAME`), corrupt, invalid_input (prompt,
  // skill).
  Result<Ready> prepare(const CandidateSpec& spec, Opening opening = Opening::whole);
  // The GGUF file of the candidate's model. Errors: not_found, unsupported (an endpoint).
  Result<std::string> weights_path(const CandidateSpec& spec) const;
  // Lets go of the opened model; whoever has it Ready keeps it.
  void close_model() { last_.reset(); }
  json::Value environment();  // provenance, for a run
  json::Value environment_of(const model::Model& model);  // and the engine
  skill::DispatchOptions dispatch_options() const;
  // An evaluation of what `prepare` made, filed under the project; it keeps pointers to `rows` and
  // `scorer`.
  eval::Evaluation evaluation(const Ready& ready, const dataset::Dataset& rows,
                              const eval::Scorer& scorer);

 private:
  Workbench() = default;
  Status apply_trust();
  // In lab/releases.cc.
  Result<Ready> prepare_released(const CandidateSpec& spec);
  Result<candidate::Candidate> as_on_disk(const CandidateSpec& spec) const;
  void tell_changes(const Released& released, const model::Model& model) const;
  Result<model::OpenOptions> resolve(const CandidateSpec& spec) const;
  // Adapters: paths, and what they hold. Gives a model that somebody has open already, if it is the
  // same to the byte.
  Result<std::shared_ptr<model::Model>> open_model(const CandidateSpec& spec,
                                                   std::vector<std::string> adapters,
                                                   const std::vector<std::string>& adapter_sha256,
                                                   Opening opening = Opening::whole);

  Project project_;
  Settings settings_;
  UserConfig user_;
  std::vector<TrustNews> trust_news_;
  std::vector<std::string> untrusted_;
  std::set<std::string> trusted_servers_;
  model::Catalog catalog_;
  std::shared_ptr<store::Store> store_;
  std::map<std::string, std::weak_ptr<model::Model>> open_;  // by name and hashes
  std::shared_ptr<model::Model> last_;                       // the one that we hold ourselves
  json::Value provenance_;
};

}  // namespace slipway::lab
