#include "model/model.h"

namespace slipway::model {

json::Value Decoding::to_json() const {
  auto stops = json::Value::array();
  for (const auto& text : stop) stops.push_back(text);
  auto value = json::Value::object();
  value.set("max_tokens", max_tokens)
      .set("temperature", temperature)
      .set("top_p", top_p)
      .set("top_k", top_k)
      .set("seed", static_cast<int64_t>(seed))  // the same 64 bits: JSON has no unsigned ones
      .set("stop", std::move(stops))
      .set("logprobs", logprobs);
  return value;
}

json::Value ModelInfo::to_json() const {
  auto value = json::Value::object();
  value.set("name", name)
      .set("kind", kind)
      .set("weights_sha256", weights_sha256)
      .set("engine_id", engine_id)
      .set("has_chat_template", has_chat_template)
      .set("context_tokens", context_tokens);
  return value;
}

}  // namespace slipway::model
