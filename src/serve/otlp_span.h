// One span on its way from OTLP to the store's form, whatever it was written in.
//
//     OtlpSpan span;
//     span.record.name = "chat";
//     span.finish(resource_attributes, batch);     // into the batch, or counted as rejected
//
// Private to the decoders of src/serve. Pure.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "json/value.h"
#include "serve/otlp.h"

namespace slipway::serve {

using Attributes = std::vector<std::pair<std::string, AttributeValue>>;

struct OtlpSpan {
  SpanRecord record;
  int kind = 0;
  std::string trace_state;
  json::Value events = json::Value::array();
  json::Value links = json::Value::array();

  // `shared`: what resource and scope say of every span.
  void finish(const Attributes& shared, OtlpBatch& batch) &&;
};

// A list or map becomes its JSON.
AttributeValue attribute_value(const json::Value& value);
json::Value attributes_json(const Attributes& attributes);
// Of keys that are there twice the last value stands, in the place of the first. Linear: senders
// decide how many there are.
json::Value object_of(json::Object members);

}  // namespace slipway::serve
