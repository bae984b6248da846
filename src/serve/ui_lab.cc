// The notebook, prompts with their versions, and releases.
#include <algorithm>

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

// Names in the order of their newest version; versions oldest first, numbered from 1.
Result<json::Value> list_prompts(const store::Store& store, const http::ServerRequest&) {
  SLIPWAY_TRY(entities, store.list_entities("prompt"));
  if (entities.size() > most_prompt_versions) entities.resize(most_prompt_versions);
  SLIPWAY_TRY(runs, store.list_runs({.kind = "eval", .limit = most_runs_for_prompts}));
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
      if (entity.name != name) continue;
      auto used = json::Value::array();
      const auto source = source_of(entity);
      for (const auto& run : runs) {
        if (run.inputs.text("prompt") != name || run.status != store::RunStatus::finished) continue;
        const auto candidate = store.find_entity("candidate", run.inputs.text("candidate"));
        if (!candidate.ok() || candidate->content.text("prompt") != source) continue;
        SLIPWAY_TRY(figures, store.latest_metrics(run.id));
        auto value = ui_run_json(run);
        const auto exact = figures.find("exact_match");
        value.set("exact_match",
                  exact == figures.end() ? json::Value() : json::Value(exact->second));
        used.push_back(std::move(value));
      }
      auto version = json::Value::object();
      version.set("id", entity.id)
          .set("number", versions.size() + 1)
          .set("created_ms", entity.created_ms)
          .set("source", source)
          .set("runs", std::move(used));
      versions.push_back(std::move(version));
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
