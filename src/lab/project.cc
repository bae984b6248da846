#include "lab/project.h"

#include <algorithm>

#include "base/files.h"
#include "base/text.h"
#include "lab/project_file.h"

namespace slipway::lab {
namespace {

template <typename Spec>
Result<Spec> find_by_name(const std::vector<Spec>& specs, const std::string& name,
                          const std::string& what) {
  std::vector<std::string> names;
  for (const auto& spec : specs) {
    if (spec.name == name) return spec;
    names.push_back(spec.name);
  }
  auto hint =
      names.empty() ? "slipway.toml defines none" : "slipway.toml defines " + join(names, ", ");
  if (auto near = nearest(name, names)) hint = "did you mean '" + *near + "'?";
  return Error::not_found("no " + what + " '" + name + "'", hint);
}

// The nearest folder, upwards, that holds a slipway.toml.
Result<std::string> find_root(const std::string& start) {
  auto folder = files::absolute(start);
  while (true) {
    if (files::exists(files::join(folder, "slipway.toml"))) return folder;
    auto up = files::parent(folder);
    if (up.empty() || up == folder) break;
    folder = up;
  }
  return Error::not_found("no slipway.toml in " + files::absolute(start) + " or above it",
                          "run `slipway init` here, or name a project with --project FOLDER");
}

// "skills/*.json" or a plain path, relative to the project.
Result<std::vector<std::string>> expand(const Project& project, const std::string& pattern) {
  const auto star = pattern.find('*');
  if (star == std::string::npos) return std::vector<std::string>{project.path(pattern)};
  const auto folder = files::parent(pattern);
  const auto suffix = pattern.substr(star + 1);
  const auto slash = pattern.rfind('/', star);
  const auto begin = slash == std::string::npos ? 0 : slash + 1;
  const auto prefix = pattern.substr(begin, star - begin);
  std::vector<std::string> found;
  for (const auto& name : files::list(project.path(folder))) {
    const bool fits = name.size() >= prefix.size() + suffix.size() && starts_with(name, prefix) &&
                      name.compare(name.size() - suffix.size(), suffix.size(), suffix) == 0;
    if (fits) found.push_back(files::join(project.path(folder), name));
  }
  if (found.empty()) return Error::not_found("slipway.toml: no file matches '" + pattern + "'");
  return found;
}

Status load_skills(Project& project, const std::vector<std::string>& patterns) {
  auto skills = std::make_shared<skill::SkillSet>();
  for (const auto& pattern : patterns) {
    SLIPWAY_TRY(paths, expand(project, pattern));
    for (const auto& path : paths) {
      SLIPWAY_TRY(skill, skill::load_skill_file(path));
      auto added = skills->add(std::move(skill));
      if (!added.ok()) return added.error().in(path);
    }
  }
  project.skills = std::move(skills);
  return Status::success();
}

}  // namespace

std::string Project::path(const std::string& relative) const {
  return files::join(folder, relative);
}

Result<CandidateSpec> Project::candidate(const std::string& wanted) const {
  return find_by_name(candidates, wanted, "candidate");
}

Result<DatasetSpec> Project::dataset(const std::string& wanted) const {
  auto known = find_by_name(datasets, wanted, "dataset");
  const auto file = path(wanted);
  if (known.ok() || !files::exists(file) || files::is_directory(file)) return known;
  for (const auto& spec : datasets) {
    if (files::absolute(path(spec.path)) == files::absolute(file)) return spec;
  }
  return DatasetSpec{.name = wanted, .path = wanted, .split = dataset::split_of(wanted)};
}

Result<Project> load_project(const std::string& start) {
  SLIPWAY_TRY(root, find_root(start));
  const auto file = files::join(root, "slipway.toml");
  SLIPWAY_TRY(text, files::read(file, 1 << 20));
  std::vector<std::string> skill_patterns;
  auto parsed = parse_project_file(text, skill_patterns);
  if (!parsed.ok()) return parsed.error().in(file);
  auto project = std::move(parsed).value();
  project.folder = root;
  if (project.name.empty()) project.name = files::filename(root);
  SLIPWAY_CHECK(load_skills(project, skill_patterns));
  for (const auto& rung : project.ladder.rungs) {
    if (auto known = project.candidate(rung); !known.ok())
      return known.error().in(file + ": ladder.rungs");
  }
  if (project.default_candidate.empty() && !project.candidates.empty()) {
    project.default_candidate = project.candidates.back().name;
  }
  return project;
}

Result<candidate::Candidate> make_candidate(const Project& project, const CandidateSpec& spec) {
  SLIPWAY_TRY(prompt, candidate::load_prompt(project.path(spec.prompt)));
  candidate::Candidate made;
  made.name = spec.name;
  made.model.name = spec.model;
  made.prompt = std::move(prompt);
  made.skills = spec.use_skills ? project.skills : std::make_shared<const skill::SkillSet>();
  static_cast<candidate::Settings&>(made) = spec;
  return made;
}

}  // namespace slipway::lab
