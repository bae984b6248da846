#include <fmt/core.h>

#include <istream>
#include <ostream>

#include "base/clock.h"
#include "base/files.h"
#include "base/text.h"
#include "cli/confirm.h"
#include "cli/models.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "cli/table.h"
#include "speech/ctranslate2.h"

namespace slipway::cli {
namespace {

Result<model::Catalog> open_catalog(const Context& context) {
  SLIPWAY_TRY(catalog, model::Catalog::load_builtin());
  SLIPWAY_CHECK(catalog.add_file(files::join(config_folder(context), "models.json")));
  return catalog;
}

Result<const model::Entry*> find_entry(const model::Catalog& catalog, const std::string& name) {
  if (const auto* entry = catalog.find(name)) return entry;
  std::vector<std::string> names;
  for (const auto& entry : catalog.entries()) names.push_back(entry.name);
  auto near = nearest(name, names);
  return Error::not_found(
      "no model '" + name + "' in the catalog",
      near ? "did you mean '" + *near + "'?" : "`slipway models list` shows it");
}

CommandResult list_models(Context& context, const Arguments& arguments) {
  SLIPWAY_TRY(catalog, open_catalog(context));
  const auto list = catalog.list(models_folder(context));
  if (arguments.flag("json")) {
    auto array = json::Value::array();
    for (const auto& status : list) {
      auto value = json::Value::object();
      value.set("name", status.entry.name)
          .set("kind", status.entry.kind)
          .set("bytes", status.entry.bytes)
          .set("sha256", status.entry.sha256)
          .set("licence", status.entry.licence.name)
          .set("path", status.path)
          .set("present", status.present)
          .set("verified", status.verified);
      array.push_back(std::move(value));
    }
    context.out << array.pretty() << "\n";
    return 0;
  }
  Table table({"model", "kind", ">size", "licence", "here"});
  for (const auto& status : list) {
    table.row({status.entry.name, status.entry.kind, bytes(status.entry.bytes),
               status.entry.licence.name,
               status.verified  ? "yes, verified"
               : status.present ? "yes"
                                : "no: slipway models pull " + status.entry.name});
  }
  context.out << table.text() << "\nin " << models_folder(context) << "\n";
  return 0;
}

CommandResult verify_models(Context& context, const Arguments& arguments) {
  SLIPWAY_TRY(catalog, open_catalog(context));
  std::vector<const model::Entry*> chosen;
  if (arguments.has("name")) {
    SLIPWAY_TRY(entry, find_entry(catalog, arguments.text("name")));
    chosen.push_back(entry);
  } else {
    for (const auto& status : catalog.list(models_folder(context))) {
      if (status.present) chosen.push_back(catalog.find(status.entry.name));
    }
  }
  auto results = json::Value::array();
  for (const auto* entry : chosen) {
    ProgressLine progress(context, "verifying " + entry->name);
    SLIPWAY_TRY(
        sha,
        model::Catalog::verify(*entry, models_folder(context), [&](uint64_t done, uint64_t total) {
          progress.update(bytes(done), static_cast<double>(done) / static_cast<double>(total), 0);
          return !context.cancel.cancelled();
        }));
    progress.clear();
    auto value = json::Value::object();
    results.push_back(value.set("name", entry->name).set("sha256", sha));
    if (!arguments.flag("json")) context.out << entry->name << ": ok, SHA-256 " << sha << "\n";
  }
  if (arguments.flag("json")) context.out << results.pretty() << "\n";
  return 0;
}

CommandResult pull_models(Context& context, const Arguments& arguments) {
  if (!arguments.has("name")) {
    return Error::invalid_input("which model?",
                                "slipway models pull NAME; `slipway models list` shows the names");
  }
  SLIPWAY_TRY(path, pull_model(context, arguments.text("name"), arguments.flag("accept-licence")));
  if (arguments.flag("json")) {
    auto value = json::Value::object();
    context.out << value.set("name", arguments.text("name")).set("path", path).pretty() << "\n";
  } else {
    context.out << path << "\n";
  }
  return 0;
}

// A speech model in the form that whisper.cpp's own programs read.
CommandResult convert_model(Context& context, const Arguments& arguments) {
  if (!arguments.has("name") || !arguments.has("file")) {
    return Error::invalid_input("which model, and into which file?",
                                "slipway models convert whisper-tiny.en tiny.en.bin");
  }
  SLIPWAY_TRY(catalog, open_catalog(context));
  SLIPWAY_TRY(found, catalog.resolve(arguments.text("name"), models_folder(context)));
  SLIPWAY_TRY(weights, files::read(found.path));
  auto converted = speech::whisper_from_ctranslate2(weights);
  if (!converted.ok()) return converted.error().in(found.path);
  const auto path = files::join(context.folder, arguments.text("file"));
  SLIPWAY_CHECK(files::write_atomic(path, *converted));
  if (arguments.flag("json")) {
    auto value = json::Value::object();
    context.out << value.set("name", arguments.text("name")).set("path", path).pretty() << "\n";
  } else {
    context.out << path << "\n";
  }
  return 0;
}

CommandResult run_models(Context& context, const Arguments& arguments) {
  const auto action = arguments.text("action");
  if (action.empty() || action == "list") return list_models(context, arguments);
  if (action == "pull") return pull_models(context, arguments);
  if (action == "verify") return verify_models(context, arguments);
  if (action == "convert") return convert_model(context, arguments);
  return Error::invalid_input("no action '" + action + "'",
                              "the actions are list, pull, verify and convert");
}

bool ask_licence(Context& context, const model::Entry& entry) {
  context.err << entry.name << " comes under " << entry.licence.name << "\n"
              << entry.licence.notice << "\n";
  if (!entry.licence.url.empty()) context.err << entry.licence.url << "\n";
  if (!context.in_is_terminal) return false;
  context.err << "Do you accept it? [y/N] ";
  return says_yes(context);
}

}  // namespace

Result<std::string> pull_model(Context& context, const std::string& name, bool licence_accepted) {
  SLIPWAY_TRY(catalog, open_catalog(context));
  SLIPWAY_TRY(entry, find_entry(catalog, name));
  ProgressLine progress(context, "fetching " + name);
  const double started = steady_ms();
  model::PullOptions options;
  options.models_dir = models_folder(context);
  options.cancel = context.cancel;
  options.accept_licence = [&](const model::Entry& asked) {
    if (!licence_accepted) return ask_licence(context, asked);
    context.err << asked.name << ": " << asked.licence.name << " accepted (--accept-licence)\n";
    return true;
  };
  options.progress = [&](uint64_t done, uint64_t total, std::string_view what) {
    const auto fraction = total ? static_cast<double>(done) / static_cast<double>(total) : 0;
    const auto eta = fraction > 0 ? (steady_ms() - started) * (1 - fraction) / fraction : 0;
    progress.update(bytes(done) + " of " + bytes(total) + ", " + std::string(what), fraction, eta);
  };
  auto pulled = model::Catalog::pull(*entry, options);
  if (!pulled.ok() && context.cancel.cancelled()) return Error::cancelled();  // at the question
  return pulled;
}

Command models_command() {
  return {.name = "models",
          .summary = "List, fetch and verify model weights",
          .details =
              "Weights are fetched once into one folder, by SHA-256, after their licence is shown "
              "and accepted.",
          .examples = {{"slipway models list", "what the catalog has and what is here"},
                       {"slipway models pull gemma-3-270m", "fetches it"},
                       {"slipway models convert whisper-tiny.en tiny.en.bin",
                        "a speech model for whisper.cpp's own programs"},
                       {"slipway models verify", "checks every file here against its SHA-256"}},
          .positionals = {{"action", "list, pull, verify or convert", false},
                          {"name", "the model", false},
                          {"file", "convert: what is written", false}},
          .options = {{"accept-licence", "accept the model's licence without being asked", "", ""},
                      json_option()},
          .run = run_models};
}

}  // namespace slipway::cli
