#include "serve/trace_log.h"

#include <doctest/doctest.h>

#include <atomic>
#include <mutex>

#include "serve/feedback.h"
#include "store/test_folder.h"

namespace slipway::serve {
namespace {

TEST_CASE("traces that cannot be written are counted and told, and hold nobody up") {
  store::TestFolder folder;
  const auto store = folder.open();
  const std::vector<SpanRecord> two = {{"t1", "a", "", "turn", 1, 2, true, "", {}},
                                       {"t1", "b", "a", "skill.parse", 1, 2, true, "", {}}};
  std::mutex mutex;
  std::vector<std::string> lines;
  std::atomic<bool> more{true};
  TraceLog* log_ptr = nullptr;
  TraceLog log(store, "no such run", [&](const std::string& line) {
    const std::lock_guard lock(mutex);
    lines.push_back(line);
    if (more) log_ptr->put(two);  // something always waits
  });
  log_ptr = &log;
  log.put(two);
  log.flush();
  more = false;
  CHECK(log.lost() >= 2);
  const std::lock_guard lock(mutex);
  CHECK(lines.at(0).starts_with("2 spans of traces are lost: "));
}

TEST_CASE("feedback does not fail for other traces that were lost") {
  store::TestFolder folder;
  Service service;
  service.store = folder.open();
  const auto run = service.store->create_run({.experiment = "house", .kind = "serve"});
  REQUIRE(run.ok());
  service.run_id = run->id;
  service.metrics = std::make_unique<Metrics>(1);
  service.traces = std::make_unique<TraceLog>(service.store, "no such run", nullptr);
  const SpanRecord asked = {"t1", "a", "", "turn", 1, 2, true, "",
                            {{"slipway.example", R"({"id": "r", "input": "i", "output": "o"})"}}};
  REQUIRE(service.store->put_spans(run->id, {asked}).ok());
  service.traces->put({{"t2", "b", "", "turn", 1, 2, true, "", {}}});
  Feedback right;
  right.trace_id = "t1";
  right.correct = true;
  const auto noted = give_feedback(service, right);
  const auto failure = noted.ok() ? "" : noted.error().to_string();
  CHECK_MESSAGE(noted.ok(), failure);
  CHECK(service.traces->lost() == 1);
}

}  // namespace
}  // namespace slipway::serve
