#include "cli/session.h"

#include <array>
#include <ctime>

#include "base/clock.h"
#include "base/files.h"
#include "base/text.h"

namespace slipway::cli {
namespace {

std::string under_home(const Context& context, const char* variable, const char* fallback) {
  if (auto value = context.environment(variable); value && !value->empty()) return *value;
  return files::join(context.environment("HOME").value_or("."), fallback);
}

std::string project_folder(const Context& context, const Arguments& arguments) {
  return arguments.has("project") ? files::join(context.folder, arguments.text("project"))
                                  : context.folder;
}

}  // namespace

std::string models_folder(const Context& context) {
  if (auto value = context.environment("SLIPWAY_MODELS"); value && !value->empty()) return *value;
  return files::join(under_home(context, "XDG_CACHE_HOME", ".cache"), "slipway/models");
}

std::string config_folder(const Context& context) {
  return files::join(under_home(context, "XDG_CONFIG_HOME", ".config"), "slipway");
}

Result<lab::Workbench> open_workbench(Context& context, const Arguments& arguments,
                                      int max_sequences) {
  SLIPWAY_TRY(project, lab::load_project(project_folder(context, arguments)));
  lab::Settings settings;
  settings.models_folder = models_folder(context);
  settings.config_folder = config_folder(context);
  settings.prefix_folder =
      files::join(under_home(context, "XDG_CACHE_HOME", ".cache"), "slipway/prefixes");
  settings.max_sequences = max_sequences;
  if (arguments.has("sequences")) {
    SLIPWAY_TRY(sequences, arguments.integer("sequences", 1, 128));
    settings.max_sequences = static_cast<int>(sequences);
  }
  settings.fast_forward = !arguments.flag("no-fast-forward");
  settings.environment = context.environment;
  settings.argv = context.argv;
  settings.trust = arguments.flag("trust");
  settings.cancel = context.cancel;
  settings.on_note = [&context](const std::string& note) {
    context.err << "slipway: note: " << printable_line(note) << "\n";
  };
  return lab::Workbench::open(std::move(project), std::move(settings));
}

Result<std::shared_ptr<store::Store>> open_store(Context& context, const Arguments& arguments) {
  const auto folder = project_folder(context, arguments);
  auto project = lab::load_project(folder);
  if (project.ok()) return store::Store::open(project->store_folder());
  // What was recorded can be read though slipway.toml is broken today.
  const auto beside = files::join(folder, ".slipway");
  if (files::is_directory(beside)) return store::Store::open(beside, false);
  return project.error();
}

Option trust_option() {
  return {"trust", "start the project's MCP servers and trust what they offer now", "", ""};
}

std::vector<Option> candidate_options() {
  return {{"model", "use this model: a catalog name, a GGUF file, an endpoint", "NAME", ""},
          {"prompt", "use this prompt file", "FILE", ""},
          {"adapter",
           "put this LoRA on the model, beside the candidate's own if no --model is given", "FILE",
           ""},
          {"constrain", "decode inside the call language", "", ""},
          {"no-constrain", "decode freely", "", ""}};
}

Result<lab::CandidateSpec> chosen_candidate(const lab::Project& project,
                                            const Arguments& arguments) {
  const auto name =
      arguments.has("candidate") ? arguments.text("candidate") : project.default_candidate;
  if (name.empty()) {
    return Error::invalid_input("the project has no candidate",
                                "add [candidates.NAME] to slipway.toml");
  }
  SLIPWAY_TRY(spec, project.candidate(name));
  if (arguments.flag("constrain") && arguments.flag("no-constrain")) {
    return Error::invalid_input("--constrain and --no-constrain exclude each other");
  }
  const bool changed = arguments.has("model") || arguments.has("prompt") ||
                       arguments.has("adapter") || arguments.flag("constrain") ||
                       arguments.flag("no-constrain");
  if (spec.released && changed) {
    return Error::invalid_input("'" + name + "' is a release: its parts are fixed",
                                "change a candidate of slipway.toml");
  }
  if (arguments.has("model")) {
    spec.model = arguments.text("model");
    spec.adapters.clear();  // they are for the candidate's own weights
    spec.name += "+" + spec.model;
  }
  if (arguments.has("prompt"))
    spec.prompt = arguments.text("prompt"), spec.name += "+" + spec.prompt;
  for (const auto& adapter : arguments.list("adapter")) {
    spec.adapters.push_back(adapter);
    spec.name += "+" + adapter;
  }
  if (arguments.flag("constrain")) spec.constrain = true;
  if (arguments.flag("no-constrain")) spec.constrain = false;
  return spec;
}

json::Value run_json(const store::Run& run) {
  auto value = json::Value::object();
  value.set("id", run.id)
      .set("experiment", run.experiment)
      .set("kind", run.kind)
      .set("name", run.name)
      .set("parent_id", run.parent_id)
      .set("status", std::string(store::status_name(run.status)))
      .set("start", iso8601_utc(run.start_ms))
      .set("end", run.end_ms ? json::Value(iso8601_utc(run.end_ms)) : json::Value())
      .set("error", run.error)
      .set("inputs", run.inputs)
      .set("environment", run.environment);
  return value;
}

std::string local_clock() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &local);
  return text.data();
}

std::string when(int64_t unix_ms) {
  auto text = iso8601_utc(unix_ms).substr(0, 16);
  text[10] = ' ';
  return text;
}

}  // namespace slipway::cli
