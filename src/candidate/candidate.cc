#include "candidate/candidate.h"

#include "base/hash.h"

namespace slipway::candidate {

json::Value Candidate::to_json() const {
  auto weights = json::Value::object();
  weights.set("name", model.name).set("weights_sha256", model.weights_sha256);
  auto adapters = json::Value::array();
  for (const auto& sha : model.adapter_sha256) adapters.push_back(sha);
  weights.set("adapters", std::move(adapters));

  auto call_language = json::Value::object();
  call_language.set("constrain", constrain)
      .set("max_calls", grammar.max_calls)
      .set("allow_no_call", grammar.allow_no_call)
      .set("max_string_bytes", grammar.max_string_bytes);

  auto described = json::Value::object();
  described.set("candidate", 1)
      .set("model", std::move(weights))
      .set("prompt", prompt.source)
      .set("skills", skills->to_json())
      .set("call_language", std::move(call_language))
      .set("decoding", decoding.to_json());
  return described;
}

std::string Candidate::id() const { return sha256_hex(to_json().canonical()); }

std::shared_ptr<const model::Constraint> constraint_of(const Candidate& candidate) {
  if (!candidate.constrain) return nullptr;
  return skill::call_grammar(*candidate.skills, candidate.grammar);
}

Result<model::Request> make_request(const Candidate& candidate, const Input& input,
                                    std::shared_ptr<const model::Constraint> constraint) {
  SLIPWAY_TRY(messages, render_prompt(candidate.prompt, input, *candidate.skills));
  model::Request request;
  request.messages = std::move(messages);
  request.constraint = std::move(constraint);
  request.decoding = candidate.decoding;
  return request;
}

}  // namespace slipway::candidate
