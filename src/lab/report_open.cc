// What a report does not know, said in words, each with what would settle it.
#include <fmt/core.h>

#include <algorithm>

#include "eval/noninferiority.h"
#include "lab/report_facts.h"

namespace slipway::lab {
namespace {

constexpr double overall_half_width = 0.02;
constexpr double slice_half_width = 0.05;
constexpr size_t most_slices = 6;

double width(const eval::Proportion& p) {
  const auto interval = p.interval();
  return interval.high - interval.low;
}

std::string between(const eval::Proportion& p) {
  const auto interval = p.interval();
  return fmt::format("between {:.1f} % and {:.1f} %", 100 * interval.low, 100 * interval.high);
}

// Rows beyond those that are there.
std::string more_rows(const eval::Proportion& p, double half_width) {
  const auto needed = eval::rows_for_interval(p.rate(), half_width);
  return fmt::format("about {} more rows ({} in all) narrow it to {:g} points either way",
                     std::max<int64_t>(needed - p.total, 0), needed, 100 * half_width);
}

void ask_about_gate(const ReportFacts& facts, std::vector<OpenQuestion>& open) {
  if (!facts.gate) {
    open.push_back({"Whether it may take the place of what is live: no gate was run for it.",
                    "slipway gate " + facts.candidate_name + " --against production"});
    return;
  }
  const auto& gate = *facts.gate;
  if (gate.verdict == "refused" || gate.verdict == "undecided") {
    open.push_back({fmt::format("Whether it is no worse than '{}' by {:g} points or more.",
                                gate.against_name, 100 * gate.margin),
                    fmt::format("{} rows, where {} were looked at",
                                std::max(gate.rows_needed, gate.rows + 1), gate.rows)});
  }
  if (!gate.same_rows) {
    open.push_back({"The gate looked at other rows than this report does.",
                    "slipway gate " + facts.candidate_name + " again, on these rows"});
  }
}

void ask_about_slices(const ReportFacts& facts, std::vector<OpenQuestion>& open) {
  std::vector<const ReportSlice*> wide;
  for (const auto& slice : facts.slices) {
    if (width(slice.right) > 2 * slice_half_width) wide.push_back(&slice);
  }
  std::stable_sort(wide.begin(), wide.end(),
                   [](const auto* a, const auto* b) { return width(a->right) > width(b->right); });
  for (size_t i = 0; i < std::min(wide.size(), most_slices); ++i) {
    const auto& slice = *wide[i];
    open.push_back({fmt::format("How good it is on '{}': {}, from {} rows.", slice.name,
                                between(slice.right), slice.right.total),
                    more_rows(slice.right, slice_half_width)});
  }
  if (facts.slices.empty()) {
    open.push_back({"Where it is weak: the rows have no tags.",
                    "tag the rows by topic and by kind of request (docs/format/dataset.md)"});
  }
}

void ask_about_input(const ReportFacts& facts, std::vector<OpenQuestion>& open) {
  const bool calls = facts.report.calls.has_value() || facts.refused.has_value();
  if (calls && (!facts.refused || facts.refused->total == 0)) {
    open.push_back({"What it does with requests that no function serves: there is no such row.",
                    "50 rows whose output is none()"});
  }
  if (facts.noisy.empty()) {
    open.push_back({"What it does with misspelt or spoken requests: no row is tagged so.",
                    "50 rows each, tagged misspelt and spoken"});
  }
  if (facts.report.valid.total > 0 && facts.report.valid.passed == facts.report.valid.total) {
    open.push_back(
        {fmt::format("No answer of {} was malformed; up to {:.1f} % still may be.",
                     facts.report.valid.total, 100 * (1 - facts.report.valid.interval().low)),
         "rows of another kind than these"});
  }
}

}  // namespace

std::vector<OpenQuestion> open_questions(const ReportFacts& facts) {
  std::vector<OpenQuestion> open;
  ask_about_gate(facts, open);
  const auto& exact = facts.report.exact;
  if (facts.run.inputs.text("split") != "test") {
    open.push_back({"How good it is on rows that nobody tuned on: this is no test split.",
                    "slipway eval --candidate " + facts.candidate_name + " --dataset test"});
  }
  if (width(exact) > 2 * overall_half_width) {
    open.push_back(
        {fmt::format("How good it is: {}.", between(exact)), more_rows(exact, overall_half_width)});
  }
  ask_about_slices(facts, open);
  ask_about_input(facts, open);
  if (!facts.latency && !facts.asked) {
    open.push_back({"How long it takes: every answer was remembered.",
                    "slipway eval --candidate " + facts.candidate_name + " --fresh"});
  }
  if (facts.looks.candidates > 1) {
    open.push_back({fmt::format("These test rows were looked at {} times with {} candidates: the "
                                "best of many looks better than it is.",
                                facts.looks.runs, facts.looks.candidates),
                    "fresh rows, looked at once"});
  }
  if (!facts.pinned) {
    open.push_back({"Whether it will be the same tomorrow: its weights are an endpoint's.",
                    "weights on your own machine"});
  }
  return open;
}

}  // namespace slipway::lab
