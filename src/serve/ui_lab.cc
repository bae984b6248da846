// The notebook, prompts with their versions, and releases.
#include <algorithm>
#include <map>

#include "lab/notebook.h"
#include "serve/ui.h"
#include "serve/ui_routes.h"

namespace slipway::serve {
namespace {

constexpr int most_runs_for_prompts = 2000;
constexpr size_t most_prompt_versions = 500;

Result<json::Value> show_notebook(const store::Store& store, const http::ServerRequest& request) {
  SLIPWAY_TRY(limit, query_integer(request, "limit", 50, 1, 500));
  SLIPWAY_TRY(before, query_integer(request, "before_ms", 0, 0, INT64_MAX));
  SLIPWAY_TRY(notebook, lab::read_notebook(store, {static_cast<int>(limit), before}));
  return lab::notebook_json(notebook);
}

// A prompt of ours has `source`; others' are shown as they are.
std::string source_of(const store::Entity& prompt) {
  const auto* source = prompt.content.get("source");
  if (source && source->is_string()) return source->as_string();
  const auto* text = prompt.content.get("template");
  return text && text->is_string() ? text->as_string() : prompt.content.pretty();
}

// Which evaluations used which text of a prompt: name and text, then the runs, newest first.
using Uses = std::map<std::pair<std::string, std::string>, json::Value>;

Result<Uses> uses_of_prompts(const store::Store& store) {
  SLIPWAY_TRY(runs, store.list_runs({.kind = "eval", .limit = most_runs_for_prompts}));
  std::map<std::string, std::string> sources;  // by candidate
  Uses uses;
  for (const auto& run : runs) {
    if (run.status != store::RunStatus::finished) continue;
    const auto id = run.inputs.text("candidate");
    if (!sources.contains(id)) {
      const auto candidate = store.find_entity("candidate", id);
      sources[id] = candidate.ok() ? candidate->content.text("prompt") : "";
    }
    SLIPWAY_TRY(figures, store.latest_metrics(run.id));
    const auto exact = figures.find("exact_match");
    auto value = ui_run_json(run);
    value.set("exact_match", exact == figures.end() ? json::Value() : json::Value(exact->second));
    auto& list = uses[{run.inputs.text("prompt"), sources[id]}];
    if (list.is_null()) list = json::Value::array();
    list.push_back(std::move(value));
  }
  return uses;
}

json::Value version_json(const store::Entity& entity, size_t number, const Uses& uses) {
  auto source = source_of(entity);
  const auto used = uses.find({entity.name, source});
  auto version = json::Value::object();
  version.set("id", entity.id)
      .set("number", number)
      .set("created_ms", entity.created_ms)
      .set("runs", used == uses.end() ? json::Value::array() : used->second)
      .set("source", std::move(source));
  return version;
}

// Names in the order of their newest version; versions oldest first, numbered from 1.
Result<json::Value> list_prompts(const store::Store& store, const http::ServerRequest&) {
  SLIPWAY_TRY(entities, store.list_entities("prompt"));
  SLIPWAY_TRY(uses, uses_of_prompts(store));
  if (entities.size() > most_prompt_versions) entities.resize(most_prompt_versions);
  std::vector<std::string> names;
  for (const auto& entity : entities) {
    if (std::find(names.begin(), names.end(), entity.name) == names.end())
      names.push_back(entity.name);
  }
  std::stable_sort(entities.begin(), entities.end(),
                   [](const auto& a, const auto& b) { return a.created_ms < b.created_ms; });
  auto prompts = json::Value::array();
  for (const auto& name : names) {
    auto versions = json::Value::array();
    for (const auto& entity : entities) {
      if (entity.name == name) versions.push_back(version_json(entity, versions.size() + 1, uses));
    }
    auto prompt = json::Value::object();
    prompt.set("name", name).set("versions", std::move(versions));
    prompts.push_back(std::move(prompt));
  }
  auto value = json::Value::object();
  value.set("prompts", std::move(prompts));
  return value;
}

}  // namespace

void add_lab_routes(http::Server& server, const SharedStore& store) {
  add_api_route(server, "/api/notebook",
                [store](const http::ServerRequest& r) { return show_notebook(*store, r); });
  add_api_route(server, "/api/prompts",
                [store](const http::ServerRequest& r) { return list_prompts(*store, r); });
}

}  // namespace slipway::serve
