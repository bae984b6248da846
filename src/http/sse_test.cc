#include "http/sse.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <vector>

using namespace slipway;
using http::SseEvent;

namespace {

std::vector<SseEvent> read(const std::vector<std::string>& pieces) {
  std::vector<SseEvent> events;
  http::SseParser parser;
  for (const auto& piece : pieces) {
    const auto status = parser.feed(piece, [&](const SseEvent& event) {
      events.push_back(event);
      return true;
    });
    REQUIRE(status.ok());
  }
  return events;
}

}  // namespace

TEST_CASE("sse: the standard's forms") {
  const auto events = read({"\xEF\xBB\xBF: comment\n\ndata: a\ndata:b\ndata\n\n"
                            "event: no data, no event\rid: 7\r\rdata:  two\r\n\r\n"
                            "retry: 5\nunknown: x\ndata: [DONE]\n\ndata: cut off\n"});
  REQUIRE(events.size() == 3);
  CHECK(events[0].data == "a\nb\n");
  CHECK(events[1] == SseEvent{.event = "", .data = " two", .id = ""});
  CHECK(events[2].data == "[DONE]");
}

TEST_CASE("sse: split at every byte, the events are the same") {
  const std::string text =
      "event: delta\r\nid: 1\r\ndata: {\"a\":\r\ndata: 1}\r\n\r\n: ping\n\n"
      "data: \xC3\xA9\n\ndata:x\r\r";
  const auto whole = read({text});
  REQUIRE(whole.size() == 3);
  CHECK(whole[0] == SseEvent{.event = "delta", .data = "{\"a\":\n1}", .id = "1"});
  for (size_t i = 0; i <= text.size(); ++i) {
    CAPTURE(i);
    CHECK(read({text.substr(0, i), text.substr(i)}) == whole);
  }
  std::vector<std::string> bytes;
  for (const char c : text) bytes.emplace_back(1, c);
  CHECK(read(bytes) == whole);
}

TEST_CASE("sse: the consumer can stop") {
  int seen = 0;
  http::SseParser parser;
  CHECK(parser.feed("data: 1\n\ndata: 2\n\n", [&](const SseEvent&) { return ++seen < 1; }).ok());
  CHECK(seen == 1);
}

TEST_CASE("sse: an endless event is refused") {
  const auto ignore = [](const SseEvent&) { return true; };
  http::SseParser line(100);
  CHECK(line.feed("data: " + std::string(94, 'x'), ignore).ok());
  const auto status = line.feed("x", ignore);
  REQUIRE_FALSE(status.ok());
  CHECK(status.error().code() == ErrorCode::exhausted);

  http::SseParser lines(100);
  std::string many;
  for (int i = 0; i < 50; ++i) many += "data: xxxx\n";
  CHECK_FALSE(lines.feed(many, ignore).ok());

  http::SseParser empty_lines(100);  // even lines without text grow the data
  std::string nothing;
  for (int i = 0; i < 200; ++i) nothing += "data\n";
  CHECK_FALSE(empty_lines.feed(nothing, ignore).ok());
}

TEST_CASE("sse: what is written is read again") {
  CHECK(http::format_sse({.event = "x\ny", .data = "a\r\nb\rc\nd", .id = "3"}) ==
        "event: xy\nid: 3\ndata: a\ndata: b\ndata: c\ndata: d\n\n");
  CHECK(rc::check([](std::string data, const std::vector<uint8_t>& cuts) {
    std::replace(data.begin(), data.end(), '\r', '\n');
    const std::string text = http::format_sse({.data = data}) + http::format_sse({.data = "end"});
    std::vector<std::string> pieces;
    size_t at = 0;
    for (const uint8_t cut : cuts) {
      const size_t length = std::min<size_t>(cut % 16, text.size() - at);
      pieces.push_back(text.substr(at, length));
      at += length;
    }
    pieces.push_back(text.substr(at));
    const auto events = read(pieces);
    RC_ASSERT(events.size() == 2u);
    RC_ASSERT(events[0].data == data);
    RC_ASSERT(events[1].data == "end");
  }));
}
