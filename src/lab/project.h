// A project: a folder with `slipway.toml`, prompts, skills, datasets, and `.slipway/` (the store).
// docs/format/project.md is the promise.
//
//     SLIPWAY_TRY(project, load_project("."));              // looks in the folder and its parents
//     SLIPWAY_TRY(spec, project.candidate("formatted"));
//
// Loading reads files and nothing else: no program runs, nothing is fetched. A plain value.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "candidate/candidate.h"
#include "dataset/dataset.h"
#include "skill/signature.h"

namespace slipway::lab {

struct Released;  // lab/releases.h

struct CandidateSpec : candidate::Settings {
  std::string name;
  std::string model;                  // catalog name, path, or endpoint name
  std::vector<std::string> adapters;  // paths
  std::string prompt;                 // path
  std::string tune;                   // dataset that makes adapters[0]; empty: it is given
  double tune_epochs = 3;
  int tune_copies = 0;   // of each row, varied
  int tune_members = 1;  // trainings, each from a seed of its own, whose mean is the adapter
  bool use_skills = true;
  std::shared_ptr<const Released> released;  // an alias: what was released decides, not the files
};

// Its table of slipway.toml, without what is as it would be anyway.
std::string to_toml(const CandidateSpec& spec);

struct DatasetSpec {
  std::string name;
  std::string path;
  std::string split;            // train, dev, test or empty
  std::string scorer = "call";  // call, fields, json
};

struct EndpointSpec {
  std::string name, url, model;
};

struct LadderSpec {
  std::string dataset;
  std::vector<std::string> rungs;  // candidates, in order
};

struct Project {
  std::string folder;
  std::string name;
  std::shared_ptr<const skill::SkillSet> skills;
  std::vector<CandidateSpec> candidates;
  std::vector<DatasetSpec> datasets;
  std::vector<EndpointSpec> endpoints;
  LadderSpec ladder;
  std::string default_candidate;

  std::string path(const std::string& relative) const;
  std::string store_folder() const { return path(".slipway"); }
  // Errors: not_found with the nearest name and the list.
  Result<CandidateSpec> candidate(const std::string& name) const;
  // Or a file of rows, by its path from the project's folder: that of a dataset is the dataset.
  Result<DatasetSpec> dataset(const std::string& name) const;
};

// Errors: not_found (no slipway.toml here or above: run `slipway init`), invalid_input with file,
// line and what was expected.
Result<Project> load_project(const std::string& folder);

// The candidate as a value; hashes of weights and adapters are filled in by the caller
// (lab/workbench.h).
Result<candidate::Candidate> make_candidate(const Project& project, const CandidateSpec& spec);

}  // namespace slipway::lab
