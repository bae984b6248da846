#include <doctest/doctest.h>

#include "lab/notebook.h"
#include "lab/report_page.h"
#include "store/test_folder.h"

using namespace slipway;
using namespace slipway::lab;

namespace {

constexpr const char* attack = "<img src=x onerror=alert(1)>\"'</script><script>alert(2)</script>";

bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

struct Written {
  store::TestFolder folder;
  std::shared_ptr<store::Store> store = folder.open();

  // `passed` of `total` rows right; a fifth of the rows is misspelt, another wants no call.
  std::string evaluate(const std::string& name, int passed, int total,
                       const std::string& split = "test", const std::string& parent = {}) {
    auto content = json::Value::object();
    content.set("candidate", 1).set("prompt", name);
    const auto entity = store->put_entity("candidate", name, content);
    REQUIRE(entity.ok());
    store::Run run{.experiment = "house", .kind = "eval", .name = name};
    run.parent_id = parent;
    run.inputs = json::Value::object();
    run.inputs.set("candidate", entity->id)
        .set("candidate_name", name)
        .set("dataset", "rows")
        .set("split", split)
        .set("dataset_sha256", "d-" + split)
        .set("pinned", true);
    const auto created = store->create_run(run);
    REQUIRE(created.ok());
    std::vector<store::Case> cases;
    for (int i = 0; i < total; ++i) cases.push_back(case_of(i, i < passed));
    REQUIRE(store->put_cases(created->id, cases).ok());
    const double rate = static_cast<double>(passed) / total;
    REQUIRE(store->log_metrics(created->id, {{"exact_match", rate}}).ok());
    REQUIRE(store->finish_run(created->id, store::RunStatus::finished).ok());
    return entity->id;
  }

  static store::Case case_of(int i, bool passed) {
    store::Case c;
    c.index = i;
    c.example_id = attack + std::to_string(i);
    c.passed = passed;
    c.output = attack;
    c.latency_ms = i;
    auto tags = json::Value::array();
    tags.push_back(i % 5 == 0 ? "misspelt" : i % 5 == 1 ? "no-call" : attack);
    auto calls = json::Value::object();
    calls.set("functions_right", passed)
        .set("no_call_expected", i % 5 == 1)
        .set("no_call_given", i % 5 == 1 && passed);
    c.detail = json::Value::object();
    c.detail.set("valid", true)
        .set("expected", attack)
        .set("tags", std::move(tags))
        .set("calls", std::move(calls));
    return c;
  }

  void gate(const std::string& id, const std::string& verdict, int rows_needed) {
    store::Run run{.experiment = "house", .kind = "gate", .name = "gate"};
    run.inputs = json::Value::object();
    run.inputs.set("candidate", id)
        .set("against_name", attack)
        .set("margin", 0.02)
        .set("dataset_sha256", "d-test");
    const auto created = store->create_run(run);
    REQUIRE(created.ok());
    auto evidence = json::Value::object();
    auto reasons = json::Value::array();
    reasons.push_back(attack);
    evidence.set("rows", 100).set("rows_needed", rows_needed).set("reasons", std::move(reasons));
    const auto object = store->put_object(evidence.dump());
    REQUIRE(object.ok());
    REQUIRE(
        store->set_tags(created->id, {{"verdict", verdict}, {"evidence_object", *object}}).ok());
    REQUIRE(store->finish_run(created->id, store::RunStatus::finished).ok());
  }

  ReportFacts facts(const std::string& name) {
    auto facts = report_facts(*store, name, {});
    REQUIRE(facts.ok());
    return std::move(facts).value();
  }
};

bool asks(const ReportFacts& facts, const std::string& part) {
  for (const auto& question : facts.open) {
    if (says(question.what + " " + question.settle, part)) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("a report is of the newest evaluation on a test split, with figures and intervals") {
  Written w;
  w.evaluate("other", 10, 100);
  w.evaluate("good", 90, 100);
  w.evaluate("good", 50, 100, "dev");
  const auto facts = w.facts("good");
  CHECK(facts.run.inputs.text("split") == "test");
  CHECK(facts.report.exact.passed == 90);
  CHECK(facts.slices.front().right.rate() <= facts.slices.back().right.rate());
  CHECK(facts.slices.front().wrong.size() <= 3);
  REQUIRE(facts.noisy.size() == 1);
  CHECK(facts.noisy[0].right.total == 20);
  CHECK(facts.plain.right.total == 80);
  REQUIRE(facts.refused);
  CHECK(facts.refused->total == 20);
  REQUIRE(facts.served);
  CHECK(facts.served->passed == 80);
  CHECK(facts.wrongly_acted.size() == 2);
  REQUIRE(facts.latency);
  CHECK(facts.latency->answers == 100);
  CHECK(facts.looks.candidates == 2);
  CHECK(says(report_html(facts), "90.0 %"));
  CHECK(w.facts(facts.candidate.substr(0, 10)).candidate_name == "good");
  CHECK(report_facts(*w.store, "god", {}).error().hint() == "did you mean 'good'?");
}

TEST_CASE("the ladder has candidates, not the epochs of their trainings; a recording is none") {
  Written w;
  w.evaluate("base", 10, 100);
  const auto tune = w.store->create_run({.experiment = "house", .kind = "tune", .name = "good"});
  REQUIRE(tune.ok());
  for (int epoch = 1; epoch <= 20; ++epoch)
    w.evaluate("good, epoch " + std::to_string(epoch), epoch, 100, "test", tune->id);
  const auto gate = w.store->create_run({.experiment = "house", .kind = "gate", .name = "g"});
  REQUIRE(gate.ok());
  w.evaluate("good", 90, 100, "test", gate->id);
  auto spoken = json::Value::object();
  spoken.set("candidate", w.facts("good").candidate).set("audio", "clips.jsonl");
  const auto heard = w.store->create_run({.experiment = "house", .kind = "eval", .inputs = spoken});
  REQUIRE(heard.ok());
  REQUIRE(w.store->finish_run(heard->id, store::RunStatus::finished).ok());
  const auto facts = w.facts("good");
  CHECK(facts.run.id != heard->id);
  REQUIRE(facts.ladder.size() == 2);
  CHECK(facts.ladder[0].candidate_name == "base");
  CHECK(facts.ladder[1].candidate_name == "good");
}

TEST_CASE("only this candidate's requests to a server are its latency") {
  Written w;
  const auto id = w.evaluate("good", 90, 100);
  const auto serve = w.store->create_run({.experiment = "house", .kind = "serve", .name = "s"});
  REQUIRE(serve.ok());
  const auto ask = [&](char trace, const std::string& candidate, int64_t ms) {
    SpanRecord span{.trace_id = std::string(32, trace), .span_id = std::string(16, trace)};
    span.name = "chat";
    span.start_unix_ns = 1'000'000'000;
    span.end_unix_ns = span.start_unix_ns + ms * 1'000'000;
    span.attributes = {{"candidate_id", candidate}};
    REQUIRE(w.store->put_spans(serve->id, {span}).ok());
  };
  ask('a', id, 10);
  ask('b', "another", 5000);
  const auto facts = w.facts("good");
  REQUIRE(facts.asked);
  CHECK(facts.asked->answers == 1);
  CHECK(facts.asked->p95_ms == 10);
}

TEST_CASE("a report says no, and that nobody asked, and how many rows would settle it") {
  Written w;
  const auto id = w.evaluate("good", 90, 100);
  auto facts = w.facts("good");
  CHECK_FALSE(facts.gate);
  CHECK(says(report_html(facts), "Not decided: no gate was run"));
  CHECK(asks(facts, "slipway gate good"));
  CHECK(asks(facts, "more rows"));

  w.gate(id, "refused", 819);
  facts = w.facts("good");
  CHECK(says(report_html(facts), "Not shown: too few rows"));
  CHECK(asks(facts, "819 rows"));

  w.gate(id, "fail", 0);
  CHECK(says(report_html(w.facts("good")), "No: it did not pass its gate"));
  w.gate(id, "pass", 0);
  CHECK(says(report_html(w.facts("good")), "Yes: it is shown to be no worse"));
}

TEST_CASE(
    "a row of another kind, a split that is no test, and unknown weights are open questions") {
  Written w;
  w.evaluate("good", 30, 30, "dev");
  auto facts = w.facts("good");
  CHECK(asks(facts, "no test split"));
  facts.noisy.clear();
  facts.refused.reset();
  facts.served.emplace();
  facts.pinned = false;
  facts.latency.reset();
  facts.report.calls.emplace();
  facts.open = open_questions(facts);
  CHECK(asks(facts, "misspelt or spoken"));
  CHECK(asks(facts, "no function serves"));
  CHECK(asks(facts, "endpoint"));
  CHECK(asks(facts, "every answer was remembered"));
}

TEST_CASE("no text of the store is markup in a report") {
  Written w;
  const auto id = w.evaluate(attack, 40, 100);
  w.gate(id, "fail", 0);
  const auto html = report_html(w.facts(attack));
  CHECK(says(html, "&lt;img src=x"));
  CHECK_FALSE(says(html, "<img"));
  CHECK_FALSE(says(html, "<script"));
  CHECK(says(html, "default-src 'none'"));
}

TEST_CASE("curves and bars are drawn from what can be drawn") {
  const auto curve = curve_svg({{1, 4}, {2, 2}, {3, 0.0 / 1}, {4, 1e308 * 10}}, "loss");
  CHECK(says(curve, "<path class=\"curve\""));
  CHECK_FALSE(says(curve, "inf"));
  CHECK_FALSE(says(curve, "nan"));
  CHECK(curve_svg({{1, 4}}, "loss").empty());
  CHECK(says(share_svg({0, 0}), "<svg"));
  CHECK(scaling_svg({{100, 0.5, {0.4, 0.6}}, {400, 0.7, {0.6, 0.8}}}).find("circle") !=
        std::string::npos);
}

TEST_CASE("changes between candidates are named part by part") {
  const auto before = *json::parse(R"({"model": {"name": "m", "weights_sha256": "aa",
      "adapters": []}, "prompt": "one", "skills": [], "call_language": {"constrain": false,
      "max_calls": 4}, "decoding": {"max_tokens": 32}})");
  auto after = before;
  CHECK(candidate_changes(before, after).empty());
  after.get("call_language")->set("constrain", true);
  after.set("prompt", "two");
  const auto changes = candidate_changes(before, after);
  REQUIRE(changes.size() == 2);
  CHECK(changes[0].part == "prompt");
  CHECK(changes[1].part == "call language");
  CHECK(changes[1].before == "constrain false");
  CHECK(changes[1].after == "constrain true");
}

TEST_CASE(
    "the notebook compares a repeated candidate with itself, and leaves out what only looks") {
  Written w;
  w.evaluate("a", 10, 100);
  w.evaluate("b", 60, 100);
  w.evaluate("a", 10, 100);
  REQUIRE(w.store->create_run({.kind = "serve", .name = "b"}).ok());
  const auto notebook = read_notebook(*w.store, {});
  REQUIRE(notebook.ok());
  REQUIRE(notebook->entries.size() == 3);
  CHECK(notebook->entries[1].effect->pairs.only_second == 50);
  CHECK(notebook->entries[1].changed.at(0).part == "prompt");
  CHECK(notebook->entries[2].against_name == "a");
  CHECK(notebook->entries[2].changed.empty());
  CHECK(notebook->entries[2].effect->change() == 0);
}
