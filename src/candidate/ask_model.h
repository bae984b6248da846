// The first half of every turn: the prompt is rendered and the model asked, each a span of the
// trace. The assistant and the server's chat begin alike, so that their traces read alike.
//
//     SLIPWAY_TRY(completion, ask_model({candidate, *model, constraint}, input, tracer, root, {}));
//
// Thread-safe. Errors: those of make_request and Model::complete; the span that failed says so.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "base/tracer.h"
#include "candidate/candidate.h"

namespace slipway::candidate {

struct Asked {
  const Candidate& candidate;
  model::Model& model;
  std::shared_ptr<const model::Constraint> constraint;  // null: free text
};

struct AskOptions {
  int timeout_ms = 0;  // 0: none
  CancelToken cancel;
  std::function<void(std::string_view)> on_text = {};  // see model::Request
};

Result<model::Completion> ask_model(const Asked& asked, const Input& input, const Tracer& tracer,
                                    const Span& parent, const AskOptions& options);

}  // namespace slipway::candidate
