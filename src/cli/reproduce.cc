#include <fmt/core.h>

#include <ostream>

#include "base/hash.h"
#include "base/text.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "cli/table.h"
#include "lab/reproduce.h"

namespace slipway::cli {
namespace {

Result<lab::Grade> wanted_grade(const std::string& name) {
  for (const auto grade : {lab::Grade::replay, lab::Grade::token, lab::Grade::bit}) {
    if (lab::grade_name(grade) == name) return grade;
  }
  return Error::invalid_input("--grade '" + name + "' is not replay, token or bit");
}

void print_reproduction(std::ostream& out, const lab::Reproduction& again) {
  Table table({"input", "recorded", "here"});
  for (const auto& check : again.checks) {
    table.row({check.input, shorten(check.recorded, 20),
               check.same() ? "the same" : shorten(check.found, 20)});
  }
  out << table.text();
  if (again.computed) {
    out << fmt::format("{:<18} {}\n{:<18} {} of {} equal\n", "grade", lab::grade_name(again.grade),
                       "outputs", again.equal_outputs, again.cases);
    out << fmt::format("{:<18} {}\n", "hashes",
                       again.hashes
                           ? fmt::format("{} of {} equal", again.equal_hashes, again.hashes)
                           : "none recorded: evaluate with --logprobs to show bits");
    out << fmt::format("{:<18} {}\n", "run", short_id(again.run_id));
  }
  if (!again.first_difference.empty())
    out << printable(fmt::format("{:<18} {}: {}\n", "first difference", again.first_difference,
                                 again.why));
}

CommandResult run_reproduce(Context& context, const Arguments& arguments) {
  SLIPWAY_TRY(wanted, wanted_grade(arguments.text("grade")));
  SLIPWAY_TRY(bench, open_workbench(context, arguments));
  ProgressLine progress(context, "reproduce");
  lab::ReproduceOptions options;
  options.verify_only = arguments.flag("verify");
  options.cancel = context.cancel;
  options.on_progress = [&](const eval::Progress& p) {
    progress.update(fmt::format("{} of {}", p.done, p.total),
                    static_cast<double>(p.done) / static_cast<double>(p.total), p.eta_ms);
  };
  auto again = lab::reproduce(bench, arguments.text("run"), options);
  progress.clear();
  if (!again.ok()) return again.error();
  if (arguments.flag("json"))
    context.out << again->to_json().pretty() << "\n";
  else
    print_reproduction(context.out, *again);
  if (options.verify_only) return again->first_difference.empty() ? 0 : 1;
  return again->computed && again->grade >= wanted ? 0 : 1;
}

}  // namespace

Command reproduce_command() {
  return {
      .name = "reproduce",
      .summary = "Compute an evaluation again from what its run recorded, and compare",
      .details =
          "Grades: bit (outputs and recorded hashes are equal), token (outputs are), replay (an "
          "endpoint: the recorded\n"
          "outputs score the same). Else the first input or row that differs is named, and the "
          "exit code is 1.",
      .examples = {{"slipway reproduce 3f2a", "is it still what it was?"},
                   {"slipway reproduce 3f2a --verify", "are its inputs here? computes nothing"}},
      .positionals = {{"run", "an evaluation's run"}},
      .options = {{"verify", "look at the inputs only", "", ""},
                  {"grade", "the least that is good enough: replay, token, bit", "GRADE", "replay"},
                  {"sequences", "answers computed side by side; changes no bit of them", "N", ""},
                  project_option(),
                  json_option()},
      .run = run_reproduce};
}

}  // namespace slipway::cli
