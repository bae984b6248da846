#include "candidate/assistant.h"

#include <algorithm>

#include "base/text.h"
#include "candidate/ask_model.h"
#include "candidate/interpret.h"
#include "candidate/reply.h"

namespace slipway::candidate {

namespace {

// A clock that cannot be read is none, and who needs it says so.
skill::CallContext context_of(const Input& input, const TurnOptions& options) {
  const auto clock = skill::parse_clock(input.context.text("clock"));
  return {clock.ok() ? std::optional(*clock) : std::nullopt, options.cancel};
}

Error too_many_calls(size_t made) {
  return Error::exhausted("not made: an answer may make " + std::to_string(made) + " calls",
                          "ask for less at once, or raise max_calls of the candidate");
}

}  // namespace

Assistant::Assistant(Candidate candidate, std::shared_ptr<model::Model> model,
                     std::shared_ptr<skill::Dispatcher> dispatcher)
    : candidate_(std::move(candidate)),
      model_(std::move(model)),
      dispatcher_(std::move(dispatcher)),
      constraint_(constraint_of(candidate_)) {}

Result<model::Completion> Assistant::ask(const Input& input, const Tracer& tracer,
                                         const Span& parent, CancelToken cancel,
                                         int timeout_ms) {
  return ask_model({candidate_, *model_, constraint_}, input, tracer, parent,
                   {.timeout_ms = timeout_ms, .cancel = cancel});
}

Result<Turn> Assistant::answer(const Input& input, const Tracer& tracer,
                               const TurnOptions& options) {
  auto root = tracer.span("turn", options.parent);
  root.set("input", input.text);
  root.set("candidate", candidate_.name);
  Turn turn;
  turn.trace_id = tracer.trace_id();

  auto skills = functions_for(candidate_.skills, input.context);
  if (!skills.ok()) {
    root.fail(skills.error().message());
    return skills.error();
  }
  auto completion = options.completion
                        ? Result<model::Completion>(*options.completion)
                        : ask(input, tracer, root, options.cancel, options.timeout_ms);
  if (!completion.ok()) {
    root.fail(completion.error().message());
    return completion.error();
  }
  turn.completion = std::move(completion).value();
  auto settled = settle(candidate_, input, turn.completion.text, mean_logprob(turn.completion));
  if (settled.confidence) root.set("confidence", settled.confidence->value);
  turn.output = std::string(trim(settled.text));

  auto calls = [&] {
    auto span = tracer.span("skill.parse", &root);
    auto parsed = settled.unread ? Result<std::vector<skill::Call>>(*settled.unread)
                                 : interpret(turn.output, **skills);
    if (!parsed.ok()) span.fail(parsed.error().message());
    return parsed;
  }();
  if (calls.ok()) {
    act(turn, *calls, **skills, context_of(input, options), tracer, root, options);
  } else {
    turn.not_a_call = calls.error();
    turn.reply = turn.output;
  }
  root.set("reply", turn.reply);
  root.set("slipway.example", row_of(input, turn.output));
  root.set("acted", turn.acted);
  return turn;
}

void Assistant::act(Turn& turn, const std::vector<skill::Call>& calls,
                    const skill::SkillSet& skills, const skill::CallContext& context,
                    const Tracer& tracer, const Span& root, const TurnOptions& options) {
  std::vector<std::string> replies;
  const auto limit = static_cast<size_t>(std::max(candidate_.grammar.max_calls, 1));
  const bool acts = !options.dry_run && dispatcher_;
  turn.acted = !calls.empty() && !options.dry_run;
  for (const auto& call : calls) {
    CallResult made{call, skill::print_call(call, skills), {}, {}};
    const bool beyond = turn.calls.size() >= limit;
    if (beyond || (acts && options.cancel.cancelled())) {
      made.error = beyond ? too_many_calls(limit) : Error::cancelled("stopped");
      const auto reply = reply_to_failure(*made.error);
      if (replies.empty() || replies.back() != reply) replies.push_back(reply);
      turn.acted = false;
      turn.calls.push_back(std::move(made));
      continue;
    }
    if (!acts) {
      turn.calls.push_back(std::move(made));
      continue;
    }
    auto outcome = dispatcher_->dispatch(call, skills, tracer, &root, context);
    auto span = tracer.span("reply", &root);
    if (outcome.ok()) {
      made.outcome = std::move(outcome).value();
      replies.push_back(reply_to(call, made.outcome, *skills.find(call.function)));
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
