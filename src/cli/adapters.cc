#include <fmt/core.h>

#include <ostream>

#include "base/files.h"
#include "base/hash.h"
#include "base/text.h"
#include "cli/session.h"
#include "cli/table.h"
#include "lab/adapters.h"

namespace slipway::cli {
namespace {

std::string stem(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  auto name = files::filename(path);
  constexpr std::string_view suffix = ".gguf";
  if (name.ends_with(suffix)) name.resize(name.size() - suffix.size());
  return name;
}

Result<lab::AdapterSpec> spec_of(const lab::Project& project, const Arguments& arguments) {
  lab::AdapterSpec spec;
  spec.others = arguments.list("path");
  spec.from = spec.others.front();
  spec.others.erase(spec.others.begin());
  spec.model = arguments.text("model");
  if (spec.model.empty()) {
    SLIPWAY_TRY(candidate, project.candidate(project.default_candidate));
    spec.model = candidate.model;
  }
  const auto action = arguments.text("action");
  if (action != "average" && !spec.others.empty())
    return Error::invalid_input(action + " takes one path", "only `average` takes several");
  if (action == "average" && spec.others.empty())
    return Error::invalid_input("average takes two adapters or more");
  spec.name = arguments.has("name") ? arguments.text("name") : stem(spec.from);
  spec.out = arguments.text("out");
  if (!spec.out.empty()) {
  } else if (action == "import") {
    spec.out = "adapters/" + spec.name + ".gguf";
  } else if (action == "average") {
    spec.out = "adapters/" + spec.name + "-mean.gguf";
  } else if (action == "export") {
    spec.out = "adapters/" + spec.name + "-peft";
  } else {
    spec.out = "adapters/" + spec.name + "-merged.gguf";
  }
  const auto type = arguments.text("type");
  if (type != "f16" && type != "same")
    return Error::invalid_input("--type '" + type + "' is not f16 or same");
  spec.merge.type = type == "same" ? tune::MergeType::same : tune::MergeType::f16;
  SLIPWAY_TRY(scale, arguments.number("scale", -100, 100));
  spec.merge.scale = static_cast<float>(scale);
  return spec;
}

json::Value done_json(const lab::AdapterDone& done) {
  auto value = json::Value::object();
  value.set("run_id", done.run_id)
      .set("path", done.path)
      .set("sha256", done.sha256)
      .set("weights_adapted", done.pairs)
      .set("rank", done.rank)
      .set("alpha", done.alpha);
  if (!done.merged) return value;
  auto types = json::Value::object();
  for (const auto& [type, count] : done.merged->types) types.set(type, count);
  return value.set("types", std::move(types))
      .set("kept", done.merged->kept)
      .set("relative_error", done.merged->relative_error)
      .set("bytes", done.merged->bytes);
}

void print_done(Context& context, const lab::AdapterDone& done) {
  context.out << fmt::format("written   {}\n", done.path);
  context.out << fmt::format("SHA-256   {}\n", done.sha256);
  context.out << fmt::format("adapter   {} weights, rank {}, alpha {}\n", done.pairs, done.rank,
                             done.alpha);
  if (done.merged) {
    std::vector<std::string> types;
    for (const auto& [type, count] : done.merged->types)
      types.push_back(fmt::format("{} as {}", count, type));
    context.out << fmt::format("merged    {}; the others as they were; {}\n", join(types, ", "),
                               bytes(done.merged->bytes));
    context.out << fmt::format("kept      {} of the adapter, the rest is rounding\n",
                               percent(done.merged->kept));
  }
  context.out << fmt::format("run       {}\n", short_id(done.run_id));
}

CommandResult run_adapters(Context& context, const Arguments& arguments) {
  const auto action = arguments.text("action");
  if (action != "import" && action != "export" && action != "average" && action != "merge") {
    return Error::invalid_input("no action '" + action + "'",
                                "the actions are import, export, average and merge");
  }
  SLIPWAY_TRY(bench, open_workbench(context, arguments));
  SLIPWAY_TRY(spec, spec_of(bench.project(), arguments));
  auto done = action == "import"    ? lab::import_adapter(bench, spec)
              : action == "export"  ? lab::export_adapter(bench, spec)
              : action == "average" ? lab::average_adapters(bench, spec)
                                    : lab::merge_adapter(bench, spec);
  if (!done.ok()) return done.error();
  if (arguments.flag("json"))
    context.out << done_json(*done).pretty() << "\n";
  else
    print_done(context, *done);
  return 0;
}

}  // namespace

Command adapters_command() {
  return {
      .name = "adapters",
      .summary = "Bring LoRA adapters in from PEFT, out to it, average or merge them",
      .details =
          "An adapter in GGUF is what `slipway tune` writes and llama.cpp loads; PEFT has a "
          "folder with adapter_config.json\n"
          "and adapter_model.safetensors. The mean of adapters from other seeds often errs less "
          "than each of them.\n"
          "Merged weights are stored as F16: quantised again (--type same) a small adapter may "
          "round away, and `kept` tells\n"
          "how much of it is left.",
      .examples = {{"slipway adapters import my-lora --model gemma-3-270m",
                    "writes adapters/my-lora.gguf"},
                   {"slipway adapters export adapters/tuned.gguf --model gemma-3-270m",
                    "writes the folder adapters/tuned-peft"},
                   {"slipway adapters average adapters/a.gguf adapters/b.gguf --out "
                    "adapters/mean.gguf",
                    "writes one adapter, of both ranks together"},
                   {"slipway adapters merge adapters/tuned.gguf --model gemma-3-270m",
                    "writes adapters/tuned-merged.gguf, a model of its own"}},
      .positionals = {{"action", "import, export, average or merge", true, false},
                      {"path", "PEFT's folder, or an adapter in GGUF; average: several", true,
                       true}},
      .options = {{"model",
                   "it is for: a catalog name or a GGUF file; else the default "
                   "candidate's",
                   "NAME", ""},
                  {"out", "what is written; else under adapters/", "PATH", ""},
                  {"name", "of what is written; else the path's last part", "NAME", ""},
                  {"type", "merge: adapted weights as f16, or the same type again", "TYPE", "f16"},
                  {"scale", "merge: the adapter counts so many times", "X", "1"},
                  project_option(),
                  json_option()},
      .run = run_adapters};
}

}  // namespace slipway::cli
