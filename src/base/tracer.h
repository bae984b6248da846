// The Tracer seam: any layer opens spans; who records them (the store, a test, nobody) is not its
// business.
//
//     auto span = tracer.span("skill.dispatch", parent);
//     span.set("http.status", 200);
//     // ends when it goes out of scope
//
// A Tracer is thread-safe and outlives its spans; a Span belongs to one thread. A default Tracer's
// spans have no id and cost nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace slipway {

using AttributeValue = std::variant<std::string, int64_t, double, bool>;

struct SpanRecord {
  std::string trace_id;
  std::string span_id;
  std::string parent_span_id;  // empty: the root
  std::string name;
  int64_t start_unix_ns = 0;
  int64_t end_unix_ns = 0;
  bool ok = true;
  std::string status_message;
  std::vector<std::pair<std::string, AttributeValue>> attributes;
  std::string text(std::string_view key) const;  // of an attribute that is text; else empty
};

class Tracer;

class Span {
 public:
  Span(Span&& other) noexcept;
  Span& operator=(Span&&) = delete;
  ~Span();
  void set(std::string key, AttributeValue value);
  void fail(std::string message);
  void end();  // idempotent
  const std::string& id() const { return record_.span_id; }
  const std::string& trace_id() const { return record_.trace_id; }

 private:
  friend class Tracer;
  Span(const Tracer* tracer, SpanRecord record);
  const Tracer* tracer_;
  SpanRecord record_;
};

class Tracer {
 public:
  // Called once per ended span, from the span's thread; must not throw.
  using Sink = std::function<void(SpanRecord)>;
  Tracer() = default;  // records nothing
  Tracer(std::string trace_id, Sink sink);
  Span span(std::string name, const Span* parent = nullptr) const;
  const std::string& trace_id() const { return trace_id_; }

 private:
  friend class Span;
  std::string trace_id_;
  Sink sink_;
};

}  // namespace slipway
