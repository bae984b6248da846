#include "candidate/candidate.h"

#include "base/hash.h"
#include "candidate/interpret.h"
#include "skill/said.h"

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
  // Left out in our own call language, so that candidates from before it keep their ids.
  if (grammar.form != skill::CallForm::python)
    call_language.set("form", skill::form_name(grammar.form));

  auto described = json::Value::object();
  described.set("candidate", 1)
      .set("model", std::move(weights))
      .set("prompt", prompt.source)
      .set("skills", skills->to_json())
      .set("call_language", std::move(call_language))
      .set("decoding", decoding.to_json());
  // Left out when off, so that candidates from before it keep their ids.
  if (min_confidence > 0) described.set("min_confidence", min_confidence);
  if (leave_out_unsaid) described.set("leave_out_unsaid", true);
  if (list_functions > 0) described.set("list_functions", list_functions);
  return described;
}

std::string Candidate::id() const { return sha256_hex(to_json().canonical()); }

std::shared_ptr<const model::Constraint> constraint_of(const Candidate& candidate) {
  if (!candidate.constrain) return nullptr;
  return skill::call_grammar(*candidate.skills, candidate.grammar);
}

Result<std::shared_ptr<const skill::SkillSet>> functions_for(
    std::shared_ptr<const skill::SkillSet> otherwise, const json::Value& context) {
  const auto* own = context.get("functions");
  if (!own) return otherwise;
  auto brought = skill::parse_tools(*own);
  if (!brought.ok()) return brought.error().in("context.functions");
  auto skills = std::make_shared<skill::SkillSet>();
  SLIPWAY_CHECK(skills->add(std::move(brought).value()));
  return std::shared_ptr<const skill::SkillSet>(std::move(skills));
}

Result<model::Request> make_request(const Candidate& candidate, const Input& input,
                                    std::shared_ptr<const model::Constraint> constraint) {
  SLIPWAY_TRY(skills, functions_for(candidate.skills, input.context));
  if (candidate.constrain && skills != candidate.skills)
    constraint = skill::call_grammar(*skills, candidate.grammar);
  SLIPWAY_TRY(messages, render_prompt(candidate.prompt, input, *skills, candidate.list_functions));
  model::Request request;
  request.messages = std::move(messages);
  if (constraint) request.constraint = skill::as_said(std::move(constraint), said_in(input));
  request.decoding = candidate.decoding;
  request.decoding.logprobs = request.decoding.logprobs || candidate.min_confidence > 0;
  return request;
}

Settled settle(const Candidate& candidate, const Input& input, const std::string& text,
               double logprob) {
  Settled settled{text, std::nullopt, std::nullopt};
  const auto form = candidate.grammar.form;
  const bool judged = candidate.min_confidence > 0 || candidate.leave_out_unsaid;
  if (form == skill::CallForm::python && !judged) return settled;
  const auto skills = functions_for(candidate.skills, input.context);
  if (!skills.ok() || (*skills)->functions().empty()) return settled;
  if (form != skill::CallForm::python) {
    const auto written = skill::parse_form(text, form);
    if (!written.ok()) {
      settled.unread = written.error();
      return settled;
    }
    // As written: without signatures nothing is reordered or left out.
    settled.text = skill::print_calls(*written, {});
  }
  if (!judged) return settled;
  auto calls = interpret(settled.text, **skills);
  if (!calls.ok() || calls->empty()) return settled;
  if (candidate.leave_out_unsaid) {
    *calls = without_unsaid(input.text, std::move(*calls), **skills);
    settled.text = skill::print_calls(*calls, **skills);
  }
  if (candidate.min_confidence <= 0) return settled;
  settled.confidence = confidence_of(input.text, *calls, **skills, logprob);
  if (settled.confidence->value < candidate.min_confidence)
    settled.text = std::string(skill::no_call_text);
  return settled;
}

}  // namespace slipway::candidate
