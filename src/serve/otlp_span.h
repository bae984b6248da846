// One span on its way from OTLP to the store's form, whatever it was written in.
//
//     Shared shared(resource_attributes);
//     shared.enter_scope("my.library", "1.0");
//     OtlpSpan span;
//     span.record.name = "chat";
//     span.finish(shared, batch);     // into the batch, or counted as rejected
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

// What a resource, and the scope that is read, say of every span in it. Nothing of the resource is
// copied or walked for a scope: senders decide how many there are.
class Shared {
 public:
  explicit Shared(Attributes of_resource);
  void enter_scope(const std::string& name, const std::string& version);  // empty: not said
  const Attributes& attributes() const { return attributes_; }
  size_t bytes() const { return bytes_; }

 private:
  Attributes attributes_;  // the scope's come last
  size_t resource_size_, resource_bytes_, bytes_;
};

struct OtlpSpan {
  SpanRecord record;
  int kind = 0;
  std::string trace_state;
  json::Value events = json::Value::array();
  json::Value links = json::Value::array();

  void finish(const Shared& shared, OtlpBatch& batch) &&;
};

Error too_many_elements();
// A list or map becomes its JSON.
AttributeValue attribute_value(const json::Value& value);
json::Value attributes_json(const Attributes& attributes);
// Of keys that are there twice the last value stands, in the place of the first. Linear: senders
// decide how many there are.
json::Value object_of(json::Object members);

}  // namespace slipway::serve
