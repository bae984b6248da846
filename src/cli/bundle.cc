#include <fmt/core.h>

#include <ostream>

#include "base/files.h"
#include "base/hash.h"
#include "base/text.h"
#include "cli/handover.h"
#include "cli/table.h"

namespace slipway::cli {
namespace {

json::Value bundled_json(const lab::Bundled& done) {
  auto weights = json::Value::array(), missing = json::Value::array();
  for (const auto& name : done.weights) weights.push_back(name);
  for (const auto& sha : done.missing_adapters) missing.push_back(sha);
  auto value = json::Value::object();
  value.set("path", done.path)
      .set("bytes", done.bytes)
      .set("runs", done.runs)
      .set("objects", done.objects)
      .set("entities", done.entities)
      .set("weights", std::move(weights))
      .set("missing_adapters", std::move(missing))
      .set("notices", notices_json(done.notices));
  return value;
}

CommandResult run_bundle(Context& context, const Arguments& arguments) {
  SLIPWAY_TRY(opened, open_place(context, arguments));
  lab::BundleSpec spec;
  spec.what = arguments.list("what");
  spec.all = arguments.flag("all");
  spec.weights = arguments.flag("weights");
  spec.out = files::join(context.folder, arguments.text("out"));
  SLIPWAY_TRY(done, lab::make_bundle(opened.place, spec));
  for (const auto& sha : done.missing_adapters) {
    context.err << "slipway: note: the adapter " << short_id(sha)
                << " is neither in the store nor in the project: it does not travel\n";
  }
  for (const auto& name : done.without_licence)
    context.err << "slipway: note: no licence is known of '" << name << "'\n";
  if (arguments.flag("json")) {
    context.out << bundled_json(done).pretty() << "\n";
    return 0;
  }
  context.out << fmt::format("{}: {} runs, {} objects, {}\n", arguments.text("out"), done.runs,
                             done.objects, bytes(done.bytes));
  if (!done.weights.empty())
    context.out << "with the weights of " << join(done.weights, ", ") << "\n";
  print_notices(context.out, done.notices);
  context.out << "To look at it: slipway open " << arguments.text("out") << "\n";
  return 0;
}

}  // namespace

Command bundle_command() {
  return {.name = "bundle",
          .summary = "Write runs, what decided them and their adapters into one file to hand over",
          .details =
              "A run brings what is above and below it; a candidate, every run of it and the "
              "training of its adapters.\n"
              "Licence notices travel. What was said and answered is in it: look before you hand "
              "it over.",
          .examples = {{"slipway bundle production -o lab.slipway", "what is released, and why"},
                       {"slipway bundle 3f2a --weights -o lab.slipway",
                        "a run that can be computed again without a download"},
                       {"slipway bundle --all -o lab.slipway", "the whole store"}},
          .positionals = {{"what", "runs and candidates", false, true}},
          .options = {{"all", "everything in the store", "", ""},
                      {"weights", "with the models' weights", "", ""},
                      {"out", "the file to write", "FILE", "lab.slipway", 'o'},
                      project_option(),
                      json_option()},
          .run = run_bundle};
}

}  // namespace slipway::cli
