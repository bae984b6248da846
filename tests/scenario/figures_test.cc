// The figures that the program prints are those of the records on disk, computed here by hand.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "project.h"

using namespace slipway;
using namespace slipway::scenario;

namespace {

std::string of_run(const std::string& run) { return " WHERE run_id = '" + run + "'"; }

// Wilson's score interval, as in the textbook, at z = 1.96 (three digits suffice here).
std::pair<double, double> wilson(double passed, double total) {
  const double z = 1.959963984540054, p = passed / total;
  const double centre = p + z * z / (2 * total);
  const double half = z * std::sqrt(p * (1 - p) / total + z * z / (4 * total * total));
  return {(centre - half) / (1 + z * z / total), (centre + half) / (1 + z * z / total)};
}

double binomial(int n, int k) {
  double value = 1;
  for (int i = 1; i <= k; ++i) value = value * (n - k + i) / i;
  return value;
}

// McNemar's exact two-sided p of `b` and `c` discordant pairs.
double mcnemar(int b, int c) {
  double tail = 0;
  for (int k = 0; k <= std::min(b, c); ++k) tail += binomial(b + c, k) * std::pow(0.5, b + c);
  return std::min(1.0, 2 * tail);
}

void check_proportion(const json::Value* shown, double passed, double total) {
  REQUIRE(shown != nullptr);
  const auto [low, high] = wilson(passed, total);
  CHECK(shown->number("passed") == passed);
  CHECK(shown->number("total") == total);
  CHECK(shown->number("rate") == doctest::Approx(passed / total));
  CHECK(shown->number("low") == doctest::Approx(low).epsilon(1e-9));
  CHECK(shown->number("high") == doctest::Approx(high).epsilon(1e-9));
}

void check_report(const json::Value& report, const Records& records, const std::string& run) {
  const auto where = of_run(run);
  const auto total = records.real("SELECT count(*) FROM cases" + where);
  check_proportion(report.get("exact_match"), records.real("SELECT sum(passed) FROM cases" + where),
                   total);
  check_proportion(report.get("valid_calls"),
                   records.real("SELECT sum(json_extract(detail, '$.valid')) FROM cases" + where),
                   total);
  for (const char* key : {"prompt_tokens", "completion_tokens"}) {
    INFO(key);
    CHECK(report.number(key, -1) == records.real("SELECT sum(json_extract(detail, '$." +
                                                 std::string(key) + "')) FROM cases" + where));
  }
  CHECK(report.number("cached", -1) == records.real("SELECT sum(cached) FROM cases" + where));
  // The median of 9 values is the fifth.
  CHECK(report.number("latency_p50_ms") ==
        doctest::Approx(records.real("SELECT latency_ms FROM cases" + where +
                                     " ORDER BY latency_ms LIMIT 1 OFFSET 4")));
}

// Nine rows; `good` of them, the first ones, answered well; one answer is no call.
constexpr int rows = 9;

std::string evaluate(const Fixture& f, int first_good, int last_good) {
  std::string prompt = "{{ input }}";
  f.box.write("prompts/plain.jinja", prompt + " " + std::to_string(first_good) + " " +
                                         std::to_string(last_good));
  const auto made = f.box.run({"eval", "--json", "--dataset", "nine"});
  INFO(made.err);
  REQUIRE(made.exit_code == exits::ok);
  return made.parsed().text("run_id");
}

// The prompt carries which rows to answer well: "row 3 2 7".
std::string nine(const std::string& asked) {
  int row = 0, first = 0, last = 0;
  REQUIRE(std::sscanf(asked.c_str(), "row %d %d %d", &row, &first, &last) == 3);
  if (row == rows) return "I do not know";
  const auto place = row >= first && row <= last ? std::to_string(row) : "nowhere";
  return "weather.get_weather(location='" + place + "')";
}

void write_nine_rows(const Fixture& f) {
  std::string text;
  for (int i = 1; i <= rows; ++i) {
    const auto n = std::to_string(i);
    text += R"({"id": ")" + n + R"(", "input": "row )" + n +
            R"(", "output": "weather.get_weather(location=')" + n + "')\"}\n";
  }
  f.box.write("data/nine.jsonl", text);
  f.box.write("slipway.toml",
              f.box.read("slipway.toml") + "\n[datasets.nine]\npath = \"data/nine.jsonl\"\n");
}

}  // namespace

TEST_CASE("show, runs and compare say what the records say") {
  Fixture f(says(nine), weather_service());
  write_nine_rows(f);
  const auto first = evaluate(f, 1, 4);
  const auto second = evaluate(f, 4, 8);
  const auto records = f.records();

  for (const auto& run : {first, second}) {
    const auto shown = f.box.run({"show", run.substr(0, 12), "--json"}).parsed();
    CHECK(shown.text("id") == run);
    REQUIRE(shown.get("report") != nullptr);
    check_report(*shown.get("report"), records, run);
    CHECK(shown.get("cases")->size() == rows);
    for (const auto& row : records.rows("SELECT key, value FROM metrics_latest" + of_run(run))) {
      INFO(row[0]);
      CHECK(shown.get("metrics")->number(row[0], -1) == doctest::Approx(std::stod(row[1])));
    }
    for (const auto& row : records.rows("SELECT key, value FROM params" + of_run(run))) {
      CHECK(shown.get("params")->text(row[0]) == row[1]);
    }
    CHECK(records.real("SELECT value FROM metrics_latest" + of_run(run) +
                       " AND key = 'exact_match'") ==
          doctest::Approx(records.real("SELECT avg(passed) FROM cases" + of_run(run))));
  }

  const auto compared = f.box.run({"compare", first, second, "--json"}).parsed();
  const auto pairs = [&](int a, int b) {
    return records.integer("SELECT count(*) FROM cases a JOIN cases b USING (example_id) WHERE "
                           "a.run_id = '" + first + "' AND b.run_id = '" + second +
                           "' AND a.passed = " + std::to_string(a) + " AND b.passed = " +
                           std::to_string(b));
  };
  CHECK(compared.number("both", -1) == static_cast<double>(pairs(1, 1)));
  CHECK(compared.number("neither", -1) == static_cast<double>(pairs(0, 0)));
  CHECK(compared.number("only_first", -1) == static_cast<double>(pairs(1, 0)));
  CHECK(compared.number("only_second", -1) == static_cast<double>(pairs(0, 1)));
  CHECK(pairs(1, 1) == 1);
  CHECK(pairs(1, 0) == 3);
  CHECK(pairs(0, 1) == 4);
  CHECK(compared.number("p_value") == doctest::Approx(mcnemar(3, 4)));
  CHECK(compared.get("flips")->size() == 7);

  // A difference is one on the same rows: what one run has alone is in no figure.
  const auto some = f.box.run({"eval", "--json", "--dataset", "nine", "--limit", "4"}).parsed();
  const auto shorter = f.box.run({"compare", first, some.text("run_id"), "--json"}).parsed();
  CHECK(shorter.number("unmatched") == 5);
  for (const char* report : {"first_report", "second_report"})
    CHECK(shorter.get(report)->get("exact_match")->number("total") == 4);
  CHECK(contains(f.box.run({"compare", first, some.text("run_id")}).out, "5 rows are of one run"));
  f.check_sound();
}

TEST_CASE("runs lists every run of the records, newest first") {
  Fixture f(says(nine), weather_service());
  write_nine_rows(f);
  evaluate(f, 1, 4);
  f.box.run({"ask", "--dry-run", "row 1 1 1"});
  const auto listed = f.box.run({"runs", "--json"}).parsed();
  const auto kept = f.records().rows("SELECT id, kind, status FROM runs ORDER BY start_ms DESC");
  REQUIRE(listed.size() == kept.size());
  CHECK(kept.size() == 3);
  for (size_t i = 0; i < kept.size(); ++i) {
    CHECK(listed.as_array()[i].text("id") == kept[i][0]);
    CHECK(listed.as_array()[i].text("kind") == kept[i][1]);
    CHECK(listed.as_array()[i].text("status") == kept[i][2]);
  }
  CHECK(f.box.run({"runs", "--json", "--kind", "ask"}).parsed().size() == 1);
  CHECK(f.box.run({"runs", "--json", "--limit", "2"}).parsed().size() == 2);
}

TEST_CASE("a turn's trace holds every step, in the store and in show") {
  Fixture f(says("weather.get_weather(location='boston')"), weather_service());
  REQUIRE(f.box.run({"ask", "boston"}).exit_code == exits::ok);
  const auto run = f.records().text("SELECT id FROM runs WHERE kind = 'ask'");
  const auto shown = f.box.run({"show", run, "--json"}).parsed();
  REQUIRE(shown.get("traces")->size() == 1);
  const auto& trace = shown.get("traces")->as_array()[0];
  CHECK(trace.text("trace_id") == f.records().text("SELECT trace_id FROM trace_index"));
  std::vector<std::string> names;
  for (const auto& span : trace.get("spans")->as_array()) names.push_back(span.text("name"));
  for (const char* name : {"turn", "candidate.render", "model.complete", "skill.parse",
                           "skill.dispatch", "reply"}) {
    INFO(name);
    CHECK(std::count(names.begin(), names.end(), name) == 1);
  }
}
