#include "eval/compare.h"

#include <fmt/core.h>

#include <ostream>

#include "base/hash.h"
#include "cli/figures.h"
#include "cli/session.h"
#include "cli/table.h"
#include "eval/report.h"

namespace slipway::cli {
namespace {

std::string line_of(const store::Run& run, const eval::Report& report) {
  const auto interval = report.exact.interval();
  return fmt::format("{}  {:<28} {:>8}  ({} of {}; {})\n", short_id(run.id), shorten(run.name, 28),
                     percent(report.exact.rate()), report.exact.passed, report.exact.total,
                     percent_interval(interval.low, interval.high));
}

std::string verdict(const eval::Comparison& c) {
  const double points = 100.0 * static_cast<double>(c.pairs.only_second - c.pairs.only_first) /
                        static_cast<double>(c.pairs.total());
  const auto decided = c.p_value < 0.05
                           ? (points > 0 ? "the second is better" : "the first is better")
                           : "no difference shown at the 5 % level";
  return fmt::format(
      "difference {:+.1f} points (95 % interval {:+.1f} to {:+.1f}); McNemar's exact p = {:.4g}: "
      "{}\n",
      points, c.difference.low * 100, c.difference.high * 100, c.p_value, decided);
}

CommandResult run_compare(Context& context, const Arguments& arguments) {
  SLIPWAY_TRY(store, open_store(context, arguments));
  SLIPWAY_TRY(first, store->find_run(arguments.text("first")));
  SLIPWAY_TRY(second, store->find_run(arguments.text("second")));
  SLIPWAY_TRY(first_cases, store->cases(first.id));
  SLIPWAY_TRY(second_cases, store->cases(second.id));
  if (first_cases.empty() || second_cases.empty()) {
    return Error::invalid_input(
        "run " + short_id(first_cases.empty() ? first.id : second.id) + " has no cases",
        "compare two evaluations; `slipway runs --kind eval` lists them");
  }
  const auto comparison = eval::compare(first_cases, second_cases);
  const auto first_report = eval::summarise(eval::shared_cases(first_cases, second_cases));
  const auto second_report = eval::summarise(eval::shared_cases(second_cases, first_cases));
  if (arguments.flag("json")) {
    auto value = comparison.to_json();
    value.set("first", first.id)
        .set("second", second.id)
        .set("first_report", first_report.to_json())
        .set("second_report", second_report.to_json());
    context.out << value.pretty() << "\n";
    return 0;
  }
  if (comparison.pairs.total() == 0) {
    context.out << "The runs share no examples.\n";
    return 0;
  }
  context.out << line_of(first, first_report) << line_of(second, second_report)
              << verdict(comparison);
  if (first.inputs.text("dataset_sha256") != second.inputs.text("dataset_sha256")) {
    context.out << "note: the runs used different versions of the rows\n";
  }
  if (comparison.unmatched > 0) {
    context.out << fmt::format("note: {} rows are of one run only, and left out of all figures\n",
                               comparison.unmatched);
  }
  print_figures_of_both(context.out, first_report, second_report);
  Table table({"row", "better", "expected", "first", "second"});
  for (const auto& flip : comparison.flips) {
    table.row({shorten(flip.example_id, 16), flip.first_passed ? "first" : "second",
               shorten(flip.expected, 36), shorten(flip.first_output, 36),
               shorten(flip.second_output, 36)});
  }
  if (!table.empty()) {
    context.out << fmt::format("\n{} flips: only the first is right on {}, only the second on {}\n",
                               comparison.flips.size(), comparison.pairs.only_first,
                               comparison.pairs.only_second)
                << table.text();
  }
  return 0;
}

}  // namespace

Command compare_command() {
  return {.name = "compare",
          .summary =
              "Compare two runs on the same rows: difference with interval, exact test, every flip",
          .examples = {{"slipway compare 3f2a 81bc", "is the second better than the first?"}},
          .positionals = {{"first", "a run's id"}, {"second", "another's"}},
          .options = {project_option(), json_option()},
          .run = run_compare};
}

}  // namespace slipway::cli
