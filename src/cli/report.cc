#include <fmt/core.h>

#include <algorithm>
#include <ostream>

#include "base/files.h"
#include "base/hash.h"
#include "base/text.h"
#include "cli/session.h"
#include "lab/report_page.h"

namespace slipway::cli {
namespace {

std::string file_name(std::string name) {
  for (char& c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_';
    if (!plain) c = '-';
  }
  return name + "-report.html";
}

void print_short(std::ostream& out, const lab::ReportFacts& facts, const std::string& path) {
  const auto interval = facts.report.exact.interval();
  out << fmt::format("{}: {} of {} exactly right, 95 % interval {:.1f} to {:.1f} %; gate: {}\n",
                     printable_line(facts.candidate_name), facts.report.exact.passed,
                     facts.report.exact.total, 100 * interval.low, 100 * interval.high,
                     facts.gate ? facts.gate->verdict : "not run");
  out << fmt::format("{} open question{}; the report is {}\n", facts.open.size(),
                     facts.open.size() == 1 ? "" : "s", path);
}

CommandResult run_report(Context& context, const Arguments& arguments) {
  SLIPWAY_TRY(store, open_store(context, arguments));
  lab::ReportOptions options;
  options.dataset = arguments.text("dataset");
  if (const auto runs = store->list_runs({.limit = 1}); runs.ok() && !runs->empty())
    options.project = runs->front().experiment;
  SLIPWAY_TRY(facts, lab::report_facts(*store, arguments.text("candidate"), options));
  const auto name =
      arguments.has("output") ? arguments.text("output") : file_name(facts.candidate_name);
  const auto path = files::join(context.folder, name);
  SLIPWAY_CHECK(files::write_atomic(path, lab::report_html(facts)));
  if (arguments.flag("json")) {
    auto value = lab::report_json(facts);
    value.set("path", path);
    context.out << value.pretty() << "\n";
  } else {
    print_short(context.out, facts, name);
  }
  return 0;
}

}  // namespace

Command report_command() {
  return {.name = "report",
          .summary = "Write the page for whoever decides about a candidate",
          .details =
              "One HTML file without scripts: verdict of the gate, what it gets right with "
              "intervals, where it is\n"
              "weak, odd and noisy requests, latency, how it got here, and what is not known with "
              "what would settle it.\n"
              "Reads the store; measures nothing. docs/report.md explains each part.",
          .examples = {{"slipway report tuned -o report.html", "may it go live?"},
                       {"slipway report production", "what is live, and how good it is"}},
          .positionals = {{"candidate", "an alias, a candidate's name, or its id's beginning"}},
          .options = {{"output", "the file to write; NAME-report.html if absent", "FILE", "", 'o'},
                      {"dataset", "only evaluations on this dataset", "NAME", ""},
                      project_option(),
                      json_option()},
          .run = run_report};
}

}  // namespace slipway::cli
