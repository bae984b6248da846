// The assistant's turn: an input becomes an answer of the model, calls, real requests and a reply;
// every arrow is a span of one trace (docs/architecture.md walks through it).
//
//     Assistant assistant(candidate, model, dispatcher);
//     SLIPWAY_TRY(turn, assistant.answer({.text = "play baby shark"}, tracer, {}));
//     turn.acted      // true only when every call was answered 2xx
//
// Thread-safe. A failing call is no Error of the turn: the turn says what happened, and that it did
// not act.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/tracer.h"
#include "candidate/candidate.h"
#include "skill/dispatch.h"

namespace slipway::candidate {

struct CallResult {
  skill::Call call;
  std::string text;  // canonical
  skill::Outcome outcome;
  std::optional<Error> error;
};

struct Turn {
  std::string trace_id;
  std::string output;               // what the model wrote
  std::optional<Error> not_a_call;  // why it is no valid call
  std::vector<CallResult> calls;
  std::string reply;
  bool acted = false;  // calls beyond the candidate's max_calls are not made, and say so
  model::Completion completion;
};

struct TurnOptions {
  bool dry_run = false;  // everything but the requests
  int timeout_ms = 0;    // of the model's answer; 0: none
  CancelToken cancel;    // ends the request that is under way; later ones are not made
  const Span* parent = nullptr;  // of the turn's span
  // What the model said already, of ask(): it is not asked again.
  std::optional<model::Completion> completion;
};

class Assistant {
 public:
  // `dispatcher` may be null when only dry runs are asked for.
  Assistant(Candidate candidate, std::shared_ptr<model::Model> model,
            std::shared_ptr<skill::Dispatcher> dispatcher);
  Result<Turn> answer(const Input& input, const Tracer& tracer, const TurnOptions& options);
  // The first half of answer() alone: nothing is called. For who has time before it is known
  // whether the request is whole (src/speech).
  Result<model::Completion> ask(const Input& input, const Tracer& tracer, const Span& parent,
                                CancelToken cancel, int timeout_ms);
  const Candidate& candidate() const { return candidate_; }

 private:
  void act(Turn& turn, const std::vector<skill::Call>& calls, const skill::SkillSet& skills,
           const skill::CallContext& context, const Tracer& tracer, const Span& root,
           const TurnOptions& options);

  Candidate candidate_;
  std::shared_ptr<model::Model> model_;
  std::shared_ptr<skill::Dispatcher> dispatcher_;
  std::shared_ptr<const model::Constraint> constraint_;
};

}  // namespace slipway::candidate
