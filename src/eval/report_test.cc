#include "eval/report.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "eval/call_counts.h"

using namespace slipway;
using namespace slipway::eval;

namespace {

store::Case scored(bool passed, const CallCounts& counts, std::vector<std::string> tags = {}) {
  store::Case c;
  c.passed = passed;
  c.detail.set("valid", true).set("calls", counts.to_json());
  auto list = json::Value::array();
  for (auto& tag : tags) list.push_back(tag);
  c.detail.set("tags", list);
  return c;
}

double metric(const Report& report, const std::string& key) {
  const auto metrics = report.metrics();
  const auto found =
      std::find_if(metrics.begin(), metrics.end(), [&](const auto& m) { return m.key == key; });
  REQUIRE_MESSAGE(found != metrics.end(), key);
  return found->value;
}

skill::Call call(const std::string& function, std::vector<skill::Argument> arguments = {}) {
  return {function, std::move(arguments)};
}

}  // namespace

TEST_CASE("calls are paired by function, arguments by name and value") {
  const skill::SkillSet none;
  const auto wanted = std::vector{call("f", {{"a", 1}, {"b", "x"}}), call("g", {{"c", true}})};
  const auto same = count_calls(wanted, wanted, none);
  CHECK(same.functions_right);
  CHECK(same.arguments_right == 3);
  const auto swapped = count_calls(wanted, {wanted[1], wanted[0]}, none);
  CHECK_FALSE(swapped.functions_right);  // a sequence
  CHECK(swapped.arguments_right == 3);
  const auto partly = count_calls(wanted, {call("f", {{"a", 2}, {"b", "x"}, {"d", 0}})}, none);
  CHECK_FALSE(partly.functions_right);
  CHECK(partly.arguments_right == 1);
  CHECK(partly.arguments_given == 3);
  CHECK(partly.arguments_expected == 3);
  CHECK(count_calls({}, {}, none).no_call_given);
  CHECK_FALSE(count_nothing({}, none).no_call_given);
  CHECK(count_nothing({}, none).no_call_expected);
  const auto back = read_counts(json::Value::object().set("calls", partly.to_json()));
  REQUIRE(back);
  CHECK(back->arguments_given == 3);
  CHECK_FALSE(read_counts(json::Value::object()));
}

TEST_CASE("an argument that equals its default counts on neither side") {
  skill::Function f;
  f.name = "f";
  f.parameters = {{"unit", "", json::Value::object(), false, json::Value("C")}};
  skill::SkillSet skills;
  REQUIRE(skills.add({"", "", "", {f}}).ok());
  const auto counts = count_calls({call("f")}, {call("f", {{"unit", "C"}})}, skills);
  CHECK(counts.arguments_given == 0);
}

TEST_CASE("function accuracy, micro-averaged F1, no-call precision and recall") {
  const auto report = summarise({
      scored(true, {true, 2, 2, 2, false, false}), scored(false, {true, 1, 3, 2, false, false}),
      scored(false, {false, 0, 0, 4, false, true}),  // a call was missed
      scored(true, {true, 0, 0, 0, true, true}),
      scored(false, {false, 0, 1, 0, true, false}),  // a call too many
  });
  REQUIRE(report.calls);
  CHECK(report.calls->functions.passed == 3);
  CHECK(report.calls->argument_f1() == doctest::Approx(2.0 * 3 / (6 + 8)));
  CHECK(report.calls->no_call_precision.rate() == 0.5);
  CHECK(report.calls->no_call_recall.rate() == 0.5);
  CHECK(metric(report, "function_accuracy") == 0.6);
  CHECK(metric(report, "argument_f1") == doctest::Approx(6.0 / 14));
  CHECK(metric(report, "no_call_precision") == 0.5);
  CHECK(report.to_json().get("calls")->get("no_call_recall")->number("rate") == 0.5);
}

TEST_CASE("tags: worst first, with their intervals") {
  const auto report = summarise({scored(true, {}, {"a", "b"}), scored(false, {}, {"a"}),
                                 scored(false, {}, {"c"}), scored(true, {}, {})});
  REQUIRE(report.tags.size() == 3);
  CHECK(report.tags[0].tag == "c");
  CHECK(report.tags[1].tag == "a");
  CHECK(report.tags[1].exact.total == 2);
  CHECK(metric(report, "exact_match.tag.a") == 0.5);
  const auto first = report.to_json().get("tags")->as_array().at(0);
  CHECK(first.text("tag") == "c");
  CHECK(first.number("high") > 0.5);
}

TEST_CASE("remembered answers are counted, and are no latency") {
  store::Case fresh, cached;
  fresh.latency_ms = 40;
  cached.latency_ms = 1;  // even if one were stored
  cached.cached = true;
  const auto report = summarise({fresh, cached, cached});
  CHECK(report.cached == 2);
  CHECK(report.computed() == 1);
  CHECK(report.latency_p50_ms == 40);
  CHECK(metric(report, "cached_cases") == 2);
  CHECK_FALSE(report.calls);
  const auto all_cached = summarise({cached});
  CHECK(all_cached.to_json().get("latency_p50_ms") == nullptr);
}
