// What follows from what a gate measured: the verdict, its JSON and its JUnit XML.
#include <fmt/core.h>

#include <algorithm>

#include "lab/gate.h"
#include "lab/markup.h"

namespace slipway::lab {
namespace {

double points(double share) { return 100 * share; }

double difference(const Gate& gate) {
  const auto& pairs = gate.comparison.pairs;
  if (pairs.total() == 0) return 0;
  return static_cast<double>(pairs.only_second - pairs.only_first) /
         static_cast<double>(pairs.total());
}

std::string measured(const Gate& gate) {
  return fmt::format("{:+.1f} points ({:+.1f} to {:+.1f})", points(difference(gate)),
                     points(gate.interval.low), points(gate.interval.high));
}

// The paired test alone.
Verdict test_verdict(Gate& gate, const GateSpec& spec) {
  const auto against = "'" + gate.against_name + "'";
  const auto margin = fmt::format("{:g} points", points(spec.margin));
  const auto fewest = eval::fewest_rows(spec.margin, spec.alpha);
  if (gate.rows < fewest) {
    gate.reasons.push_back(
        fmt::format("{} rows cannot show anything at a margin of {}: at least {} are needed",
                    gate.rows, margin, std::max(fewest, gate.rows_needed)));
    return Verdict::refused;
  }
  if (gate.p_value <= spec.alpha) {
    gate.reasons.push_back(fmt::format("not worse than {} by {} or more: {}, p = {:.3g}", against,
                                       margin, measured(gate), gate.p_value));
    return Verdict::pass;
  }
  if (gate.interval.high < -spec.margin) {
    gate.reasons.push_back(
        fmt::format("worse than {} by more than {}: {}", against, margin, measured(gate)));
    return Verdict::fail;
  }
  gate.reasons.push_back(
      fmt::format("not shown to be no worse than {} by {} or more: {}, p = {:.3g}", against, margin,
                  measured(gate), gate.p_value));
  if (gate.power >= spec.power) return Verdict::undecided;
  gate.reasons.push_back(
      fmt::format("{} rows have a power of {:.0f} % at this many flips; {:.0f} % need {} rows",
                  gate.rows, points(gate.power), points(spec.power), gate.rows_needed));
  return Verdict::refused;
}

std::string must_pass_text(const Gate& gate) {
  std::string ids;
  constexpr size_t shown = 8;
  for (size_t i = 0; i < gate.must_pass_wrong.size() && i < shown; ++i)
    ids += (i ? ", " : "") + gate.must_pass_wrong[i];
  if (gate.must_pass_wrong.size() > shown) ids += ", ...";
  return fmt::format("{} of {} rows that must pass are wrong: {}", gate.must_pass_wrong.size(),
                     gate.must_pass_rows, ids);
}

bool too_slow(const Gate& gate, const GateSpec& spec) {
  return spec.latency_p95_ms > 0 && gate.latency_p95_ms > spec.latency_p95_ms;
}

std::string latency_text(const Gate& gate, const GateSpec& spec) {
  return fmt::format("latency p95 {:.0f} ms of {} answers; the bound is {:g} ms",
                     gate.latency_p95_ms, gate.latency_answers, spec.latency_p95_ms);
}

struct JunitCase {
  std::string name;
  std::string failure;  // empty: passed
  std::string type;
};

std::vector<JunitCase> junit_cases(const Gate& gate, const GateSpec& spec) {
  std::vector<JunitCase> cases;
  Gate test = gate;
  test.reasons.clear();
  const auto verdict = test_verdict(test, spec);
  std::string why;
  for (const auto& reason : test.reasons) why += (why.empty() ? "" : "; ") + reason;
  cases.push_back(
      {fmt::format("not worse than {} by {:g} points", gate.against_name, points(spec.margin)),
       verdict == Verdict::pass ? "" : why, std::string(verdict_name(verdict))});
  const bool measured_rows = gate.comparison.pairs.total() > 0;
  if (gate.must_pass_rows > 0 && measured_rows) {
    cases.push_back({"must pass: " + spec.must_pass,
                     gate.must_pass_wrong.empty() ? "" : must_pass_text(gate), "fail"});
  }
  if (spec.latency_p95_ms > 0 && measured_rows) {
    cases.push_back({"latency p95", too_slow(gate, spec) ? latency_text(gate, spec) : "", "fail"});
  }
  return cases;
}

}  // namespace

std::string_view verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::pass:
      return "pass";
    case Verdict::fail:
      return "fail";
    case Verdict::undecided:
      return "undecided";
    case Verdict::refused:
      return "refused";
  }
  return "refused";
}

void decide(Gate& gate, const GateSpec& spec) {
  gate.reasons.clear();
  gate.verdict = test_verdict(gate, spec);
  if (!gate.must_pass_wrong.empty()) {
    gate.verdict = Verdict::fail;
    gate.reasons.push_back(must_pass_text(gate));
  }
  if (too_slow(gate, spec)) gate.verdict = Verdict::fail;
  if (gate.latency_answers > 0) gate.reasons.push_back(latency_text(gate, spec));
}

std::string junit_xml(const Gate& gate, const GateSpec& spec) {
  const auto cases = junit_cases(gate, spec);
  size_t failures = 0;
  for (const auto& c : cases) failures += !c.failure.empty();
  const auto suite = "slipway gate " + gate.candidate_name;
  std::string text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  text += fmt::format(
      "<testsuites>\n  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" "
      "errors=\"0\" skipped=\"0\">\n",
      escape_markup(suite), cases.size(), failures);
  text += fmt::format(
      "    <properties>\n      <property name=\"run\" value=\"{}\"/>\n      "
      "<property name=\"verdict\" value=\"{}\"/>\n    </properties>\n",
      escape_markup(gate.run_id), verdict_name(gate.verdict));
  for (const auto& c : cases) {
    text += fmt::format("    <testcase classname=\"{}\" name=\"{}\"", escape_markup(suite),
                        escape_markup(c.name));
    text += c.failure.empty()
                ? "/>\n"
                : fmt::format(">\n      <failure type=\"{}\" message=\"{}\"/>\n    </testcase>\n",
                              escape_markup(c.type), escape_markup(c.failure));
  }
  return text + "  </testsuite>\n</testsuites>\n";
}

json::Value Gate::to_json() const {
  auto why = json::Value::array();
  for (const auto& reason : reasons) why.push_back(reason);
  auto wrong = json::Value::array();
  for (const auto& id : must_pass_wrong) wrong.push_back(id);
  auto must = json::Value::object();
  must.set("rows", must_pass_rows).set("wrong", std::move(wrong));
  auto seen = json::Value::object();
  seen.set("runs", looks.runs).set("candidates", looks.candidates);
  auto value = json::Value::object();
  value.set("verdict", std::string(verdict_name(verdict)))
      .set("reasons", std::move(why))
      .set("candidate", candidate_id)
      .set("candidate_name", candidate_name)
      .set("against", against_id)
      .set("against_name", against_name)
      .set("run_id", run_id)
      .set("candidate_run", candidate_run)
      .set("against_run", against_run)
      .set("method", "exact unconditional test on Tango's score statistic")
      .set("rows", rows)
      .set("difference", difference(*this))
      .set("difference_low", interval.low)
      .set("difference_high", interval.high)
      .set("p_value", p_value)
      .set("power", power)
      .set("rows_needed", rows_needed)
      .set("mcnemar_p", comparison.p_value)
      .set("must_pass", std::move(must))
      .set("latency_p95_ms", latency_answers ? json::Value(latency_p95_ms) : json::Value())
      .set("looks", std::move(seen))
      .set("comparison", comparison.to_json());
  return value;
}

}  // namespace slipway::lab
