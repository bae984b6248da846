#include "base/tracer.h"

#include <algorithm>

#include "base/clock.h"
#include "base/ids.h"

namespace slipway {

std::string SpanRecord::text(std::string_view key) const {
  for (const auto& [name, value] : attributes) {
    const auto* found = std::get_if<std::string>(&value);
    if (name == key && found) return *found;
  }
  return {};
}

Span::Span(const Tracer* tracer, SpanRecord record) : tracer_(tracer), record_(std::move(record)) {}

Span::Span(Span&& other) noexcept
    : tracer_(std::exchange(other.tracer_, nullptr)), record_(std::move(other.record_)) {}

Span::~Span() { end(); }

void Span::set(std::string key, AttributeValue value) {
  if (!tracer_) return;
  for (auto& [name, old] : record_.attributes) {
    if (name == key) {
      old = std::move(value);
      return;
    }
  }
  record_.attributes.emplace_back(std::move(key), std::move(value));
}

void Span::fail(std::string message) {
  record_.ok = false;
  record_.status_message = std::move(message);
}

void Span::end() {
  const Tracer* tracer = std::exchange(tracer_, nullptr);
  if (!tracer) return;
  record_.end_unix_ns = std::max(now_unix_ns(), record_.start_unix_ns);  // the wall clock may step
  tracer->sink_(record_);  // a copy: id() stays good for children that end later
}

Tracer::Tracer(std::string trace_id, Sink sink)
    : trace_id_(std::move(trace_id)), sink_(std::move(sink)) {}

Span Tracer::span(std::string name, const Span* parent) const {
  if (!sink_) return Span(nullptr, {});
  SpanRecord record;
  record.trace_id = trace_id_;
  record.span_id = new_span_id();
  if (parent) record.parent_span_id = parent->id();
  record.name = std::move(name);
  record.start_unix_ns = now_unix_ns();
  return Span(this, std::move(record));
}

}  // namespace slipway
