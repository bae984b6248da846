#include <exception>
#include <protozero/pbf_reader.hpp>

#include "serve/otlp_span.h"

namespace slipway::serve {
namespace {

using protozero::pbf_reader;

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

json::Value any_value(pbf_reader message, int depth);

void key_value(pbf_reader message, int depth, std::string& key, json::Value& value) {
  while (message.next()) {
    if (message.tag() == 1) {
      key = message.get_string();
    } else if (message.tag() == 2) {
      value = any_value(message.get_message(), depth);
    } else {
      message.skip();
    }
  }
}

// ArrayValue and KeyValueList both have their elements in field 1.
json::Value compound(pbf_reader message, bool is_map, int depth) {
  auto out = is_map ? json::Value::object() : json::Value::array();
  if (depth >= most_depth) return out;
  while (message.next(1)) {
    if (!is_map) {
      out.push_back(any_value(message.get_message(), depth + 1));
      continue;
    }
    std::string key;
    json::Value value;
    key_value(message.get_message(), depth + 1, key, value);
    out.set(key, std::move(value));
  }
  return out;
}

json::Value any_value(pbf_reader message, int depth) {
  json::Value value;
  while (message.next()) {
    switch (message.tag()) {
      case 1:
        value = message.get_string();
        break;
      case 2:
        value = message.get_bool();
        break;
      case 3:
        value = message.get_int64();
        break;
      case 4:
        value = message.get_double();
        break;
      case 5:
        value = compound(message.get_message(), false, depth);
        break;
      case 6:
        value = compound(message.get_message(), true, depth);
        break;
      case 7:
        value = hex_of(message.get_view());
        break;
      default:
        message.skip();
    }
  }
  return value;
}

void add_attribute(pbf_reader message, const std::string& prefix, Attributes& attributes) {
  std::string key;
  json::Value value;
  key_value(message, 0, key, value);
  attributes.emplace_back(prefix + key, attribute_value(value));
}

json::Value event_of(pbf_reader message) {
  auto event = json::Value::object();
  Attributes attributes;
  while (message.next()) {
    switch (message.tag()) {
      case 1:
        event.set("time_unix_ns", static_cast<int64_t>(message.get_fixed64()));
        break;
      case 2:
        event.set("name", message.get_string());
        break;
      case 3:
        add_attribute(message.get_message(), "", attributes);
        break;
      default:
        message.skip();
    }
  }
  event.set("attributes", attributes_json(attributes));
  return event;
}

json::Value link_of(pbf_reader message) {
  auto link = json::Value::object();
  Attributes attributes;
  while (message.next()) {
    switch (message.tag()) {
      case 1:
        link.set("trace_id", hex_of(message.get_view()));
        break;
      case 2:
        link.set("span_id", hex_of(message.get_view()));
        break;
      case 4:
        add_attribute(message.get_message(), "", attributes);
        break;
      default:
        message.skip();
    }
  }
  link.set("attributes", attributes_json(attributes));
  return link;
}

void read_status(pbf_reader message, SpanRecord& record) {
  while (message.next()) {
    if (message.tag() == 2) {
      record.status_message = message.get_string();
    } else if (message.tag() == 3) {
      record.ok = message.get_int32() != 2;  // STATUS_CODE_ERROR
    } else {
      message.skip();
    }
  }
}

OtlpSpan span_of(pbf_reader message) {
  OtlpSpan span;
  auto& record = span.record;
  while (message.next()) {
    switch (message.tag()) {
      case 1:
        record.trace_id = hex_of(message.get_view());
        break;
      case 2:
        record.span_id = hex_of(message.get_view());
        break;
      case 3:
        span.trace_state = message.get_string();
        break;
      case 4:
        record.parent_span_id = hex_of(message.get_view());
        break;
      case 5:
        record.name = message.get_string();
        break;
      case 6:
        span.kind = message.get_int32();
        break;
      case 7:
        record.start_unix_ns = static_cast<int64_t>(message.get_fixed64());
        break;
      case 8:
        record.end_unix_ns = static_cast<int64_t>(message.get_fixed64());
        break;
      case 9:
        add_attribute(message.get_message(), "", record.attributes);
        break;
      case 11:
        span.events.push_back(event_of(message.get_message()));
        break;
      case 13:
        span.links.push_back(link_of(message.get_message()));
        break;
      case 15:
        read_status(message.get_message(), record);
        break;
      default:
        message.skip();
    }
  }
  return span;
}

void read_scope(pbf_reader message, Attributes& shared) {
  while (message.next()) {
    if (message.tag() == 1) {
      shared.emplace_back("otel.scope.name", message.get_string());
    } else if (message.tag() == 2) {
      shared.emplace_back("otel.scope.version", message.get_string());
    } else {
      message.skip();
    }
  }
}

void read_resource_spans(pbf_reader message, OtlpBatch& batch) {
  Attributes resource;
  for (pbf_reader look = message; look.next(1);) {
    for (pbf_reader body = look.get_message(); body.next(1);)
      add_attribute(body.get_message(), "resource.", resource);
  }
  while (message.next(2)) {
    const pbf_reader scope_spans = message.get_message();
    Attributes shared = resource;
    for (pbf_reader look = scope_spans; look.next(1);) read_scope(look.get_message(), shared);
    for (pbf_reader spans = scope_spans; spans.next(2);)
      span_of(spans.get_message()).finish(shared, batch);
  }
}

}  // namespace

Result<OtlpBatch> decode_otlp_protobuf(std::string_view body) {
  OtlpBatch batch;
  try {
    pbf_reader request(body.data(), body.size());
    while (request.next(1)) read_resource_spans(request.get_message(), batch);
  } catch (const std::exception& e) {
    return Error::invalid_input(
        std::string("the body is no ExportTraceServiceRequest: ") + e.what(),
        "send OTLP's protobuf, or JSON with its own Content-Type");
  }
  return batch;
}

}  // namespace slipway::serve
