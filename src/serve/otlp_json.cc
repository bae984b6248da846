#include <charconv>
#include <limits>

#include "base/text.h"
#include "serve/otlp_span.h"

namespace slipway::serve {
namespace {

constexpr size_t most_values = 8 * most_otlp_elements;  // an attribute is four of them

// About how many values a JSON text holds, before each takes the memory of a json::Value.
size_t values_in(std::string_view text) {
  size_t values = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') quoted = !quoted;
    if (quoted && c == '\\') ++i;
    values += !quoted && (c == ',' || c == '{' || c == '[');
  }
  return values;
}

// Counts the list's elements; with too many it is empty, as all that follow are.
const json::Array& list_of(const json::Value& value, std::string_view key, size_t& elements) {
  static const json::Array none;
  const auto* list = value.get(key);
  if (list == nullptr || !list->is_array()) return none;
  elements += list->size();
  return elements <= most_otlp_elements ? list->as_array() : none;
}

// 64-bit integers are texts in protobuf's JSON; numbers are taken too.
int64_t integer_of(const json::Value* value) {
  if (value == nullptr) return 0;
  if (value->is_number()) {
    const double number = value->as_number();
    if (value->is_integer()) return value->as_integer();
    return number > 0 && number < 9e18 ? static_cast<int64_t>(number) : 0;
  }
  int64_t number = 0;
  if (value->is_string()) {
    const auto& text = value->as_string();
    std::from_chars(text.data(), text.data() + text.size(), number);
  }
  return number;
}

double double_of(const json::Value& value) {
  if (value.is_number()) return value.as_number();
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const auto text = value.is_string() ? value.as_string() : std::string();
  if (text == "Infinity") return infinity;
  return text == "-Infinity" ? -infinity : std::numeric_limits<double>::quiet_NaN();
}

// The parser bounds how deep this goes.
json::Value any_value(const json::Value& any, size_t& elements) {
  if (const auto* text = any.get("stringValue")) return *text;
  if (const auto* flag = any.get("boolValue")) return *flag;
  if (const auto* number = any.get("intValue")) return integer_of(number);
  if (const auto* number = any.get("doubleValue")) return double_of(*number);
  if (const auto* bytes = any.get("bytesValue")) return *bytes;
  if (const auto* list = any.get("arrayValue")) {
    auto out = json::Value::array();
    for (const auto& item : list_of(*list, "values", elements))
      out.push_back(any_value(item, elements));
    return out;
  }
  if (const auto* map = any.get("kvlistValue")) {
    json::Object members;
    for (const auto& item : list_of(*map, "values", elements)) {
      const auto* value = item.get("value");
      members.emplace_back(item.text("key"), value ? any_value(*value, elements) : json::Value());
    }
    return object_of(std::move(members));
  }
  return {};
}

Attributes attributes_of(const json::Value& owner, const std::string& prefix, size_t& elements) {
  Attributes attributes;
  for (const auto& item : list_of(owner, "attributes", elements)) {
    const auto* value = item.get("value");
    attributes.emplace_back(prefix + item.text("key"),
                            attribute_value(value ? any_value(*value, elements) : json::Value()));
  }
  return attributes;
}

int kind_of(const json::Value* kind) {
  if (kind == nullptr || !kind->is_string()) return static_cast<int>(integer_of(kind));
  constexpr std::string_view names[] = {"SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL",
                                        "SPAN_KIND_SERVER",      "SPAN_KIND_CLIENT",
                                        "SPAN_KIND_PRODUCER",    "SPAN_KIND_CONSUMER"};
  for (int i = 0; i < 6; ++i) {
    if (kind->as_string() == names[i]) return i;
  }
  return 0;
}

OtlpSpan span_of(const json::Value& item, size_t& elements) {
  OtlpSpan span;
  auto& record = span.record;
  record.trace_id = to_lower(item.text("traceId"));
  record.span_id = to_lower(item.text("spanId"));
  record.parent_span_id = to_lower(item.text("parentSpanId"));
  record.name = item.text("name");
  record.start_unix_ns = integer_of(item.get("startTimeUnixNano"));
  record.end_unix_ns = integer_of(item.get("endTimeUnixNano"));
  record.attributes = attributes_of(item, "", elements);
  span.kind = kind_of(item.get("kind"));
  span.trace_state = item.text("traceState");
  if (const auto* status = item.get("status")) {
    record.status_message = status->text("message");
    record.ok = integer_of(status->get("code")) != 2 && status->text("code") != "STATUS_CODE_ERROR";
  }
  for (const auto& given : list_of(item, "events", elements)) {
    auto event = json::Value::object();
    event.set("time_unix_ns", integer_of(given.get("timeUnixNano")))
        .set("name", given.text("name"))
        .set("attributes", attributes_json(attributes_of(given, "", elements)));
    span.events.push_back(std::move(event));
  }
  for (const auto& given : list_of(item, "links", elements)) {
    auto link = json::Value::object();
    link.set("trace_id", to_lower(given.text("traceId")))
        .set("span_id", to_lower(given.text("spanId")))
        .set("attributes", attributes_json(attributes_of(given, "", elements)));
    span.links.push_back(std::move(link));
  }
  return span;
}

void read_resource_spans(const json::Value& resource_spans, OtlpBatch& batch) {
  auto& elements = batch.elements;
  const auto* resource = resource_spans.get("resource");
  Shared shared(resource ? attributes_of(*resource, "resource.", elements) : Attributes());
  for (const auto& scope_spans : list_of(resource_spans, "scopeSpans", elements)) {
    const auto* scope = scope_spans.get("scope");
    shared.enter_scope(scope ? scope->text("name") : "", scope ? scope->text("version") : "");
    for (const auto& item : list_of(scope_spans, "spans", elements))
      span_of(item, elements).finish(shared, batch);
  }
}

}  // namespace

Result<OtlpBatch> decode_otlp_json(std::string_view body) {
  if (values_in(body) > most_values) return too_many_elements();
  SLIPWAY_TRY(request, json::parse(body));
  if (!request.is_object()) return Error::invalid_input("the body is no JSON object");
  OtlpBatch batch;
  for (const auto& resource_spans : list_of(request, "resourceSpans", batch.elements))
    read_resource_spans(resource_spans, batch);
  if (batch.elements > most_otlp_elements) return too_many_elements();
  return batch;
}

}  // namespace slipway::serve
