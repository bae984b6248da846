#include "eval/report.h"

namespace slipway::eval {
namespace {

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

}  // namespace

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
  return list;
}

json::Value Report::to_json() const {
  auto value = json::Value::object();
  value.set("exact_match", proportion_json(exact))
      .set("valid_calls", proportion_json(valid))
      .set("cached", cached)
      .set("computed", computed());
  if (computed() > 0)
    value.set("latency_p50_ms", latency_p50_ms).set("latency_p95_ms", latency_p95_ms);
  value.set("prompt_tokens", prompt_tokens)
      .set("cached_prompt_tokens", cached_prompt_tokens)
      .set("completion_tokens", completion_tokens)
      .set("tokens_per_case", tokens_per_case());
  return value;
}

Report summarise(const std::vector<store::Case>& cases) {
  Report report;
  std::vector<double> latencies;
  for (const auto& c : cases) {
    report.exact.total += 1;
    report.exact.passed += c.passed;
    report.valid.total += 1;
    report.valid.passed += c.detail.flag("valid");
    report.cached += c.cached;
    report.prompt_tokens += static_cast<int64_t>(c.detail.number("prompt_tokens"));
    report.cached_prompt_tokens += static_cast<int64_t>(c.detail.number("cached_prompt_tokens"));
    report.completion_tokens += static_cast<int64_t>(c.detail.number("completion_tokens"));
    if (!c.cached) latencies.push_back(c.latency_ms);
  }
  report.latency_p50_ms = quantile(latencies, 0.5);
  report.latency_p95_ms = quantile(std::move(latencies), 0.95);
  return report;
}

}  // namespace slipway::eval
