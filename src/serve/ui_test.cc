#include "serve/ui.h"

#include "candidate/stored.h"
#include "serve/fixture_test.h"
#include "serve/ui_assets.h"

using namespace slipway;
using namespace slipway::serve;

namespace {

store::Case case_of(int64_t index, bool passed, const std::string& output) {
  store::Case c;
  c.index = index;
  c.example_id = "row" + std::to_string(index);
  c.passed = passed;
  c.output = output;
  c.latency_ms = 10;
  c.detail = *json::parse(R"json({"valid": true, "expected": "a()", "tags": ["music"]})json");
  return c;
}

// A store with two evaluations of two candidates, a training and nothing else.
struct Recorded {
  store::TestFolder folder;
  std::shared_ptr<store::Store> store = folder.open();
  std::string first, second, tuning;

  Recorded() {
    first = evaluation("naive", "say {{ input }}", {false, false, true});
    second = evaluation("better", "say it: {{ input }}", {true, false, true});
    auto run = store->create_run({.experiment = "house", .kind = "tune", .name = "t"});
    REQUIRE(run.ok());
    tuning = run->id;
    std::vector<store::Metric> losses;
    for (int i = 1; i <= 3000; ++i) losses.push_back({"loss", 1.0 / i, i});
    REQUIRE(store->log_metrics(tuning, losses).ok());
  }

  std::string evaluation(const std::string& name, const std::string& prompt,
                         const std::vector<bool>& passed) {
    candidate::Candidate c;
    c.name = name;
    c.model = {.name = "scripted", .weights_sha256 = "abc", .adapter_sha256 = {}};
    c.prompt = {"plain", prompt};
    c.skills = std::make_shared<skill::SkillSet>();
    REQUIRE(store->put_entity("candidate", name, c.to_json()).ok());
    auto source = json::Value::object();
    source.set("source", prompt);
    REQUIRE(store->put_entity("prompt", "plain", source).ok());
    const auto rows =
        store->put_object("{\"id\":\"row0\",\"input\":\"play it\",\"output\":\"a()\"}\n");
    REQUIRE(rows.ok());
    store::Run run{.experiment = "house", .kind = "eval", .name = name};
    run.inputs = json::Value::object();
    run.inputs.set("candidate", c.id())
        .set("candidate_name", name)
        .set("prompt", "plain")
        .set("dataset", "test")
        .set("split", "test")
        .set("dataset_sha256", "d1")
        .set("rows_object", *rows);
    auto created = store->create_run(run);
    REQUIRE(created.ok());
    std::vector<store::Case> cases;
    double right = 0;
    for (size_t i = 0; i < passed.size(); ++i) {
      right += passed[i];
      cases.push_back(case_of(static_cast<int64_t>(i), passed[i], passed[i] ? "a()" : "<b>()"));
    }
    REQUIRE(store->put_cases(created->id, cases).ok());
    REQUIRE(store->log_metrics(created->id, {{"exact_match", right / 3}}).ok());
    REQUIRE(store->finish_run(created->id, store::RunStatus::finished).ok());
    return created->id;
  }
};

// The page over a store alone, as `slipway open` shows a bundle.
struct Page : Recorded {
  http::Server server{http::ServerOptions{}};
  http::Client client;
  int port = 0;

  Page() {
    add_ui(server, {store, "house"});
    auto started = server.start();
    REQUIRE(started.ok());
    port = *started;
  }
  Answer get(const std::string& path, http::Headers headers = {}) {
    auto response = client.send(
        {.url = "http://127.0.0.1:" + std::to_string(port) + path, .headers = std::move(headers)});
    REQUIRE(response.ok());
    return {response->status, response->headers, response->body};
  }
};

const json::Value& at(const json::Value& list, size_t i) { return list.as_array().at(i); }

}  // namespace

TEST_CASE("runs are listed, filtered, sorted and paged") {
  Page page;
  auto table = page.get("/api/runs").json();
  REQUIRE(table.get("runs")->size() == 3);
  CHECK(at(*table.get("runs"), 0).text("id") == page.tuning);
  CHECK(table.number("found") == 3);
  table = page.get("/api/runs?filter=kind:eval&sort=-exact_match&limit=1").json();
  REQUIRE(table.get("runs")->size() == 1);
  CHECK(at(*table.get("runs"), 0).text("name") == "better");
  CHECK(table.flag("more"));
  table = page.get("/api/runs?filter=kind:eval&sort=-exact_match&limit=1&offset=1").json();
  CHECK(at(*table.get("runs"), 0).text("name") == "naive");
  CHECK_FALSE(table.flag("more"));
  table = page.get("/api/runs?sort=name").json();
  CHECK(at(*table.get("runs"), 0).text("name") == "better");
  CHECK(at(*table.get("runs"), 2).text("name") == "t");
  table = page.get("/api/runs?sort=-candidate").json();
  CHECK(at(*table.get("runs"), 2).text("name") == "better");
  table = page.get("/api/runs?sort=-took").json();
  CHECK(at(*table.get("runs"), 2).text("name") == "t");  // still running
  CHECK(page.get("/api/runs?filter=exact_match%3E0.5").json().get("runs")->size() == 1);
  CHECK(page.get("/api/runs?filter=colour:red").status == 400);
  CHECK(page.get("/api/runs?limit=0").status == 400);
}

TEST_CASE("a run has figures with intervals, thinned curves, and its failures first") {
  Page page;
  const auto run = page.get("/api/runs/" + page.second.substr(0, 8)).json();
  CHECK(run.text("id") == page.second);
  const auto* exact = run.get("report")->get("exact_match");
  CHECK(exact->number("passed") == 2);
  CHECK(exact->number("low") < exact->number("rate"));
  CHECK(run.get("candidate_parts")->text("prompt") == "say it: {{ input }}");
  const auto cases = page.get("/api/runs/" + page.second + "/cases").json();
  CHECK(cases.number("found") == 3);
  CHECK_FALSE(at(*cases.get("cases"), 0).flag("passed"));
  const auto passed = page.get("/api/runs/" + page.second + "/cases?show=passed").json();
  CHECK(at(*passed.get("cases"), 0).text("input") == "play it");
  CHECK(page.get("/api/runs/" + page.second + "/cases?text=PLAY").json().number("found") == 1);
  const auto curves = page.get("/api/runs/" + page.tuning + "/curves").json();
  CHECK(curves.text("status") == "running");
  const auto& curve = at(*curves.get("curves"), 0);
  CHECK(curve.number("points") == 3000);
  CHECK(curve.get("steps")->size() <= 600);
  CHECK(curve.get("steps")->size() == curve.get("values")->size());
  CHECK(page.get("/api/runs/ffffffff").status == 404);
}

TEST_CASE("two runs are compared: flips, and what changed") {
  Page page;
  const auto c = page.get("/api/compare?first=" + page.first + "&second=" + page.second).json();
  CHECK(c.number("rows") == 3);
  CHECK(c.number("only_second") == 1);
  REQUIRE(c.get("flips")->size() == 1);
  CHECK(at(*c.get("flips"), 0).text("input") == "play it");
  REQUIRE(c.get("changed")->size() == 1);
  CHECK(at(*c.get("changed"), 0).text("part") == "prompt");
  CHECK(at(*c.get("changed"), 0).text("after") == "say it: {{ input }}");
}

TEST_CASE("the figures of both sides are of the rows that they share") {
  Page page;
  const auto one_row = page.evaluation("one row", "say {{ input }}", {true});
  const auto c = page.get("/api/compare?first=" + page.first + "&second=" + one_row).json();
  CHECK(c.number("rows") == 1);
  CHECK(c.number("unmatched") == 2);
  const auto* first = c.get("first")->get("report");
  CHECK(first->get("exact_match")->number("total") == 1);
  CHECK(first->get("exact_match")->number("passed") == 0);
  CHECK(at(*first->get("tags"), 0).number("total") == 1);
  CHECK(c.get("second")->get("report")->get("exact_match")->number("passed") == 1);
  CHECK(c.flag("same_rows"));

  const auto none = page.get("/api/compare?first=" + page.first + "&second=" + page.tuning).json();
  CHECK(none.number("rows") == 0);
  CHECK(none.get("first")->get("report")->is_null());
  CHECK_FALSE(none.flag("same_rows"));
}

TEST_CASE("the notebook tells what changed and what it did; prompts have versions") {
  Page page;
  const auto notebook = page.get("/api/notebook").json();
  REQUIRE(notebook.get("entries")->size() == 3);
  const auto& first = at(*notebook.get("entries"), 0);
  CHECK(first.text("against_run").empty());
  const auto& second = at(*notebook.get("entries"), 1);
  CHECK(second.text("against_run") == page.first);
  CHECK(second.get("effect")->number("change") == doctest::Approx(1.0 / 3));
  CHECK(at(*second.get("changed"), 0).text("part") == "prompt");
  CHECK(page.get("/api/notebook?limit=1").json().flag("more"));

  const auto prompts = page.get("/api/prompts").json();
  REQUIRE(prompts.get("prompts")->size() == 1);
  const auto& versions = *at(*prompts.get("prompts"), 0).get("versions");
  REQUIRE(versions.size() == 2);
  CHECK(at(versions, 1).number("number") == 2);
  CHECK(at(*at(versions, 1).get("runs"), 0).number("exact_match") == doctest::Approx(2.0 / 3));
}

TEST_CASE("a trace is a walk of spans from its begin") {
  Page page;
  const std::vector<SpanRecord> spans = {
      {"t1", "a", "", "turn", 1'000'000'000, 1'500'000'000, true, "", {{"input", "play it"}}},
      {"t1", "b", "a", "model.complete", 1'100'000'000, 1'400'000'000, false, "lost", {}}};
  REQUIRE(page.store->put_spans(page.first, spans).ok());
  const auto list = page.get("/api/runs/" + page.first + "/traces").json();
  CHECK(list.number("found") == 1);
  CHECK(at(*list.get("traces"), 0).text("input") == "play it");
  const auto trace = page.get("/api/traces/t1").json();
  CHECK(trace.number("took_ms") == 500);
  CHECK_FALSE(trace.flag("ok"));
  CHECK(at(*trace.get("spans"), 1).number("start_ms") == 100);
  CHECK(at(*trace.get("spans"), 1).text("message") == "lost");
  CHECK(page.get("/api/traces/none").status == 404);
}

TEST_CASE("nothing is written, and every answer is hardened") {
  Page page;
  for (const char* path : {"/api/runs", "/api/notebook", "/api/runs/ffffffff"}) {
    const auto answer = page.get(path);
    const auto* policy = http::find_header(answer.headers, "Content-Security-Policy");
    REQUIRE(policy);
    CHECK(policy->find("default-src 'none'") != std::string::npos);
    CHECK(policy->find("unsafe") == std::string::npos);
    CHECK(*http::find_header(answer.headers, "X-Content-Type-Options") == "nosniff");
    CHECK(*http::find_header(answer.headers, "Content-Type") == "application/json");
  }
  auto posted =
      page.client.send({.method = "POST",
                        .url = "http://127.0.0.1:" + std::to_string(page.port) + "/api/runs",
                        .headers = {{"Content-Type", "application/json"}},
                        .body = "{}"});
  REQUIRE(posted.ok());
  CHECK(posted->status == 405);
}

TEST_CASE("the files are sent once and then by their tag" * doctest::skip(ui_assets().empty())) {
  Page page;
  const auto whole = page.get("/");
  CHECK(whole.status == 200);
  CHECK(*http::find_header(whole.headers, "Content-Encoding") == "gzip");
  CHECK(http::find_header(whole.headers, "Content-Security-Policy") != nullptr);
  const auto tag = *http::find_header(whole.headers, "ETag");
  const auto again = page.get("/", {{"If-None-Match", "\"x\", W/" + tag}});
  CHECK(again.status == 304);
  CHECK(again.body.empty());
  CHECK(page.get("/", {{"If-None-Match", "\"x\""}}).status == 200);
}

TEST_CASE("a server with a token gives the page's files without it, and no data") {
  Fixture f([](ServerSettings& settings) { settings.token = "0123456789abcdef"; });
  CHECK(f.get("/api/runs").status == 401);
  CHECK(f.get("/").status == (ui_assets().empty() ? 401 : 200));
  f.headers.emplace_back("Authorization", "Bearer 0123456789abcdef");
  CHECK(f.get("/api/project").json().text("project") == "house");
}
