// Stopped by a person, by kill -9, or by nobody: an evaluation gives the same result.
#include <doctest/doctest.h>
#include <signal.h>

#include <atomic>
#include <chrono>
#include <map>
#include <set>
#include <thread>

#include "project.h"

using namespace slipway;
using namespace slipway::scenario;

namespace {

constexpr int rows = 24;  // more than are decoded at once

std::string city(int number) {
  static const char* const names[] = {"boston", "oslo",  "lima",  "cairo", "perth", "quito",
                                      "turin",  "delhi", "kyoto", "accra", "minsk", "davos",
                                      "natal",  "paris", "tunis", "bern"};
  return std::string(number % 2 ? "north " : "") + names[number / 2 % 16];
}

// `slipway init`, with enough rows to be stopped in the middle.
void init_project(const Sandbox& box) {
  REQUIRE(box.run({"init"}).exit_code == exits::ok);
  std::string text;
  for (int i = 0; i < rows; ++i) {
    text += R"({"input": "what is the weather in )" + city(i) +
            R"( today", "output": "weather.get_weather(location=')" + city(i) + "')\"}\n";
  }
  box.write("data/test.jsonl", text);
}

using Rows = std::vector<Records::Row>;

Rows outputs(const Sandbox& box, const std::string& run) {
  return Records(box.path(".slipway"))
      .rows("SELECT idx, example_id, passed, output FROM cases WHERE run_id = '" + run +
            "' ORDER BY idx");
}

// What an uninterrupted evaluation gives; computed once, in a store of its own.
const Rows& reference() {
  static const Rows outcome = [] {
    Sandbox box;
    init_project(box);
    const auto whole = box.run({"eval", "--json"});
    INFO(whole.err);
    REQUIRE(whole.exit_code == exits::ok);
    return outputs(box, whole.parsed().text("run_id"));
  }();
  REQUIRE(outcome.size() == rows);
  return outcome;
}

// Waits until a case is on disk. Fails the test when the evaluation ends before.
void wait_for_a_case(const Sandbox& box, Child& child) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(90);
  while (cases_on_disk(box.path(".slipway")) == 0) {
    REQUIRE_FALSE(child.ended());
    REQUIRE(std::chrono::steady_clock::now() < deadline);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

// Everything of a finished case: one computed again would have another latency.
std::set<Records::Row> finished_cases(const Sandbox& box) {
  const auto found = Records(box.path(".slipway"))
                         .rows("SELECT run_id, idx, output, latency_ms, detail FROM cases");
  return {found.begin(), found.end()};
}

// The same command again continues the same run, keeps every case, and ends as if never stopped.
void check_continues(const Sandbox& box) {
  const auto kept = finished_cases(box);
  REQUIRE(!kept.empty());
  REQUIRE(kept.size() < rows);
  CHECK(Records(box.path(".slipway")).sound());
  const auto again = box.run({"eval", "--json"});
  INFO(again.err);
  REQUIRE(again.exit_code == exits::ok);
  CHECK(again.parsed().flag("resumed"));
  CHECK(again.parsed().number("already_done") == static_cast<double>(kept.size()));
  const auto now = finished_cases(box);
  for (const auto& row : kept) CHECK(now.contains(row));
  CHECK(outputs(box, again.parsed().text("run_id")) == reference());
  const Records records(box.path(".slipway"));
  CHECK(records.sound());
  CHECK(records.integer("SELECT count(*) FROM runs") == 1);
  CHECK(records.text("SELECT status FROM runs") == "finished");
}

}  // namespace

TEST_CASE("Ctrl-C ends an evaluation with 130, and the same command continues it") {
  SLIPWAY_NEEDS_MODEL();
  Sandbox box;
  init_project(box);
  auto child = box.start({"eval"});
  wait_for_a_case(box, child);
  child.signal(SIGINT);
  CHECK(child.wait() == exits::cancelled);
  const auto said = box.read("../stderr.txt");
  INFO(said);
  CHECK(contains(said, "slipway: stopped; finished cases are kept; the same command continues"));
  CHECK(Records(box.path(".slipway")).text("SELECT status FROM runs") == "killed");
  check_continues(box);
}

TEST_CASE("kill -9 loses no finished case, and the same command continues") {
  SLIPWAY_NEEDS_MODEL();
  Sandbox box;
  init_project(box);
  auto child = box.start({"eval"});
  wait_for_a_case(box, child);
  child.signal(SIGKILL);
  CHECK(child.wait() == 128 + SIGKILL);
  check_continues(box);
}

TEST_CASE("a second evaluation remembers every answer") {
  SLIPWAY_NEEDS_MODEL();
  Sandbox box;
  init_project(box);
  const auto first = box.run({"eval", "--json", "--limit", "6"});
  const auto second = box.run({"eval", "--json", "--limit", "6"});
  INFO(first.err, second.err);
  REQUIRE(first.exit_code == exits::ok);
  REQUIRE(second.exit_code == exits::ok);
  CHECK(first.parsed().number("computed") == 6);
  CHECK(second.parsed().number("computed") == 0);
  CHECK(second.parsed().number("cached") == 6);
  CHECK(second.parsed().get("latency_p50_ms") == nullptr);
  const auto fresh = box.run({"eval", "--json", "--limit", "6", "--fresh"});
  CHECK(fresh.parsed().number("computed") == 6);
  const auto written = outputs(box, first.parsed().text("run_id"));
  CHECK(outputs(box, second.parsed().text("run_id")) == written);
  CHECK(outputs(box, fresh.parsed().text("run_id")) == written);
}

TEST_CASE("a project just begun can be evaluated and asked") {
  SLIPWAY_NEEDS_MODEL();
  Sandbox box;
  CHECK(box.run({"init"}).exit_code == exits::ok);
  check_refused(box.run({"init"}), exits::bad_input, {"already has a slipway.toml"});
  const auto measured = box.run({"eval"});
  INFO(measured.out, measured.err);
  CHECK(measured.exit_code == exits::ok);
  CHECK(contains(measured.out, "exact match"));
  const auto turn = box.run({"ask", "--dry-run", "what is the weather in oslo"});
  INFO(turn.out, turn.err);
  CHECK(turn.exit_code == exits::ok);
  CHECK(contains(turn.out, "weather.get_weather(location="));
}

TEST_CASE("kill -9 again and again: an endpoint is asked once for each finished row") {
  std::atomic<bool> slow = false;
  Fixture f(
      [&](const http::ServerRequest& request, int) {
        if (slow) std::this_thread::sleep_for(std::chrono::milliseconds(40));
        return completion("weather.get_weather(location='" + asked_of(request) + "')");
      },
      weather_service());
  std::string text;
  constexpr int many = 160;
  for (int i = 0; i < many; ++i) {
    const auto name = "place " + std::to_string(i);
    text += R"({"input": ")" + name + R"(", "output": "weather.get_weather(location=')" + name +
            "')\"}\n";
  }
  f.box.write("data/test.jsonl", text);
  slow = true;
  std::map<std::string, int> finished_before;  // asked this often when the kill came
  int64_t on_disk = cases_on_disk(f.box.path(".slipway"));
  for (int kills = 0; kills < 3; ++kills) {
    auto child = f.box.start({"eval"});
    while (cases_on_disk(f.box.path(".slipway")) < on_disk + 10 && !child.ended()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    child.signal(SIGKILL);
    REQUIRE(child.wait() == 128 + SIGKILL);
    on_disk = cases_on_disk(f.box.path(".slipway"));
    CHECK(f.records().sound());
    std::map<std::string, int> asked;
    for (const auto& request : f.model.requests()) asked[asked_of(request)] += 1;
    for (const auto& row : f.records().rows("SELECT output FROM cases")) {
      if (row[0] == "none()") continue;
      const auto start = row[0].find('\'') + 1;
      const auto name = row[0].substr(start, row[0].rfind('\'') - start);
      finished_before.try_emplace(name, asked[name]);
    }
  }
  const auto last = f.box.run({"eval", "--json"});
  INFO(last.err);
  REQUIRE(last.exit_code == exits::ok);
  CHECK(last.parsed().number("already_done") == static_cast<double>(finished_before.size()));
  CHECK(last.parsed().get("exact_match")->number("passed") == many);
  std::map<std::string, int> asked;
  for (const auto& request : f.model.requests()) asked[asked_of(request)] += 1;
  CHECK(finished_before.size() >= 30);
  for (const auto& [name, count] : finished_before) {
    INFO(name);
    CHECK(asked[name] == count);
  }
  CHECK(f.records().integer("SELECT count(*) FROM runs") == 2);
}
