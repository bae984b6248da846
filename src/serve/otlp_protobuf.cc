#include <exception>
#include <protozero/pbf_reader.hpp>
#include <string>

#include "serve/otlp_span.h"

namespace slipway::serve {
namespace {

// A field of another wire type than its number stands for is skipped, as protobuf's own parsers do;
// protozero only asserts it. With too many elements all messages are at their end.
class Message {
 public:
  Message(protozero::data_view bytes, size_t& elements) : reader_(bytes), elements_(&elements) {}

  bool next() { return *elements_ <= most_otlp_elements && reader_.next(); }
  bool next(uint32_t tag) { return *elements_ <= most_otlp_elements && reader_.next(tag); }
  uint32_t tag() const { return reader_.tag(); }
  void skip() { reader_.skip(); }
  protozero::data_view bytes() { return get(Wire::length_delimited, &Reader::get_view); }
  std::string text() { return get(Wire::length_delimited, &Reader::get_string); }
  Message message() { return Message(bytes(), *elements_); }
  Message element() {  // one of many
    ++*elements_;
    return message();
  }
  bool boolean() { return get(Wire::varint, &Reader::get_bool); }
  int32_t int32() { return get(Wire::varint, &Reader::get_int32); }
  int64_t int64() { return get(Wire::varint, &Reader::get_int64); }
  int64_t fixed64() { return static_cast<int64_t>(get(Wire::fixed64, &Reader::get_fixed64)); }
  double real() { return get(Wire::fixed64, &Reader::get_double); }

 private:
  using Reader = protozero::pbf_reader;
  using Wire = protozero::pbf_wire_type;

  template <typename T>
  T get(Wire type, T (Reader::*read)()) {
    if (reader_.has_wire_type(type)) return (reader_.*read)();
    reader_.skip();
    return {};
  }

  Reader reader_;
  size_t* elements_;
};

constexpr int most_depth = 32;  // of lists and maps in an attribute

std::string hex_of(protozero::data_view bytes) {
  std::string text;
  for (size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes.data()[i]);
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

json::Value any_value(Message message, int depth);

void key_value(Message message, int depth, std::string& key, json::Value& value) {
  while (message.next()) {
    if (message.tag() == 1) {
      key = message.text();
    } else if (message.tag() == 2) {
      value = any_value(message.message(), depth);
    } else {
      message.skip();
    }
  }
}

// ArrayValue and KeyValueList both have their elements in field 1.
json::Value compound(Message message, bool is_map, int depth) {
  auto list = json::Value::array();
  json::Object members;
  while (depth < most_depth && message.next(1)) {
    if (!is_map) {
      list.push_back(any_value(message.element(), depth + 1));
      continue;
    }
    std::string key;
    json::Value value;
    key_value(message.element(), depth + 1, key, value);
    members.emplace_back(std::move(key), std::move(value));
  }
  if (is_map) return object_of(std::move(members));
  return list;
}

json::Value any_value(Message message, int depth) {
  json::Value value;
  while (message.next()) {
    switch (message.tag()) {
      case 1:
        value = message.text();
        break;
      case 2:
        value = message.boolean();
        break;
      case 3:
        value = message.int64();
        break;
      case 4:
        value = message.real();
        break;
      case 5:
        value = compound(message.message(), false, depth);
        break;
      case 6:
        value = compound(message.message(), true, depth);
        break;
      case 7:
        value = hex_of(message.bytes());
        break;
      default:
        message.skip();
    }
  }
  return value;
}

void add_attribute(Message message, const std::string& prefix, Attributes& attributes) {
  std::string key;
  json::Value value;
  key_value(message, 0, key, value);
  attributes.emplace_back(prefix + key, attribute_value(value));
}

json::Value event_of(Message message) {
  auto event = json::Value::object();
  Attributes attributes;
  while (message.next()) {
    switch (message.tag()) {
      case 1:
        event.set("time_unix_ns", message.fixed64());
        break;
      case 2:
        event.set("name", message.text());
        break;
      case 3:
        add_attribute(message.element(), "", attributes);
        break;
      default:
        message.skip();
    }
  }
  event.set("attributes", attributes_json(attributes));
  return event;
}

json::Value link_of(Message message) {
  auto link = json::Value::object();
  Attributes attributes;
  while (message.next()) {
    switch (message.tag()) {
      case 1:
        link.set("trace_id", hex_of(message.bytes()));
        break;
      case 2:
        link.set("span_id", hex_of(message.bytes()));
        break;
      case 4:
        add_attribute(message.element(), "", attributes);
        break;
      default:
        message.skip();
    }
  }
  link.set("attributes", attributes_json(attributes));
  return link;
}

void read_status(Message message, SpanRecord& record) {
  while (message.next()) {
    if (message.tag() == 2) {
      record.status_message = message.text();
    } else if (message.tag() == 3) {
      record.ok = message.int32() != 2;  // STATUS_CODE_ERROR
    } else {
      message.skip();
    }
  }
}

OtlpSpan span_of(Message message) {
  OtlpSpan span;
  auto& record = span.record;
  while (message.next()) {
    switch (message.tag()) {
      case 1:
        record.trace_id = hex_of(message.bytes());
        break;
      case 2:
        record.span_id = hex_of(message.bytes());
        break;
      case 3:
        span.trace_state = message.text();
        break;
      case 4:
        record.parent_span_id = hex_of(message.bytes());
        break;
      case 5:
        record.name = message.text();
        break;
      case 6:
        span.kind = message.int32();
        break;
      case 7:
        record.start_unix_ns = message.fixed64();
        break;
      case 8:
        record.end_unix_ns = message.fixed64();
        break;
      case 9:
        add_attribute(message.element(), "", record.attributes);
        break;
      case 11:
        span.events.push_back(event_of(message.element()));
        break;
      case 13:
        span.links.push_back(link_of(message.element()));
        break;
      case 15:
        read_status(message.message(), record);
        break;
      default:
        message.skip();
    }
  }
  return span;
}

void read_scope(Message message, std::string& name, std::string& version) {
  while (message.next()) {
    if (message.tag() == 1) {
      name = message.text();
    } else if (message.tag() == 2) {
      version = message.text();
    } else {
      message.skip();
    }
  }
}

void read_resource_spans(Message message, OtlpBatch& batch) {
  Attributes resource;
  for (Message look = message; look.next(1);) {
    for (Message body = look.message(); body.next(1);)
      add_attribute(body.element(), "resource.", resource);
  }
  Shared shared(std::move(resource));
  while (message.next(2)) {
    const Message scope_spans = message.element();
    std::string name, version;
    for (Message look = scope_spans; look.next(1);) read_scope(look.message(), name, version);
    shared.enter_scope(name, version);
    for (Message spans = scope_spans; spans.next(2);)
      span_of(spans.element()).finish(shared, batch);
  }
}

}  // namespace

Result<OtlpBatch> decode_otlp_protobuf(std::string_view body) {
  OtlpBatch batch;
  try {
    Message request({body.data(), body.size()}, batch.elements);
    while (request.next(1)) read_resource_spans(request.element(), batch);
  } catch (const std::exception& e) {
    return Error::invalid_input(
        std::string("the body is no ExportTraceServiceRequest: ") + e.what(),
        "send OTLP's protobuf, or JSON with its own Content-Type");
  }
  if (batch.elements > most_otlp_elements) return too_many_elements();
  return batch;
}

}  // namespace slipway::serve
