#include "base/tracer.h"

#include <doctest/doctest.h>

using namespace slipway;

TEST_CASE("tracer: spans are recorded once, at their end, with parent and attributes") {
  std::vector<SpanRecord> records;
  const Tracer tracer("trace", [&](SpanRecord record) { records.push_back(std::move(record)); });
  std::string root_id;
  {
    Span root = tracer.span("root");
    root_id = root.id();
    Span moved = std::move(root);
    Span child = tracer.span("child", &moved);
    child.set("n", int64_t{1});
    child.set("n", int64_t{2});
    child.set("s", std::string("x"));
    child.fail("broke");
    child.end();
    child.end();
    child.set("late", true);
    CHECK(child.id().size() == 16);
    CHECK(records.size() == 1);
  }
  REQUIRE(records.size() == 2);
  CHECK(records[0].name == "child");
  CHECK(records[0].trace_id == "trace");
  CHECK(records[0].parent_span_id == root_id);
  CHECK_FALSE(records[0].ok);
  CHECK(records[0].status_message == "broke");
  REQUIRE(records[0].attributes.size() == 2);
  CHECK(std::get<int64_t>(records[0].attributes[0].second) == 2);
  CHECK(records[1].parent_span_id.empty());
  CHECK(records[1].ok);
  CHECK(records[1].start_unix_ns <= records[0].start_unix_ns);
  CHECK(records[1].end_unix_ns >= records[1].start_unix_ns);
}

TEST_CASE("tracer: the default one records nothing and is safe to use") {
  const Tracer tracer;
  Span span = tracer.span("x");
  Span child = tracer.span("y", &span);
  child.set("a", 1.5);
  child.fail("no");
  child.end();
  CHECK(span.id().empty());
}
