#include "lab/sweep.h"

#include <fmt/core.h>

#include <ostream>

#include "base/hash.h"
#include "base/text.h"
#include "cli/session.h"
#include "cli/table.h"
#include "cli/tune.h"

namespace slipway::cli {
namespace {

constexpr size_t most_arms = 64;
const std::vector<std::string> swept_options = {"rank", "lr", "epochs", "layers", "limit"};

// The arguments of each combination, with what differs as a label.
Result<std::vector<std::pair<std::string, Arguments>>> combinations(const Arguments& arguments) {
  std::vector<std::pair<std::string, Arguments>> all = {{"", arguments}};
  for (const auto& name : swept_options) {
    if (!arguments.has(name)) continue;
    const auto values = split(arguments.text(name), ',');
    std::vector<std::pair<std::string, Arguments>> next;
    for (const auto& [label, before] : all) {
      for (const auto& value : values) {
        auto with = before;
        const bool all_rows = name == "limit" && value == "all";
        with.set(name, {all_rows ? "1000000000" : value});
        const auto part = values.size() > 1 ? name + " " + value : std::string();
        next.emplace_back(label + (label.empty() || part.empty() ? "" : ", ") + part, with);
      }
    }
    all = std::move(next);
    if (all.size() > most_arms)
      return Error::invalid_input("more than 64 combinations", "sweep less at once");
  }
  return all;
}

Result<lab::SweepSpec> spec_of(const lab::Project& project, const Arguments& arguments) {
  lab::SweepSpec spec;
  spec.name = arguments.text("name");
  SLIPWAY_TRY(all, combinations(arguments));
  for (const auto& [label, one] : all) {
    SLIPWAY_TRY(tune, tune_spec(project, one));
    // Twice the rank unless said otherwise, so that ranks differ in nothing else.
    if (!arguments.has("alpha"))
      tune.settings.train.lora.alpha = 2.0F * static_cast<float>(tune.settings.train.lora.rank);
    spec.arms.push_back({.label = label, .tune = std::move(tune)});
  }
  spec.halve = !arguments.flag("whole") && !arguments.has("limit");
  return spec;
}

void print_swept(std::ostream& out, const lab::Swept& swept) {
  Table table({"setting", ">examples", ">dev", ">training", "run", ""});
  for (size_t i = 0; i < swept.arms.size(); ++i) {
    const auto& arm = swept.arms[i];
    table.row({arm.label, std::to_string(arm.examples), percent(arm.score),
               duration(arm.train_s * 1000), short_id(arm.run_id),
               i == swept.best ? "best"
               : arm.diverged  ? "diverged"
               : arm.raced     ? ""
                               : "left the race"});
  }
  out << table.text();
  if (swept.curve.size() > 1) {
    out << "accuracy against examples\n";
    for (const auto& [examples, score] : swept.curve)
      out << fmt::format("  {:>8}  {}\n", examples, percent(score));
  }
  out << fmt::format("run {}{}\n\nTo keep the best, put this into slipway.toml:\n\n{}",
                     short_id(swept.run_id), swept.resumed ? " (continued)" : "",
                     lab::to_toml(swept.adopted));
}

CommandResult run_sweep_command(Context& context, const Arguments& arguments) {
  SLIPWAY_TRY(bench, open_workbench(context, arguments));
  SLIPWAY_TRY(spec, spec_of(bench.project(), arguments));
  const bool as_json = arguments.flag("json");
  ProgressLine line(context, "sweep");
  lab::SweepHooks hooks{.on_arm = {}, .tune = hooks_of(context, line, true)};
  if (!as_json) {
    hooks.on_arm = [&](const lab::SweepArm& arm) {
      line.clear();
      context.err << fmt::format("{}: dev {} from {} examples\n", arm.label, percent(arm.score),
                                 arm.examples);
    };
  }
  auto swept = lab::run_sweep(bench, spec, hooks);
  line.clear();
  if (!swept.ok()) return swept.error();
  if (as_json)
    context.out << swept->to_json().pretty() << "\n";
  else
    print_swept(context.out, *swept);
  return 0;
}

// Those of tune, where some may be lists.
std::vector<Option> sweep_options() {
  std::vector<Option> options;
  for (auto option : tune_options()) {
    if (option.name == "out" || option.name == "resume") continue;
    if (option.name == "name") option.otherwise = "swept";
    if (option.name == "rank") option.value = "LIST", option.otherwise = "4,16,64";
    if (option.name == "lr") option.value = "LIST";
    if (option.name == "epochs") option.value = "LIST";
    if (option.name == "layers") option.value = "LIST";
    if (option.name == "limit") option.value = "LIST", option.help += "; all: every one";
    if (option.name == "alpha") option.help += "; else twice the rank", option.otherwise = "";
    options.push_back(std::move(option));
  }
  options.push_back({"whole", "no race: every setting learns from all rows", "", ""});
  return options;
}

}  // namespace

Command sweep_command() {
  return {.name = "sweep",
          .summary = "Train with many settings, keep the best; or draw accuracy against examples",
          .details =
              "--rank, --lr, --epochs, --layers and --limit take lists; every combination is a "
              "tracked run. They race: all learn\n"
              "from a part of the rows, the better half from twice as many. With --limit there is "
              "no race, and the best of each\n"
              "number of rows is a point of the data-scaling curve. The same command continues "
              "one that was killed.",
          .examples = {{"slipway sweep train --rank 4,16,64 --lr 2e-4,5e-4", "six settings race"},
                       {"slipway sweep train --rank 16 --limit 250,500,1000,all",
                        "how many examples would help?"}},
          .positionals = {{"dataset", "of slipway.toml, or a JSON Lines file", true, false}},
          .options = sweep_options(),
          .run = run_sweep_command};
}

}  // namespace slipway::cli
