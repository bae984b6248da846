#include "http/sse.h"

#include <utility>

namespace slipway::http {

namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

void add_field(std::string& out, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  out.append(name).append(": ");
  for (const char c : value) {
    if (c != '\r' && c != '\n' && c != '\0') out += c;
  }
  out += '\n';
}

}  // namespace

Status SseParser::feed(std::string_view bytes,
                       const std::function<bool(const SseEvent&)>& on_event) {
  for (const char c : bytes) {
    const bool second_half = c == '\n' && std::exchange(after_carriage_return_, false);
    if (second_half) continue;
    after_carriage_return_ = c == '\r';
    if (c != '\r' && c != '\n') {
      if (line_.size() + event_.data.size() >= max_event_bytes_) {
        return Error::exhausted("a server-sent event is longer than " +
                                    std::to_string(max_event_bytes_) + " bytes",
                                "is this endpoint really an event stream?");
      }
      line_ += c;
      continue;
    }
    if (!take_line()) continue;
    const SseEvent done = std::exchange(event_, {});
    if (!on_event(done)) break;
  }
  return Status::success();
}

bool SseParser::take_line() {
  std::string line = std::exchange(line_, {});
  if (std::exchange(first_line_, false) && line.starts_with(kByteOrderMark)) {
    line.erase(0, kByteOrderMark.size());
  }
  if (line.empty()) {
    if (std::exchange(has_data_, false)) return true;
    event_ = {};
    return false;
  }
  const size_t colon = line.find(':');
  const std::string_view all = line;
  const std::string_view name = all.substr(0, colon);
  std::string_view value = colon == std::string::npos ? "" : all.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (name == "data") {
    if (std::exchange(has_data_, true)) event_.data += '\n';
    event_.data += value;
  } else if (name == "event") {
    event_.event = value;
  } else if (name == "id" && value.find('\0') == std::string_view::npos) {
    event_.id = value;
  }
  return false;
}

std::string format_sse(const SseEvent& event) {
  std::string out;
  out.reserve(event.data.size() + 16);
  add_field(out, "event", event.event);
  add_field(out, "id", event.id);
  out += "data: ";
  for (size_t i = 0; i < event.data.size(); ++i) {
    const char c = event.data[i];
    if (c == '\r' && i + 1 < event.data.size() && event.data[i + 1] == '\n') continue;
    if (c == '\r' || c == '\n') {
      out += "\ndata: ";
    } else {
      out += c;
    }
  }
  return out += "\n\n";
}

}  // namespace slipway::http
