// In what two candidates differ, for people who read a notebook.
#include "base/hash.h"
#include "base/text.h"
#include "candidate/candidate.h"
#include "lab/notebook.h"

namespace slipway::lab {
namespace {

const json::Value& member(const json::Value& value, std::string_view key) {
  static const json::Value none;
  const auto* found = value.get(key);
  return found ? *found : none;
}

std::string text_of(const json::Value& value) {
  if (value.is_null()) return {};
  return value.is_string() ? value.as_string() : value.dump();
}

// The members that differ, a line each: "max_tokens 32".
std::string different(const json::Value& of, const json::Value& from) {
  std::vector<std::string> lines;
  if (!of.is_object()) return text_of(of);
  for (const auto& [key, value] : of.as_object()) {
    const auto* other = from.get(key);
    if (!other || !(*other == value)) lines.push_back(key + " " + text_of(value));
  }
  return join(lines, "\n");
}

std::string weights(const json::Value& model) {
  const auto sha = model.text("weights_sha256");
  return model.text("name") + (sha.empty() ? " (unpinned)" : " " + short_id(sha));
}

std::string adapters(const json::Value& model) {
  std::vector<std::string> ids;
  const auto& list = member(model, "adapters");
  if (!list.is_array()) return {};
  for (const auto& sha : list.as_array()) ids.push_back(short_id(text_of(sha)));
  return join(ids, " ");
}

// Names of skills; what they can do is on the candidate's page.
std::string skill_names(const json::Value& skills) {
  const auto& list = skills.is_object() ? member(skills, "skills") : skills;
  if (!list.is_array()) return skills.is_null() ? "" : short_id(sha256_hex(skills.canonical()));
  std::vector<std::string> names;
  for (const auto& skill : list.as_array())
    names.push_back(skill.text("name", "?") + " " + short_id(sha256_hex(skill.canonical())));
  return join(names, "\n");
}

}  // namespace

std::vector<Change> candidate_changes(const json::Value& before, const json::Value& after) {
  std::vector<Change> changes;
  const auto note = [&](const char* part, std::string was, std::string now) {
    if (was != now) changes.push_back({part, std::move(was), std::move(now)});
  };
  const auto& old_model = member(before, "model");
  const auto& new_model = member(after, "model");
  note("model", weights(old_model), weights(new_model));
  note("adapters", adapters(old_model), adapters(new_model));
  note("prompt", text_of(member(before, "prompt")), text_of(member(after, "prompt")));
  note("skills", skill_names(member(before, "skills")), skill_names(member(after, "skills")));
  for (const auto& [key, name] : candidate::setting_names) {
    const auto& was = member(before, key);
    const auto& now = member(after, key);
    note(name, different(was, now), different(now, was));
  }
  return changes;
}

}  // namespace slipway::lab
