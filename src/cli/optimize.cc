#include <fmt/core.h>

#include <limits>
#include <ostream>

#include "base/files.h"
#include "base/hash.h"
#include "base/text.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "cli/table.h"
#include "lab/optimize.h"
#include "lab/tuning.h"

namespace slipway::cli {
namespace {

// Paragraphs, a blank line apart.
Result<std::vector<std::string>> instructions_of(const std::string& path) {
  std::vector<std::string> all;
  if (path.empty()) return all;
  SLIPWAY_TRY(text, files::read(path, 1 << 20));
  std::string open;
  for (const auto& line : split(text + "\n", '\n')) {
    const auto words = std::string(trim(line));
    if (!words.empty()) {
      open += (open.empty() ? "" : "\n") + words;
    } else if (!open.empty()) {
      all.push_back(std::exchange(open, ""));
    }
  }
  return all;
}

Result<lab::OptimizeSpec> spec_of(Context& context, const lab::Project& project,
                                  const Arguments& arguments) {
  lab::OptimizeSpec spec;
  SLIPWAY_TRY(candidate, chosen_candidate(project, arguments));
  if (candidate.released) {
    return Error::invalid_input("'" + candidate.name + "' is a release: its parts are fixed",
                                "optimize a candidate of slipway.toml");
  }
  SLIPWAY_TRY(minutes, arguments.number("minutes", 0.01, 10'000));
  SLIPWAY_TRY(attempts, arguments.integer("attempts", 2, 256));
  SLIPWAY_TRY(seed, arguments.integer("seed", 0, std::numeric_limits<int64_t>::max()));
  const auto path = arguments.text("instructions");
  SLIPWAY_TRY(instructions,
              instructions_of(path.empty() ? path : files::join(context.folder, path)));
  spec.candidate = candidate;
  spec.train = arguments.text("train");
  spec.dev = arguments.text("dev");
  spec.minutes = minutes;
  spec.attempts = static_cast<int>(attempts);
  spec.seed = static_cast<uint64_t>(seed);
  spec.instructions = instructions;
  spec.name = arguments.text("name");
  if (spec.name.find('/') != std::string::npos)
    return Error::invalid_input("--name '" + spec.name + "' is no name", "leave the slash out");
  return spec;
}

std::string share(const lab::Attempt& attempt) {
  const auto rate = static_cast<double>(attempt.passed) / static_cast<double>(attempt.rows);
  return fmt::format("{} of {} ({})", attempt.passed, attempt.rows, percent(rate));
}

void print_found(std::ostream& out, const lab::OptimizeSpec& spec, const lab::Optimized& found) {
  const auto& before = found.attempts[0];
  out << fmt::format("{} attempts, {} generations decided, {}{}\n", found.attempts.size() - 1,
                     found.generations, duration(found.spent_ms),
                     found.resumed ? " (continued)" : "");
  out << fmt::format("{:<8} {}  {}\n", "before", share(before), before.what);
  if (found.path.empty()) {
    out << "Nothing was better on dev; no file was written.\n";
    return;
  }
  const auto& c = found.comparison;
  out << fmt::format("{:<8} {}  {}\n", "best", share(found.best), found.best.what);
  out << fmt::format(
      "{:<8} {:+.1f} points (95 %: {:+.1f} to {:+.1f}), {} rows better, {} worse, "
      "p = {:.3g}\n",
      "on dev",
      100.0 * static_cast<double>(found.best.passed - before.passed) /
          static_cast<double>(before.rows),
      100 * c.difference.low, 100 * c.difference.high, c.pairs.only_second, c.pairs.only_first,
      c.p_value);
  out << fmt::format("{:<8} {}\n\n", "run", short_id(found.run_id));
  out << "It was chosen by dev, so dev flatters it: the gate on test decides.\n"
      << "To adopt it, put this into slipway.toml:\n\n"
      << lab::to_toml(found.adopted) << "\nNext: slipway gate " << spec.name << " --against "
      << spec.candidate.name << "\n";
}

CommandResult run_optimize(Context& context, const Arguments& arguments) {
  SLIPWAY_TRY(bench, open_workbench(context, arguments));
  SLIPWAY_TRY(spec, spec_of(context, bench.project(), arguments));
  const bool as_json = arguments.flag("json");
  ProgressLine line(context, "optimize");
  lab::OptimizeHooks hooks;
  hooks.cancel = context.cancel;
  hooks.on_progress = [&](const lab::Attempt& a, const eval::Progress& p, double spent_ms) {
    line.update(fmt::format("attempt {}: {} of {}, {} right", a.number, p.done, p.total, p.passed),
                spent_ms / (spec.minutes * 60'000), spec.minutes * 60'000 - spent_ms);
  };
  if (!as_json) {
    hooks.on_attempt = [&](const lab::Attempt& a) {
      line.clear();
      context.err << fmt::format("attempt {:>3}  {:<28} {}\n", a.number, share(a), a.what);
    };
  }
  auto found = lab::optimize(bench, spec, hooks);
  line.clear();
  if (!found.ok()) return found.error();
  if (as_json) {
    auto value = found->to_json();
    value.set("toml", found->path.empty() ? "" : lab::to_toml(found->adopted));
    context.out << value.pretty() << "\n";
  } else {
    print_found(context.out, spec, *found);
  }
  return 0;
}

}  // namespace

Command optimize_command() {
  return {.name = "optimize",
          .summary = "Search worked examples and instructions for a prompt, within some minutes",
          .details =
              "Examples are drawn from train, prompts are compared on dev by successive halving "
              "with paired tests; test is\n"
              "never answered. Every attempt is a candidate and a run. After Ctrl-C or kill -9 "
              "the same command continues.",
          .examples = {{"slipway optimize --candidate formatted --minutes 10", ""},
                       {"slipway optimize --candidate formatted --instructions ideas.txt",
                        "try these paragraphs, too"}},
          .options = {{"candidate", "whose prompt; else the project's own", "NAME", ""},
                      {"minutes", "the budget", "M", "10"},
                      {"train", "where worked examples come from", "NAME", "train"},
                      {"dev", "what prompts are compared on", "NAME", "dev"},
                      {"attempts", "in a generation", "N", "8"},
                      {"instructions", "other instructions, a blank line apart", "FILE", ""},
                      {"name", "of the prompt and the candidate", "NAME", "optimized"},
                      {"seed", "of the search", "N", "0"},
                      {"sequences", "answers computed side by side", "N", ""},
                      project_option(),
                      json_option()},
          .run = run_optimize};
}

}  // namespace slipway::cli
