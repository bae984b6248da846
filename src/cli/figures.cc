#include "cli/figures.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "cli/table.h"

namespace slipway::cli {
namespace {

constexpr size_t kShownTags = 30;

void print_proportion(std::ostream& out, const char* name, const eval::Proportion& p) {
  if (p.total == 0) return;
  const auto interval = p.interval();
  out << fmt::format("{:<18} {:>8}  ({} of {}; 95 % interval {})\n", name, percent(p.rate()),
                     p.passed, p.total, percent_interval(interval.low, interval.high));
}

void print_tags(std::ostream& out, const eval::Report& report) {
  if (report.tags.empty()) return;
  Table table({"tag", ">n", ">exact match", ">95 % interval"});
  const auto shown = std::min(kShownTags, report.tags.size());
  for (size_t i = 0; i < shown; ++i) {
    const auto& [tag, exact] = report.tags[i];
    const auto interval = exact.interval();
    table.row({shorten(tag, 32), std::to_string(exact.total), percent(exact.rate()),
               percent_interval(interval.low, interval.high)});
  }
  out << "\n" << table.text();
  if (report.tags.size() > shown)
    out << fmt::format("and {} more tags; --json has all\n", report.tags.size() - shown);
}

std::vector<std::pair<std::string, double>> call_lines(const eval::CallFigures& calls) {
  std::vector<std::pair<std::string, double>> lines = {
      {"function accuracy", calls.functions.rate()}, {"argument F1", calls.argument_f1()}};
  if (calls.no_call_precision.total > 0)
    lines.emplace_back("no-call precision", calls.no_call_precision.rate());
  if (calls.no_call_recall.total > 0)
    lines.emplace_back("no-call recall", calls.no_call_recall.rate());
  return lines;
}

}  // namespace

void print_figures(std::ostream& out, const eval::Report& r) {
  print_proportion(out, "exact match", r.exact);
  print_proportion(out, "valid", r.valid);
  if (r.calls) {
    print_proportion(out, "function accuracy", r.calls->functions);
    out << fmt::format("{:<18} {:>8}  ({} right, {} given, {} expected)\n", "argument F1",
                       percent(r.calls->argument_f1()), r.calls->arguments_right,
                       r.calls->arguments_given, r.calls->arguments_expected);
    print_proportion(out, "no-call precision", r.calls->no_call_precision);
    print_proportion(out, "no-call recall", r.calls->no_call_recall);
  }
  out << fmt::format("{:<18} {} remembered, {} computed{}\n", "answers", r.cached, r.computed(),
                     r.failures ? fmt::format(", {} failed", r.failures) : "");
  if (r.computed() > 0) {
    out << fmt::format("{:<18} p50 {}, p95 {}, of computed answers\n", "latency",
                       duration(r.latency_p50_ms), duration(r.latency_p95_ms));
  }
  out << fmt::format("{:<18} {:.0f} a case\n", "tokens", r.tokens_per_case());
  print_tags(out, r);
}

void print_figures_of_both(std::ostream& out, const eval::Report& first,
                           const eval::Report& second) {
  Table table({"", ">n", ">first", ">second", ">difference"});
  const auto row = [&](const std::string& name, int64_t n, double a, double b) {
    table.row({name, std::to_string(n), percent(a), percent(b),
               fmt::format("{:+.1f} points", (b - a) * 100)});
  };
  if (first.calls && second.calls) {
    std::map<std::string, double> others;
    for (const auto& [name, value] : call_lines(*second.calls)) others[name] = value;
    for (const auto& [name, value] : call_lines(*first.calls)) {
      if (others.contains(name)) row(name, second.calls->functions.total, value, others[name]);
    }
  }
  std::map<std::string, eval::Proportion> tags;
  for (const auto& [tag, exact] : second.tags) tags[tag] = exact;
  size_t shown = 0;
  for (const auto& [tag, exact] : first.tags) {
    if (!tags.contains(tag) || ++shown > kShownTags) continue;
    row(shorten(tag, 32), exact.total, exact.rate(), tags[tag].rate());
  }
  if (!table.empty()) out << "\n" << table.text();
}

}  // namespace slipway::cli
