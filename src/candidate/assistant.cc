#include "candidate/assistant.h"

#include "base/text.h"
#include "candidate/interpret.h"
#include "candidate/reply.h"

namespace slipway::candidate {

Assistant::Assistant(Candidate candidate, std::shared_ptr<model::Model> model,
                     std::shared_ptr<skill::Dispatcher> dispatcher)
    : candidate_(std::move(candidate)),
      model_(std::move(model)),
      dispatcher_(std::move(dispatcher)),
      constraint_(constraint_of(candidate_)) {}

Result<Turn> Assistant::answer(const Input& input, const Tracer& tracer,
                               const TurnOptions& options) {
  auto root = tracer.span("turn");
  root.set("input", input.text);
  Turn turn;
  turn.trace_id = tracer.trace_id();

  auto completion = complete(input, tracer, root, options.cancel);
  if (!completion.ok()) {
    root.fail(completion.error().message());
    return completion.error();
  }
  turn.completion = std::move(completion).value();
  turn.output = std::string(trim(turn.completion.text));

  auto calls = [&] {
    auto span = tracer.span("skill.parse", &root);
    auto parsed = interpret(turn.output, *candidate_.skills);
    if (!parsed.ok()) span.fail(parsed.error().message());
    return parsed;
  }();
  if (calls.ok()) {
    act(turn, *calls, tracer, root, options);
  } else {
    turn.not_a_call = calls.error();
    turn.reply = turn.output;
  }
  root.set("reply", turn.reply);
  root.set("acted", turn.acted);
  return turn;
}

Result<model::Completion> Assistant::complete(const Input& input, const Tracer& tracer,
                                              const Span& root, CancelToken cancel) {
  auto request = [&] {
    auto span = tracer.span("candidate.render", &root);
    auto made = make_request(candidate_, input, constraint_);
    if (!made.ok()) span.fail(made.error().message());
    return made;
  }();
  if (!request.ok()) return request.error();
  request->cancel = cancel;

  auto span = tracer.span("model.complete", &root);
  span.set("gen_ai.request.model", candidate_.model.name);
  auto completion = model_->complete(*request);
  if (!completion.ok()) {
    span.fail(completion.error().message());
    return completion;
  }
  span.set("gen_ai.usage.input_tokens", int64_t{completion->prompt_tokens});
  span.set("gen_ai.usage.output_tokens", int64_t{completion->completion_tokens});
  span.set("slipway.cached_prompt_tokens", int64_t{completion->cached_prompt_tokens});
  span.set("slipway.output", completion->text);
  return completion;
}

void Assistant::act(Turn& turn, const std::vector<skill::Call>& calls, const Tracer& tracer,
                    const Span& root, const TurnOptions& options) {
  std::vector<std::string> replies;
  turn.acted = !calls.empty() && !options.dry_run;
  for (const auto& call : calls) {
    CallResult made{call, skill::print_call(call, *candidate_.skills), {}, {}};
    if (options.dry_run || !dispatcher_) {
      turn.calls.push_back(std::move(made));
      continue;
    }
    auto outcome = dispatcher_->dispatch(call, *candidate_.skills, tracer, &root);
    auto span = tracer.span("reply", &root);
    if (outcome.ok()) {
      made.outcome = std::move(outcome).value();
      replies.push_back(reply_to(call, made.outcome, *candidate_.skills->find(call.function)));
    } else {
      made.error = outcome.error();
      replies.push_back(reply_to_failure(outcome.error()));
    }
    turn.acted = turn.acted && made.outcome.acted;
    turn.calls.push_back(std::move(made));
  }
  if (calls.empty()) replies.push_back(reply_to_no_call());
  turn.reply = join(replies, " ");
}

}  // namespace slipway::candidate
