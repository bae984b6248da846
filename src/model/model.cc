#include "model/model.h"

namespace slipway::model {
namespace {

Error no_tokens(const Model& model) {
  return Error::unsupported("the tokens of '" + model.info().name + "' are not known",
                            "use a model with GGUF weights");
}

}  // namespace

Result<std::vector<int32_t>> Model::prompt_tokens(const std::vector<Message>&) const {
  return no_tokens(*this);
}

Result<std::vector<int32_t>> Model::answer_tokens(std::string_view) const {
  return no_tokens(*this);
}

std::vector<std::vector<int32_t>> Model::choices(const Constraint&,
                                                 std::span<const int32_t> answer) const {
  return std::vector<std::vector<int32_t>>(answer.size());
}

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
  // Left out when off, so that candidates from before it keep their ids.
  if (end_bias != 0) value.set("end_bias", end_bias);
  if (tries != 1) value.set("tries", tries);
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
