#include <fmt/core.h>

#include <ostream>

#include "base/files.h"
#include "base/hash.h"
#include "base/text.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "cli/table.h"
#include "lab/gate.h"

namespace slipway::cli {
namespace {

constexpr int refused_exit_code = 8;  // docs/format/cli.md

int exit_of(lab::Verdict verdict) {
  switch (verdict) {
    case lab::Verdict::pass:
      return 0;
    case lab::Verdict::refused:
      return refused_exit_code;
    default:
      return 1;
  }
}

Result<lab::GateSpec> spec_of(const lab::Project& project, const Arguments& arguments) {
  lab::GateSpec spec;
  SLIPWAY_TRY(candidate, project.candidate(arguments.text("candidate")));
  auto against = project.candidate(arguments.text("against"));
  if (!against.ok() && arguments.text("against") == "production") {
    return Error::not_found("nothing is released as 'production' yet",
                            "name a candidate with --against, or make the first release with "
                            "`slipway promote NAME --force --because TEXT`");
  }
  if (!against.ok()) return against.error();
  SLIPWAY_TRY(margin, arguments.number("margin", 0.0001, 0.5));
  SLIPWAY_TRY(alpha, arguments.number("alpha", 0.0001, 0.2));
  SLIPWAY_TRY(power, arguments.number("power", 0.5, 0.999));
  spec.candidate = candidate;
  spec.against = *against;
  spec.dataset = arguments.text("dataset");
  spec.margin = margin;
  spec.alpha = alpha;
  spec.power = power;
  spec.must_pass = arguments.text("must-pass");
  if (arguments.has("latency-p95-ms")) {
    SLIPWAY_TRY(bound, arguments.number("latency-p95-ms", 0.1, 1e7));
    spec.latency_p95_ms = bound;
  }
  return spec;
}

void print_gate(std::ostream& out, const lab::Gate& gate) {
  out << fmt::format("{}: {} against {}, {} rows\n", lab::verdict_name(gate.verdict),
                     gate.candidate_name, gate.against_name, gate.rows);
  for (const auto& reason : gate.reasons) out << "  " << printable_line(reason) << "\n";
  const auto& pairs = gate.comparison.pairs;
  if (pairs.total() > 0) {
    out << fmt::format(
        "{:<18} both right {}, only {} {}, only {} {}, neither {}; McNemar's exact p = {:.3g}\n",
        "pairs", pairs.both, gate.against_name, pairs.only_first, gate.candidate_name,
        pairs.only_second, pairs.neither, gate.comparison.p_value);
  }
  if (gate.must_pass_rows > 0 && pairs.total() > 0) {
    out << fmt::format("{:<18} {} of {} right\n", "must pass",
                       gate.must_pass_rows - static_cast<int64_t>(gate.must_pass_wrong.size()),
                       gate.must_pass_rows);
  }
  if (gate.looks.runs > 0) {
    out << fmt::format("{:<18} {} evaluations of {} candidates on these test rows so far\n",
                       "looks", gate.looks.runs, gate.looks.candidates);
  }
  out << fmt::format("{:<18} {}\n", "run", short_id(gate.run_id));
  if (!gate.candidate_run.empty()) {
    out << fmt::format("{:<18} slipway compare {} {}\n", "flips", short_id(gate.against_run),
                       short_id(gate.candidate_run));
  }
  if (gate.verdict == lab::Verdict::pass) {
    out << fmt::format("\nNext: slipway promote {} --gate {}\n", gate.candidate_name,
                       short_id(gate.run_id));
  }
}

CommandResult run_gate_command(Context& context, const Arguments& arguments) {
  // A bound of latency is one of a request alone, unless it is said how many there are at a time.
  const int sequences = arguments.has("latency-p95-ms") ? 1 : 16;
  SLIPWAY_TRY(bench, open_workbench(context, arguments, sequences));
  SLIPWAY_TRY(spec, spec_of(bench.project(), arguments));
  ProgressLine progress(context, "gate");
  lab::GateHooks hooks;
  hooks.cancel = context.cancel;
  hooks.on_progress = [&](const std::string& candidate, const eval::Progress& p) {
    progress.update(fmt::format("{}: {} of {}, {} right", candidate, p.done, p.total, p.passed),
                    static_cast<double>(p.done) / static_cast<double>(p.total), p.eta_ms);
  };
  auto gate = lab::run_gate(bench, spec, hooks);
  progress.clear();
  if (!gate.ok()) return gate.error();
  if (arguments.has("junit")) {
    SLIPWAY_CHECK(files::write_atomic(files::join(context.folder, arguments.text("junit")),
                                      lab::junit_xml(*gate, spec)));
  }
  if (arguments.flag("json"))
    context.out << gate->to_json().pretty() << "\n";
  else
    print_gate(context.out, *gate);
  return exit_of(gate->verdict);
}

}  // namespace

Command gate_command() {
  return {
      .name = "gate",
      .summary = "Test whether a candidate may take another's place",
      .details =
          "Both are evaluated on the same rows; remembered answers count. Passes when the "
          "candidate is shown to be no\n"
          "worse by the margin or more, every must-pass row is right and latency is within its "
          "bound. Exit code: 0 pass,\n"
          "1 fail or undecided, 8 refused: too few rows to show it (it says how many it takes).",
      .examples = {{"slipway gate tuned --against production", "may it be released?"},
                   {"slipway gate tuned --against naive --must-pass house --junit gate.xml",
                    "in a pipeline, with rows that must not fail"}},
      .positionals = {{"candidate", "a candidate of slipway.toml, or an alias"}},
      .options = {{"against", "what it would replace: an alias or a candidate", "NAME",
                   "production"},
                  {"dataset", "of slipway.toml, or a JSON Lines file", "NAME", "test"},
                  {"margin", "how much worse is too much, as a share of the rows", "SHARE", "0.02"},
                  {"alpha", "how often a candidate that bad may pass, one-sided", "SHARE", "0.05"},
                  {"power", "how often an equal candidate should pass", "SHARE", "0.8"},
                  {"must-pass", "rows that must be right: a tag, or a file with an id a line",
                   "TAG|FILE", ""},
                  {"latency-p95-ms", "answers are computed anew, and 95 % are within this", "MS",
                   ""},
                  {"sequences", "answers computed side by side", "N", ""},
                  {"junit", "write JUnit XML to this file", "FILE", ""},
                  project_option(),
                  json_option()},
      .run = run_gate_command};
}

}  // namespace slipway::cli
