#include "candidate/ask_model.h"

namespace slipway::candidate {

Result<model::Completion> ask_model(const Asked& asked, const Input& input, const Tracer& tracer,
                                    const Span& parent, const AskOptions& options) {
  auto request = [&] {
    auto span = tracer.span("candidate.render", &parent);
    auto made = make_request(asked.candidate, input, asked.constraint);
    if (!made.ok()) span.fail(made.error().message());
    return made;
  }();
  if (!request.ok()) return request.error();
  request->cancel = options.cancel;
  request->timeout_ms = options.timeout_ms;
  request->on_text = options.on_text;

  auto span = tracer.span("model.complete", &parent);
  span.set("gen_ai.request.model", asked.candidate.model.name);
  auto completion = asked.model.complete(*request);
  if (!completion.ok()) {
    span.fail(completion.error().message());
    return completion;
  }
  span.set("gen_ai.usage.input_tokens", int64_t{completion->prompt_tokens});
  span.set("gen_ai.usage.output_tokens", int64_t{completion->completion_tokens});
  span.set("slipway.cached_prompt_tokens", int64_t{completion->cached_prompt_tokens});
  span.set("slipway.output", completion->text);
  if (completion->finish == model::FinishReason::cancelled) {  // its text ends where it was cut
    span.fail("cancelled");
    return Error::cancelled();
  }
  return completion;
}

}  // namespace slipway::candidate
