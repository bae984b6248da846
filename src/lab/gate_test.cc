#include "lab/gate.h"

#include <doctest/doctest.h>

#include "lab/releases.h"

using namespace slipway;
using namespace slipway::lab;

namespace {

// What would have been measured at these counts.
Gate measured(const eval::Pairs& pairs, const GateSpec& spec) {
  Gate gate;
  gate.candidate_name = "new";
  gate.against_name = "old";
  gate.rows = pairs.total();
  gate.comparison.pairs = pairs;
  gate.interval = eval::tango_interval(pairs, eval::normal_quantile(1 - spec.alpha));
  gate.p_value = eval::non_inferiority_p(pairs, spec.margin);
  const double flips = static_cast<double>(pairs.only_first + pairs.only_second) /
                       static_cast<double>(pairs.total());
  const eval::Plan plan{flips, spec.margin, spec.alpha, spec.power};
  gate.power = eval::non_inferiority_power(pairs.total(), plan);
  gate.rows_needed = eval::rows_needed(plan);
  return gate;
}

Gate decided(const eval::Pairs& pairs, const GateSpec& spec = {}) {
  auto gate = measured(pairs, spec);
  decide(gate, spec);
  return gate;
}

std::string reasons(const Gate& gate) {
  std::string all;
  for (const auto& reason : gate.reasons) all += reason + "\n";
  return all;
}

bool says(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a verdict follows from the counts") {
  CHECK(decided({195, 0, 3, 2}).verdict == Verdict::pass);
  CHECK(decided({100, 60, 5, 35}).verdict == Verdict::fail);
  const auto few = decided({30, 0, 0, 0});
  CHECK(few.verdict == Verdict::refused);
  CHECK(says(reasons(few), "at least 149 are needed"));
  const auto flips = decided({160, 15, 15, 10});
  CHECK(flips.verdict == Verdict::refused);
  CHECK(flips.rows_needed > 1000);
  CHECK(says(reasons(flips), std::to_string(flips.rows_needed).c_str()));
  // Enough rows for two that are equal; this one is a little worse, and within the margin or not.
  const auto open = decided({4560, 150, 60, 230});
  CHECK(open.verdict == Verdict::undecided);
  CHECK(open.power >= 0.8);
}

TEST_CASE("a row that must pass and a bound of latency each say no") {
  GateSpec spec;
  spec.must_pass = "safety";
  auto gate = measured({195, 0, 3, 2}, spec);
  gate.must_pass_rows = 4;
  decide(gate, spec);
  CHECK(gate.verdict == Verdict::pass);
  gate.must_pass_wrong = {"row 7"};
  decide(gate, spec);
  CHECK(gate.verdict == Verdict::fail);
  CHECK(says(reasons(gate), "1 of 4 rows that must pass are wrong: row 7"));

  spec = {};
  spec.latency_p95_ms = 500;
  auto slow = measured({195, 0, 3, 2}, spec);
  slow.latency_answers = 200;
  slow.latency_p95_ms = 499;
  decide(slow, spec);
  CHECK(slow.verdict == Verdict::pass);
  slow.latency_p95_ms = 501;
  decide(slow, spec);
  CHECK(slow.verdict == Verdict::fail);
}

TEST_CASE("JUnit XML counts what decides and escapes what it quotes") {
  GateSpec spec;
  spec.must_pass = "a<b>&\"c\"";
  auto gate = measured({195, 0, 3, 2}, spec);
  gate.candidate_name = "x\x01";
  gate.must_pass_rows = 1;
  gate.must_pass_wrong = {"<row>"};
  decide(gate, spec);
  const auto xml = junit_xml(gate, spec);
  CHECK(says(xml, "tests=\"2\" failures=\"1\""));
  CHECK(says(xml, "must pass: a&lt;b&gt;&amp;&quot;c&quot;"));
  CHECK(says(xml, "&lt;row&gt;"));
  CHECK(says(xml, "x\uFFFD"));
  CHECK_FALSE(says(xml, "<row>"));
  CHECK(says(xml, "value=\"fail\""));
}

TEST_CASE("what changed since a release is named") {
  candidate::Candidate released;
  released.skills = std::make_shared<skill::SkillSet>();
  CHECK(changed_parts(released, released).empty());
  auto now = released;
  now.prompt.source = "other";
  now.decoding.max_tokens += 1;
  now.model.adapter_sha256 = {"aa"};
  CHECK(changed_parts(released, now) == std::vector<std::string>{"adapters", "prompt", "decoding"});
}
