#include "eval/report.h"

#include <algorithm>
#include <map>

#include "eval/call_counts.h"

namespace slipway::eval {
namespace {

constexpr size_t kMostTagMetrics = 200;  // the worst
constexpr size_t kLongestTag = 200;      // bytes; a metric's key has a bound

json::Value proportion_json(const Proportion& p) {
  const auto interval = p.interval();
  auto value = json::Value::object();
  value.set("passed", p.passed)
      .set("total", p.total)
      .set("rate", p.rate())
      .set("low", interval.low)
      .set("high", interval.high);
  return value;
}

json::Value calls_json(const CallFigures& calls) {
  auto value = json::Value::object();
  value.set("function_accuracy", proportion_json(calls.functions))
      .set("argument_f1", calls.argument_f1())
      .set("arguments_right", calls.arguments_right)
      .set("arguments_given", calls.arguments_given)
      .set("arguments_expected", calls.arguments_expected)
      .set("no_call_precision", proportion_json(calls.no_call_precision))
      .set("no_call_recall", proportion_json(calls.no_call_recall));
  return value;
}

void append_calls(const CallFigures& calls, std::vector<store::Metric>& list) {
  const auto interval = calls.functions.interval();
  list.push_back({"function_accuracy", calls.functions.rate()});
  list.push_back({"function_accuracy_low", interval.low});
  list.push_back({"function_accuracy_high", interval.high});
  list.push_back({"argument_f1", calls.argument_f1()});
  // Undefined, and absent, when nothing was (to be) answered without a call.
  if (calls.no_call_precision.total > 0)
    list.push_back({"no_call_precision", calls.no_call_precision.rate()});
  if (calls.no_call_recall.total > 0)
    list.push_back({"no_call_recall", calls.no_call_recall.rate()});
}

void add_counts(const CallCounts& counts, CallFigures& figures) {
  figures.functions.total += 1;
  figures.functions.passed += counts.functions_right;
  figures.arguments_right += counts.arguments_right;
  figures.arguments_given += counts.arguments_given;
  figures.arguments_expected += counts.arguments_expected;
  const bool right = counts.no_call_expected && counts.no_call_given;
  figures.no_call_precision.total += counts.no_call_given;
  figures.no_call_precision.passed += right;
  figures.no_call_recall.total += counts.no_call_expected;
  figures.no_call_recall.passed += right;
}

void add_tags(const store::Case& c, std::map<std::string, Proportion>& tags) {
  const auto* list = c.detail.get("tags");
  if (!list || !list->is_array()) return;
  for (const auto& tag : list->as_array()) {
    if (!tag.is_string()) continue;
    auto& exact = tags[tag.as_string()];
    exact.total += 1;
    exact.passed += c.passed;
  }
}

std::vector<TagFigures> worst_first(const std::map<std::string, Proportion>& tags) {
  std::vector<TagFigures> list;
  for (const auto& [tag, exact] : tags) list.push_back({tag, exact});
  std::stable_sort(list.begin(), list.end(), [](const TagFigures& a, const TagFigures& b) {
    if (a.exact.rate() != b.exact.rate()) return a.exact.rate() < b.exact.rate();
    return a.exact.total > b.exact.total;
  });
  return list;
}

}  // namespace

double CallFigures::argument_f1() const {
  const auto both = arguments_given + arguments_expected;
  return both ? 2.0 * static_cast<double>(arguments_right) / static_cast<double>(both) : 1;
}

double Report::tokens_per_case() const {
  if (exact.total == 0) return 0;
  return static_cast<double>(prompt_tokens + completion_tokens) / static_cast<double>(exact.total);
}

std::vector<store::Metric> Report::metrics() const {
  const auto e = exact.interval();
  const auto v = valid.interval();
  std::vector<store::Metric> list = {
      {"exact_match", exact.rate()},
      {"exact_match_low", e.low},
      {"exact_match_high", e.high},
      {"valid_rate", valid.rate()},
      {"valid_rate_low", v.low},
      {"valid_rate_high", v.high},
      {"cases", static_cast<double>(exact.total)},
      {"cached_cases", static_cast<double>(cached)},
      {"prompt_tokens", static_cast<double>(prompt_tokens)},
      {"completion_tokens", static_cast<double>(completion_tokens)},
  };
  if (computed() > 0) {
    list.push_back({"latency_p50_ms", latency_p50_ms});
    list.push_back({"latency_p95_ms", latency_p95_ms});
  }
  if (calls) append_calls(*calls, list);
  for (size_t i = 0; i < std::min(tags.size(), kMostTagMetrics); ++i) {
    if (tags[i].tag.size() <= kLongestTag)
      list.push_back({"exact_match.tag." + tags[i].tag, tags[i].exact.rate()});
  }
  return list;
}

json::Value Report::to_json() const {
  auto value = json::Value::object();
  value.set("exact_match", proportion_json(exact))
      .set("valid_calls", proportion_json(valid))
      .set("cached", cached)
      .set("computed", computed())
      .set("failed", failures);
  if (computed() > 0)
    value.set("latency_p50_ms", latency_p50_ms).set("latency_p95_ms", latency_p95_ms);
  value.set("prompt_tokens", prompt_tokens)
      .set("cached_prompt_tokens", cached_prompt_tokens)
      .set("completion_tokens", completion_tokens)
      .set("tokens_per_case", tokens_per_case());
  if (calls) value.set("calls", calls_json(*calls));
  auto list = json::Value::array();
  for (const auto& [tag, share] : tags) list.push_back(proportion_json(share).set("tag", tag));
  if (list.size() > 0) value.set("tags", std::move(list));
  return value;
}

bool failed(const store::Case& c) { return c.detail.get("error") != nullptr; }

Report summarise(const std::vector<store::Case>& cases) {
  Report report;
  std::vector<double> latencies;
  std::map<std::string, Proportion> tags;
  for (const auto& c : cases) {
    report.exact.total += 1;
    report.exact.passed += c.passed;
    report.valid.total += 1;
    report.valid.passed += c.detail.flag("valid");
    report.cached += c.cached;
    report.prompt_tokens += static_cast<int64_t>(c.detail.number("prompt_tokens"));
    report.cached_prompt_tokens += static_cast<int64_t>(c.detail.number("cached_prompt_tokens"));
    report.completion_tokens += static_cast<int64_t>(c.detail.number("completion_tokens"));
    report.failures += failed(c);
    if (!c.cached && !failed(c)) latencies.push_back(c.latency_ms);
    add_tags(c, tags);
    const auto counts = read_counts(c.detail);
    if (!counts) continue;
    if (!report.calls) report.calls.emplace();
    add_counts(*counts, *report.calls);
  }
  report.tags = worst_first(tags);
  report.latency_p50_ms = quantile(latencies, 0.5);
  report.latency_p95_ms = quantile(std::move(latencies), 0.95);
  return report;
}

}  // namespace slipway::eval
