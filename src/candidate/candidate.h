// A candidate: everything that decides an answer, as one value whose id is the hash of its parts.
// What executes it, the engine id, belongs to the run.
//
//     Candidate c{.model = {"gemma-3-270m", sha}, .prompt = prompt, .skills = skills};
//     c.id()    // the same parts give the same id, on every machine
//     SLIPWAY_TRY(request, make_request(c, input, constraint_of(c)));   // what the model reads
//
// A plain value; const access is thread-safe.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "candidate/confidence.h"
#include "candidate/prompt.h"
#include "model/model.h"
#include "skill/grammar.h"
#include "skill/signature.h"

namespace slipway::candidate {

struct ModelRef {
  std::string name;            // of the catalog, a path, or an endpoint
  std::string weights_sha256;  // empty: an endpoint, and the candidate is unpinned
  std::vector<std::string> adapter_sha256;
};

// How a candidate answers, beside its model, prompt and skills.
struct Settings {
  bool constrain = false;         // decode inside the call language
  skill::GrammarOptions grammar;  // also unconstrained: max_calls and form
  model::Decoding decoding;
  // So many functions stand in the prompt, those nearest to the request (candidate/retrieval.h); 0:
  // all.
  int list_functions = 0;
  // Calls of less confidence (candidate/confidence.h) are answered as none(); 0: never.
  double min_confidence = 0;
  // Optional texts of which the request has no word are left out (candidate/confidence.h).
  bool leave_out_unsaid = false;
};

// Where to_json() has the settings, and what people call them.
inline constexpr std::pair<const char*, const char*> setting_names[] = {
    {"call_language", "call language"},
    {"decoding", "decoding"},
    {"min_confidence", "confidence"},
    {"leave_out_unsaid", "unsaid left out"},
    {"list_functions", "listed functions"}};

struct Candidate : Settings {
  std::string name;
  ModelRef model;
  Prompt prompt;
  std::shared_ptr<const skill::SkillSet> skills;  // never null; empty when the task is text

  bool pinned() const { return !model.weights_sha256.empty(); }
  json::Value to_json() const;  // canonical description; the name is not part of it
  std::string id() const;       // SHA-256 of to_json().canonical()
};

// The constraint a candidate decodes inside; null when it does not. Build once per candidate: masks
// are remembered in it.
std::shared_ptr<const model::Constraint> constraint_of(const Candidate& candidate);

// The functions that hold for an input: those it brings itself (`context.functions`, an OpenAI
// `tools` array whose names may have dots), else `otherwise`. Errors: those of skill::parse_tools.
Result<std::shared_ptr<const skill::SkillSet>> functions_for(
    std::shared_ptr<const skill::SkillSet> otherwise, const json::Value& context);

// What the model is asked. Used by ask, eval, serve and tune alike, so that all see the same
// tokens. An input with functions of its own is decoded inside their language, not `constraint`.
Result<model::Request> make_request(const Candidate& candidate, const Input& input,
                                    std::shared_ptr<const model::Constraint> constraint);

// What a model wrote, and what becomes of it: our call language in place of the form that the
// candidate's model writes, without what nobody said where the candidate leaves that out, and
// none() in place of calls that are not sure enough.
struct Settled {
  std::string text;                      // as the model wrote it when it is `unread`
  std::optional<Confidence> confidence;  // when it was asked for and there are calls
  std::optional<Error> unread;           // why it is no text of the candidate's form
};
Settled settle(const Candidate& candidate, const Input& input, const std::string& text,
               double logprob);

}  // namespace slipway::candidate
