#include "store/store.h"

#include <cmath>
#include <limits>
#include <thread>

#include "base/hash.h"
#include "store/test_folder.h"
#include "store/tracking.h"

namespace slipway::store {
namespace {

json::Value object(std::string_view key, json::Value value) {
  auto out = json::Value::object();
  out.set(key, std::move(value));
  return out;
}

std::string id_of(char last) { return "0123456789abcdef0123456789abcde" + std::string(1, last); }

TEST_CASE("a run comes back as it was written, from another Store too") {
  TestFolder folder;
  Run run;
  {
    auto store = folder.open();
    run = *store->create_run({.experiment = "home",
                              .kind = "eval",
                              .name = "naive",
                              .inputs = object("seed", 7),
                              .environment = object("engine_id", "e1")});
    CHECK(run.id.size() == 32);
    CHECK(run.start_ms > 0);
    REQUIRE(store->log_params(run.id, {{"model", "gemma"}, {"prompt", "p1"}}).ok());
    REQUIRE(store->set_tags(run.id, {{"mood", "good"}}).ok());
    REQUIRE(store->set_tags(run.id, {{"mood", "better"}}).ok());
    REQUIRE(store->finish_run(run.id, RunStatus::failed, "the disk").ok());
  }
  auto store = folder.open();
  const auto back = store->find_run(run.id);
  REQUIRE(back.ok());
  CHECK(back->experiment == "home");
  CHECK(back->name == "naive");
  CHECK(back->status == RunStatus::failed);
  CHECK(back->error == "the disk");
  CHECK(back->end_ms >= back->start_ms);
  CHECK(back->inputs == run.inputs);
  CHECK(back->environment == run.environment);
  CHECK(store->params(run.id)->at("prompt") == "p1");
  CHECK(store->tags(run.id)->at("mood") == "better");
  REQUIRE(store->finish_run(run.id, RunStatus::running).ok());
  CHECK(store->find_run(run.id)->end_ms == 0);
}

TEST_CASE("a run ends as its work did") {
  TestFolder folder;
  auto store = folder.open();
  const std::pair<Status, RunStatus> ends[] = {
      {Status(), RunStatus::finished},
      {Error::cancelled(), RunStatus::killed},
      {Error::unavailable("the disk"), RunStatus::failed}};
  for (const auto& [outcome, expected] : ends) {
    const Run run = new_run(*store);
    REQUIRE(store->end_run(run.id, outcome).ok());
    const auto back = store->find_run(run.id);
    CHECK(back->status == expected);
    CHECK(back->error == (outcome.ok() ? "" : outcome.error().message()));
  }
}

TEST_CASE("a prefix finds one run, and an ambiguous one names the candidates") {
  TestFolder folder;
  auto store = folder.open();
  REQUIRE(store->create_run({.id = id_of('1'), .kind = "eval"}).ok());
  CHECK(store->find_run("0123")->id == id_of('1'));
  CHECK(store->find_run("0123456789ABCDEF")->id == id_of('1'));
  REQUIRE(store->create_run({.id = id_of('2'), .kind = "eval"}).ok());
  const auto ambiguous = store->find_run("0123");
  REQUIRE_FALSE(ambiguous.ok());
  CHECK(ambiguous.error().code() == ErrorCode::invalid_input);
  CHECK(ambiguous.error().hint().find(id_of('2')) != std::string::npos);
  CHECK(store->find_run(id_of('2'))->id == id_of('2'));
  CHECK(store->find_run("012").error().code() == ErrorCode::invalid_input);
  CHECK(store->find_run("ffff").error().code() == ErrorCode::not_found);
  CHECK(store->find_run("naive%").error().code() == ErrorCode::not_found);
}

TEST_CASE("what cannot be a run is refused") {
  TestFolder folder;
  auto store = folder.open();
  const Run run = new_run(*store);
  CHECK(store->create_run({.id = run.id, .kind = "eval"}).error().code() ==
        ErrorCode::already_exists);
  CHECK(store->create_run({.id = "short", .kind = "eval"}).error().code() ==
        ErrorCode::invalid_input);
  CHECK(store->create_run({.name = "no kind"}).error().code() == ErrorCode::invalid_input);
  CHECK(store->create_run({.kind = "eval", .parent_id = id_of('9')}).error().code() ==
        ErrorCode::not_found);
  CHECK(store->create_run({.kind = "eval", .parent_id = run.id}).ok());
  CHECK(store->log_params(id_of('9'), {{"a", "b"}}).error().code() == ErrorCode::not_found);
  CHECK(store->log_metrics(id_of('9'), {{"a", 1}}).error().code() == ErrorCode::not_found);
  CHECK(store->put_cases(id_of('9'), {}).error().code() == ErrorCode::not_found);
  CHECK(store->finish_run(id_of('9'), RunStatus::finished).error().code() == ErrorCode::not_found);
  CHECK(store->set_tags(run.id, {{"", "x"}}).error().code() == ErrorCode::invalid_input);
  CHECK(store->set_tags(run.id, {{"k", std::string((16 << 20) + 1, 'x')}}).error().code() ==
        ErrorCode::exhausted);
  json::Value deep = 1;
  for (int i = 0; i < 129; ++i) deep = json::Value(json::Array{std::move(deep)});
  CHECK(store->create_run({.kind = "eval", .inputs = deep}).error().code() == ErrorCode::exhausted);
}

TEST_CASE("a param is written once, all of a call or none") {
  TestFolder folder;
  auto store = folder.open();
  const Run run = new_run(*store);
  REQUIRE(store->log_params(run.id, {{"seed", "1"}}).ok());
  CHECK(store->log_params(run.id, {{"seed", "1"}}).ok());
  CHECK(store->log_params(run.id, {{"new", "x"}, {"seed", "2"}}).error().code() ==
        ErrorCode::invalid_input);
  CHECK(*store->params(run.id) == std::map<std::string, std::string>{{"seed", "1"}});
}

TEST_CASE("runs are listed newest first, by experiment, kind and status") {
  TestFolder folder;
  auto store = folder.open();
  for (int i = 0; i < 6; ++i) {
    Run run{.experiment = i % 2 ? "odd" : "even",
            .kind = i < 3 ? "eval" : "tune",
            .name = std::to_string(i),
            .start_ms = 100 + i / 2};
    REQUIRE(store->create_run(run).ok());
  }
  const auto names = [&](const RunQuery& query) {
    std::string out;
    const auto runs = store->list_runs(query);
    REQUIRE(runs.ok());
    for (const auto& run : *runs) out += run.name;
    return out;
  };
  CHECK(names({}) == "543210");
  CHECK(names({.experiment = "odd"}) == "531");
  CHECK(names({.experiment = "odd", .kind = "tune"}) == "53");
  CHECK(names({.status = RunStatus::finished}) == "");
  CHECK(names({.status = RunStatus::running, .limit = 2, .offset = 1}) == "43");
  CHECK(store->list_runs({.limit = 0}).error().code() == ErrorCode::invalid_input);
  const auto parent = store->list_runs({.limit = 1})->front().id;
  REQUIRE(store->create_run({.kind = "eval", .name = "child", .parent_id = parent}).ok());
  CHECK(names({.parent_id = parent}) == "child");
  CHECK(names({.kind = "tune", .parent_id = parent}) == "");
}

TEST_CASE("all runs, oldest first, those of one moment in their order; not the deleted") {
  TestFolder folder;
  auto store = folder.open();
  std::string deleted;
  for (const int start : {7, 5, 9, 5}) {
    const auto run = store->create_run(
        {.kind = "eval", .name = std::to_string(start), .start_ms = start, .user = "ada"});
    REQUIRE(run.ok());
    if (start == 9) deleted = run->id;
  }
  REQUIRE(Tracking(*store).delete_run(deleted).ok());
  const auto runs = store->all_runs();
  REQUIRE(runs.ok());
  REQUIRE(runs->size() == 3);
  CHECK(runs->at(0).name == "5");
  CHECK(runs->at(1).name == "5");
  CHECK(runs->at(2).name == "7");
  CHECK(runs->at(2).user == "ada");
}

TEST_CASE("metrics: NaN and infinities survive, a retry is the same write, the latest step wins") {
  TestFolder folder;
  auto store = folder.open();
  const Run run = new_run(*store);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  const std::vector<Metric> batch = {
      {"loss", 2.5, 0, 1000}, {"loss", nan, 1, 1001}, {"rate", -infinity, 0, 1000}};
  REQUIRE(store->log_metrics(run.id, batch).ok());
  REQUIRE(store->log_metrics(run.id, batch).ok());
  REQUIRE(store->log_metrics(run.id, {{"loss", 2.5, 0, 1000}}).ok());  // packed otherwise
  auto latest = store->latest_metrics(run.id);
  REQUIRE(latest.ok());
  CHECK(std::isnan(latest->at("loss")));
  CHECK(latest->at("rate") == -infinity);
  auto history = store->metric_history(run.id, "loss");
  REQUIRE(history.ok());
  REQUIRE(history->size() == 2);
  CHECK((*history)[0].value == 2.5);
  CHECK(std::isnan((*history)[1].value));
  CHECK((*history)[1].unix_ms == 1001);
  REQUIRE(store->log_metrics(run.id, {{"loss", 0.5, 9, 2000}}).ok());
  REQUIRE(store->log_metrics(run.id, {{"loss", 9.9, 3, 3000}}).ok());  // an earlier step, late
  CHECK(store->latest_metrics(run.id)->at("loss") == 0.5);
  CHECK(store->metric_history(run.id, "loss")->size() == 4);
  CHECK(store->metric_history(run.id, "none")->empty());
  CHECK(store->verify()->empty());
}

TEST_CASE("metrics: more points than one chunk holds") {
  TestFolder folder;
  auto store = folder.open();
  const Run run = new_run(*store);
  std::vector<Metric> points;
  for (int64_t step = 9999; step >= 0; --step)
    points.push_back({"loss", static_cast<double>(step), step, 5});
  REQUIRE(store->log_metrics(run.id, points).ok());
  const auto history = store->metric_history(run.id, "loss");
  REQUIRE(history->size() == 10'000);
  CHECK(history->back().value == 9999);
  CHECK(store->latest_metrics(run.id)->at("loss") == 9999);
}

TEST_CASE("eight threads log and read at once; nothing is lost") {
  TestFolder folder;
  auto store = folder.open();
  const Run run = new_run(*store);
  constexpr int threads = 8;
  constexpr int writes = 25;
  std::vector<std::string> failures(threads);
  {
    std::vector<std::jthread> workers;
    for (int t = 0; t < threads; ++t) {
      workers.emplace_back([&, t] {
        const std::string key = "k" + std::to_string(t);
        for (int64_t i = 0; i < writes; ++i) {
          const Status done = store->log_metrics(
              run.id, {{key, 1.0 * t, i, 7}, {"shared", 1.0 * t, t * writes + i, 7}});
          if (!done.ok()) failures[t] = done.error().to_string();
          // One's own writes are visible at once.
          const auto own = store->metric_history(run.id, key);
          if (!own.ok() || own->size() != static_cast<size_t>(i + 1)) failures[t] = "read " + key;
        }
      });
    }
  }
  for (const auto& failure : failures) CHECK(failure == "");
  CHECK(store->metric_history(run.id, "shared")->size() == threads * writes);
  CHECK(store->latest_metrics(run.id)->size() == threads + 1);
}

TEST_CASE("cases: the first result of an index stands, and all of it comes back") {
  TestFolder folder;
  auto store = folder.open();
  const Run run = new_run(*store);
  const std::string output("none()\0\xFF\n", 9);  // a model may say anything
  REQUIRE(store
              ->put_cases(run.id, {{3, "id3", true, output, 12.5, false, object("valid", true)},
                                   {1, "id1"}})
              .ok());
  REQUIRE(store
              ->put_cases(run.id,
                          {{3, "other", false, "other"}, {2, "id2", false, "", std::nan(""), true}})
              .ok());
  const auto cases = store->cases(run.id);
  REQUIRE(cases->size() == 3);
  CHECK((*cases)[0].example_id == "id1");
  CHECK(std::isnan((*cases)[1].latency_ms));
  CHECK((*cases)[1].cached);
  const Case& third = (*cases)[2];
  CHECK(third.index == 3);
  CHECK(third.passed);
  CHECK(third.output == output);
  CHECK(third.latency_ms == 12.5);
  CHECK(third.detail == object("valid", true));
  const auto outcomes = store->outcomes(run.id);
  REQUIRE(outcomes->size() == 3);
  CHECK((*outcomes)[0].example_id == "id1");
  CHECK_FALSE((*outcomes)[0].passed);
  CHECK((*outcomes)[2].passed);
  CHECK(store->put_cases(run.id, {{-1, "x"}}).error().code() == ErrorCode::invalid_input);
}

TEST_CASE("entities: named by hash, the newest of a name, ambiguity") {
  TestFolder folder;
  auto store = folder.open();
  auto first = store->put_entity("prompt", "chat", object("source", "a"));
  REQUIRE(first.ok());
  CHECK(first->id == sha256_hex(R"({"source":"a"})"));
  const auto second = store->put_entity("prompt", "chat", object("source", "b"));
  CHECK(store->find_entity("prompt", "chat")->id == second->id);
  CHECK(store->find_entity("prompt", first->id.substr(0, 8))->content == object("source", "a"));
  // Back to the first.
  const auto again = store->put_entity("prompt", "chat", object("source", "a"));
  CHECK(again->created_ms == first->created_ms);
  CHECK(store->find_entity("prompt", "chat")->id == first->id);
  CHECK(store->list_entities("prompt")->size() == 2);
  CHECK(store->list_entities("prompt")->front().id == first->id);
  CHECK(store->find_entity("dataset", "chat").error().code() == ErrorCode::not_found);
  const auto missing = store->find_entity("prompt", "chta");
  CHECK(missing.error().hint().find("chat") != std::string::npos);
  CHECK(store->find_entity("prompt", "0000").error().code() == ErrorCode::not_found);
  CHECK(store->verify()->empty());
}

TEST_CASE("answers: remembered by key, the first stands") {
  TestFolder folder;
  auto store = folder.open();
  CHECK_FALSE(store->cached_answer("k")->has_value());
  REQUIRE(store->put_answers({{"k", object("text", "none()")}, {"l", 1.5}}).ok());
  REQUIRE(store->put_answers({{"k", object("text", "other")}}).ok());
  CHECK(**store->cached_answer("k") == object("text", "none()"));
  CHECK((*store->cached_answer("l"))->as_number() == 1.5);
}

SpanRecord span(const std::string& trace, const std::string& id, const std::string& parent,
                int64_t start) {
  return {trace, id, parent, "n-" + id, start, start + 5, true, "", {{"tokens", int64_t{3}}}};
}

TEST_CASE("spans: traces in pieces, by run, each span once") {
  TestFolder folder;
  auto store = folder.open();
  const Run run = new_run(*store);
  const std::vector<SpanRecord> batch = {span("t1", "a2", "a1", 20), span("t2", "b1", "", 5)};
  REQUIRE(store->put_spans(run.id, batch).ok());
  REQUIRE(store->put_spans(run.id, batch).ok());
  REQUIRE(store->put_spans(run.id, {span("t1", "a1", "", 10), span("t1", "a2", "a1", 20)}).ok());
  REQUIRE(store->put_spans("", {span("t3", "c1", "", 1)}).ok());
  const auto trace = store->trace("t1");
  REQUIRE(trace->size() == 2);
  CHECK((*trace)[0].span_id == "a1");
  CHECK((*trace)[1].attributes == batch[0].attributes);
  CHECK(*store->traces_of_run(run.id) == std::vector<std::string>{"t2", "t1"});
  CHECK(*store->count_traces(run.id) == 2);
  CHECK(*store->count_traces("none") == 0);
  REQUIRE(store->put_spans(run.id, {span("t2", "b2", "b1", 30)}).ok());  // it began before t1
  CHECK(*store->count_traces(run.id) == 2);
  CHECK(*store->newest_traces(run.id, 10) == std::vector<std::string>{"t1", "t2"});
  CHECK(*store->newest_traces(run.id, 1) == std::vector<std::string>{"t1"});
  CHECK(*store->newest_traces(run.id, 1, 1) == std::vector<std::string>{"t2"});
  CHECK(store->newest_traces(run.id, 1, 2)->empty());
  CHECK(store->trace("t3")->size() == 1);
  CHECK(store->trace("t4").error().code() == ErrorCode::not_found);
  CHECK(store->put_spans(run.id, {span("", "x", "", 0)}).error().code() ==
        ErrorCode::invalid_input);
  CHECK(store->verify()->empty());
}

TEST_CASE("spans: more than one chunk holds") {
  TestFolder folder;
  auto store = folder.open();
  std::vector<SpanRecord> spans;
  for (int64_t i = 0; i < 1200; ++i) spans.push_back(span("t", std::to_string(i), i ? "0" : "", i));
  REQUIRE(store->put_spans("", spans).ok());
  const auto trace = store->trace("t");
  REQUIRE(trace->size() == 1200);
  CHECK(trace->back().span_id == "1199");
}

}  // namespace
}  // namespace slipway::store
