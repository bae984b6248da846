#include "candidate/stored.h"

namespace slipway::candidate {
namespace {

Error damaged(const std::string& why) {
  return Error::corrupt("the stored candidate cannot be read: " + why,
                        "a newer slipway may have written it");
}

std::vector<std::string> texts_of(const json::Value& object, std::string_view key) {
  std::vector<std::string> texts;
  const auto* list = object.get(key);
  if (!list || !list->is_array()) return texts;
  for (const auto& text : list->as_array()) {
    if (text.is_string()) texts.push_back(text.as_string());
  }
  return texts;
}

int whole(const json::Value& object, std::string_view key) {
  return static_cast<int>(object.number(key));
}

model::Decoding decoding_of(const json::Value& stored) {
  model::Decoding decoding;
  decoding.max_tokens = whole(stored, "max_tokens");
  decoding.temperature = stored.number("temperature");
  decoding.top_p = stored.number("top_p");
  decoding.top_k = whole(stored, "top_k");
  decoding.end_bias = stored.number("end_bias", 0);
  decoding.tries = static_cast<int>(stored.number("tries", 1));
  // The 64 bits of an unsigned number, written as a signed one.
  if (const auto* seed = stored.get("seed"); seed && seed->is_integer())
    decoding.seed = static_cast<uint64_t>(seed->as_integer());
  decoding.stop = texts_of(stored, "stop");
  decoding.logprobs = stored.flag("logprobs");
  return decoding;
}

Status read_call_language(const json::Value& stored, Candidate& candidate) {
  candidate.constrain = stored.flag("constrain");
  candidate.grammar.max_calls = whole(stored, "max_calls");
  candidate.grammar.allow_no_call = stored.flag("allow_no_call");
  candidate.grammar.max_string_bytes = whole(stored, "max_string_bytes");
  if (!stored.get("form")) return Status();
  const auto form = skill::form_named(stored.text("form"));
  if (!form) return damaged("there is no call form '" + stored.text("form") + "'");
  candidate.grammar.form = *form;
  return Status();
}

Result<std::shared_ptr<const skill::SkillSet>> skills_of(const json::Value& stored) {
  auto skills = std::make_shared<skill::SkillSet>();
  for (const auto& file : stored.as_array()) {
    auto skill = skill::parse_skill(file.dump());
    if (!skill.ok()) return damaged(skill.error().message());
    SLIPWAY_CHECK(skills->add(std::move(skill).value()));
  }
  return std::shared_ptr<const skill::SkillSet>(std::move(skills));
}

}  // namespace

std::string stored_text(const Candidate& candidate) { return candidate.to_json().dump(); }

Result<Candidate> read_candidate(std::string_view text, const std::string& name) {
  const auto parsed = json::parse(text);
  if (!parsed.ok()) return damaged(parsed.error().message());
  const auto& stored = *parsed;
  if (stored.number("candidate") != 1) return damaged("it is of an unknown version");
  const auto* weights = stored.get("model");
  const auto* language = stored.get("call_language");
  const auto* decoding = stored.get("decoding");
  const auto* skills = stored.get("skills");
  if (!weights || !language || !decoding || !skills || !skills->is_array())
    return damaged("a part is missing");
  Candidate candidate;
  candidate.name = name;
  candidate.model = {weights->text("name"), weights->text("weights_sha256"),
                     texts_of(*weights, "adapters")};
  candidate.prompt = {name, stored.text("prompt")};
  SLIPWAY_TRY(functions, skills_of(*skills));
  candidate.skills = std::move(functions);
  SLIPWAY_CHECK(read_call_language(*language, candidate));
  candidate.decoding = decoding_of(*decoding);
  candidate.min_confidence = stored.number("min_confidence");
  candidate.leave_out_unsaid = stored.flag("leave_out_unsaid");
  candidate.list_functions = whole(stored, "list_functions");
  // A part that this version does not know would have been lost.
  if (!(candidate.to_json() == stored)) return damaged("a part of it is unknown here");
  return candidate;
}

}  // namespace slipway::candidate
