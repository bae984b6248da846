// What was learnt, handed over: bundled, opened elsewhere, taken over, computed again there.
#include <doctest/doctest.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "base/files.h"
#include "http/client.h"
#include "project.h"

using namespace slipway;
using namespace slipway::scenario;

namespace {

// A project of somebody else: the same program, no run yet.
struct Elsewhere {
  Sandbox box;
  Elsewhere() { REQUIRE(box.run({"init"}).exit_code == exits::ok); }
  Records records() const { return Records(box.path(".slipway")); }
};

Outcome must(const Sandbox& box, const std::vector<std::string>& words) {
  auto outcome = box.run(words);
  INFO(outcome.out, outcome.err);
  REQUIRE(outcome.exit_code == exits::ok);
  return outcome;
}

std::string bundle_of(const Fixture& f, std::vector<std::string> words) {
  const auto path = f.box.root() + "/lab.slipway";
  words.insert(words.begin(), "bundle");
  words.insert(words.end(), {"-o", path});
  must(f.box, words);
  return path;
}

}  // namespace

TEST_CASE("a bundle is opened without a project, by name or whole") {
  Fixture f(says("weather.get_weather(location='boston')"), weather_service());
  const auto path = bundle_of(f, {f.first_run.substr(0, 8)});
  Sandbox nowhere;
  const auto runs = must(nowhere, {"open", path, "runs", "--json"}).parsed();
  REQUIRE(runs.size() == 1);
  CHECK(runs.as_array()[0].text("id") == f.first_run);
  const auto shown = must(nowhere, {"open", path, "show", f.first_run, "--json"}).parsed();
  const auto here = must(f.box, {"show", f.first_run, "--json"}).parsed();
  CHECK(shown.get("cases")->dump() == here.get("cases")->dump());
  CHECK(shown.get("metrics")->dump() == here.get("metrics")->dump());
  check_refused(nowhere.run({"open", path, "eval"}), exits::bad_input, {"does not work", "runs"});
  check_refused(nowhere.run({"open", path + "x", "runs"}), exits::not_found, {"no bundle"});
  check_refused(f.box.run({"bundle"}), exits::bad_input, {"--all"});
  check_refused(f.box.run({"bundle", "nobody"}), exits::not_found, {"neither a run nor"});
  f.check_sound();
}

TEST_CASE("an opened bundle is served to look at, and nothing can be written") {
  Fixture f(says("none()"), weather_service());
  const auto path = bundle_of(f, {"--all"});
  auto child = f.box.start({"open", path, "--port", "0", "--json"});
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  std::string line;
  while (line.find('\n') == std::string::npos) {
    REQUIRE(std::chrono::steady_clock::now() < deadline);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    line = files::read(f.box.root() + "/stdout.txt").value_or("");
  }
  const auto url = json::parse(line)->text("url");
  CHECK(http::Client().send({.url = url + "/healthz"})->status == 200);
  const auto post = http::Client().send({.method = "POST", .url = url + "/v1/feedback"});
  CHECK(post->status == 405);
  child.signal(SIGTERM);
  CHECK(child.wait() == exits::ok);
}

TEST_CASE("unbundled elsewhere: merged once, and scored again there") {
  Fixture f(says("weather.get_weather(location='boston')"), weather_service());
  const auto path = bundle_of(f, {"--all"});
  Elsewhere there;
  const auto first = must(there.box, {"unbundle", path, "--json"}).parsed();
  CHECK(first.get("new_runs")->size() == 1);
  const auto second = must(there.box, {"unbundle", path, "--json"}).parsed();
  CHECK(second.get("new_runs")->size() == 0);
  CHECK(second.number("known_runs") == 1);
  const auto again = must(there.box, {"reproduce", f.first_run, "--json"}).parsed();
  CHECK(again.text("grade") == "replay");
  CHECK(there.records().integer("SELECT count(*) FROM runs WHERE kind = 'eval'") == 1);
  CHECK(
      there.records().text("SELECT value FROM tags WHERE key = 'imported'").starts_with("bundle"));
  CHECK(there.records().sound());
  CHECK_FALSE(files::exists(there.box.path(".slipway/incoming")));
}

TEST_CASE("a damaged or foreign bundle changes nothing") {
  Fixture f(says("none()"), weather_service());
  const auto path = bundle_of(f, {"--all"});
  Elsewhere there;
  auto bytes = *files::read(path);
  bytes[bytes.size() / 2] ^= 1;
  REQUIRE(files::write_atomic(path, bytes).ok());
  CHECK(there.box.run({"unbundle", path}).exit_code == exits::corrupt);
  REQUIRE(files::write_atomic(path, *files::read(f.box.path(".slipway/records.db"))).ok());
  check_refused(there.box.run({"unbundle", path}), exits::corrupt, {"no bundle"});
  CHECK(there.records().integer("SELECT count(*) FROM runs") == 0);
  f.check_sound();
}

TEST_CASE("two stores give each other what each lacks") {
  Fixture f(says("none()"), weather_service());
  Elsewhere there;
  must(there.box, {"unbundle", bundle_of(f, {f.first_run})});
  const auto made = must(f.box, {"eval", "--json", "--fresh"}).parsed().text("run_id");
  const auto synced = must(there.box, {"sync", f.box.project(), "--json"}).parsed();
  CHECK(synced.get("here")->get("new_runs")->as_array()[0].as_string() == made);
  const auto again = must(there.box, {"sync", f.box.project(), "--json"}).parsed();
  CHECK(again.get("here")->get("new_runs")->size() == 0);
  CHECK(again.get("there")->get("new_runs")->size() == 0);
  check_refused(there.box.run({"sync", "."}), exits::bad_input, {"the two stores are one"});
  check_refused(there.box.run({"sync", "/tmp/no-such-store"}), exits::not_found, {"no store"});
}

TEST_CASE("a release travels to look at; here an alias moves only when it never was") {
  Fixture f(says("none()"), weather_service());
  must(f.box, {"promote", "plain", "--force", "--because", "the first"});
  const auto path = bundle_of(f, {"production"});
  Elsewhere there;
  CHECK(must(there.box, {"open", path, "releases", "--json"}).parsed().size() == 1);
  must(there.box, {"unbundle", path});
  CHECK(must(there.box, {"releases", "--json"}).parsed().size() == 0);
  must(there.box, {"unbundle", path, "--releases"});
  CHECK(must(there.box, {"releases", "--json"}).parsed().size() == 1);
}

TEST_CASE("a run that was unbundled is reproduced bit for bit, its licence beside it") {
  SLIPWAY_NEEDS_MODEL();
  Sandbox box;
  REQUIRE(box.run({"init"}).exit_code == exits::ok);
  const auto made = must(box, {"eval", "--json", "--limit", "3", "--logprobs"}).parsed();
  const auto run = made.text("run_id");
  const auto path = box.root() + "/lab.slipway";
  const auto bundle = must(box, {"bundle", run, "--out", path, "--json"}).parsed();
  REQUIRE(bundle.get("notices")->size() == 1);
  Elsewhere there;
  for (const auto& prompt : files_under(there.box.path("prompts")))
    there.box.write(prompt.substr(there.box.project().size() + 1), "another {{ input }}");
  const auto taken = must(there.box, {"unbundle", path, "--json"}).parsed();
  CHECK(taken.get("notices")->as_array()[0].text("model") == "gemma-3-270m");
  const auto again = must(there.box, {"reproduce", run, "--json", "--grade", "bit"}).parsed();
  CHECK(again.text("grade") == "bit");
  CHECK(again.number("equal_hashes") == 3);
}
