// Server-sent events (the WHATWG HTML standard, section 9.2), read as bytes arrive and written.
//
//     http::SseParser parser;
//     parser.feed(bytes, [](const http::SseEvent& e) { return use(e.data); });
//     response.next = [&] { return http::format_sse({.data = R"({"token": "hi"})"}); };
//
// A parser belongs to one stream and one thread. Errors: exhausted, when one event outgrows the
// limit. An event that the end of the stream cuts off is dropped, as the standard says.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace slipway::http {

struct SseEvent {
  std::string event;  // empty means "message"
  std::string data;   // lines joined by '\n'
  std::string id;     // of this event only

  friend bool operator==(const SseEvent&, const SseEvent&) = default;
};

class SseParser {
 public:
  explicit SseParser(size_t max_event_bytes = 4 << 20) : max_event_bytes_(max_event_bytes) {}
  // Calls `on_event` for each event completed by `bytes`; returns early when it returns false.
  Status feed(std::string_view bytes, const std::function<bool(const SseEvent&)>& on_event);

 private:
  // True when the line completes an event that carries data.
  bool take_line();

  size_t max_event_bytes_;
  std::string line_;
  SseEvent event_;
  bool has_data_ = false;
  bool after_carriage_return_ = false;
  bool first_line_ = true;
};

// "event: ...\nid: ...\ndata: ...\n\n". Every line end inside data becomes '\n' for the reader;
// line ends in event and id are dropped.
std::string format_sse(const SseEvent& event);

}  // namespace slipway::http
