// Releases: an alias such as `production` as a candidate that every command accepts, and the moves
// of an alias.
//
//     add_releases(project, *store);                  // Workbench::open does
//     SLIPWAY_TRY(spec, project.candidate("production"));
//     SLIPWAY_TRY(ready, bench.prepare(spec));        // the released content, never the files'
//     SLIPWAY_TRY(release, promote(bench, "formatted", {.gate_run = "3f2a", .who = "ada"}));
//
// What was released is rebuilt from the store; when the files have changed since, Settings::on_note
// is told. One thread. Errors: not_found, invalid_input, corrupt, permission_denied (the gate).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "lab/workbench.h"

namespace slipway::lab {

// What CandidateSpec::released points to.
struct Released {
  store::Release release;
  candidate::Candidate candidate;
  std::optional<Error> problem;  // why it cannot be rebuilt; told when it is used
};

// Errors: invalid_input (an alias bears the name of a candidate of slipway.toml).
Status add_releases(Project& project, const store::Store& store);
// A candidate made elsewhere as a spec that Workbench::prepare takes as it is.
CandidateSpec spec_of(Released released);

// In what the candidate of the project's files differs from the released one: "prompt", "skills",
// "adapters", "model", "decoding", "call language", "confidence".
std::vector<std::string> changed_parts(const candidate::Candidate& released,
                                       const candidate::Candidate& now);

struct Promotion {
  std::string alias = "production";
  std::string gate_run;  // an id or its beginning; may be empty when forced
  std::string because;   // forced, and why
  std::string who;
};

// `candidate`: a name of slipway.toml or an alias.
Result<store::Release> promote(Workbench& bench, const std::string& candidate,
                               const Promotion& promotion);

// Puts the candidate and its adapters into the store; the hash of its object.
Result<std::string> keep_candidate(Workbench& bench, const CandidateSpec& spec,
                                   const candidate::Candidate& candidate);

}  // namespace slipway::lab
