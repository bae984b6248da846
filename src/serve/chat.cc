#include "serve/chat.h"

#include <algorithm>

#include "base/text.h"
#include "candidate/ask_model.h"
#include "candidate/interpret.h"
#include "candidate/reply.h"

namespace slipway::serve {
namespace {

class Answering {
 public:
  Answering(const Served& served, const ChatRequest& request, const Tracer& tracer,
            const ChatHooks& hooks)
      : served_(served), r_(request), tracer_(tracer), hooks_(hooks), input_(request.input) {}

  Result<ChatAnswer> run() {
    auto root = tracer_.span("chat");
    root.set("input", input_.text);
    root.set("candidate", served_.candidate.name);
    root.set("candidate_id", served_.id);
    auto answer = answer_in(root);
    if (!answer.ok()) root.fail(answer.error().message());
    // A reply phrased from results is no answer that the model could learn.
    if (answer.ok() && r_.results.empty())
      root.set("slipway.example", candidate::row_of(r_.input, output_));
    return answer;
  }

 private:
  Result<ChatAnswer> answer_in(const Span& root) {
    if (!r_.results.empty()) return reply();
    SLIPWAY_TRY(candidate, changed(served_.candidate, r_));
    candidate_ = std::move(candidate);
    // What tool_choice left is all there is.
    if (r_.choice == ToolChoice::none || r_.choice == ToolChoice::named || r_.format)
      input_.context.erase("functions");
    SLIPWAY_TRY(skills, candidate::functions_for(candidate_.skills, input_.context));
    skills_ = std::move(skills);
    SLIPWAY_TRY(completion, complete(root));
    return read(std::move(completion), root);
  }

  bool as_served() const { return r_.choice == ToolChoice::automatic; }
  bool has_functions() const { return !skills_->functions().empty(); }

  Result<model::Completion> complete(const Span& root) {
    // make_request builds that of the request's own functions.
    const bool own = input_.context.get("functions") != nullptr;
    const auto constraint = r_.format     ? r_.format
                            : as_served() ? served_.constraint
                            : own         ? nullptr
                                          : candidate::constraint_of(candidate_);
    candidate::AskOptions options{hooks_.timeout_ms, hooks_.cancel};
    if (!has_functions()) options.on_text = hooks_.on_text;
    return candidate::ask_model({candidate_, *served_.model, constraint}, input_, tracer_, root,
                                options);
  }

  Result<ChatAnswer> read(model::Completion completion, const Span& root) {
    ChatAnswer answer;
    answer.completion = std::move(completion);
    const auto& written = answer.completion.text;
    output_ = written;
    answer.content = written;
    if (!has_functions()) return answer;
    const auto settled =
        candidate::settle(candidate_, input_, written, candidate::mean_logprob(answer.completion));
    output_ = std::string(trim(settled.text));
    auto span = tracer_.span("skill.parse", &root);
    auto calls = settled.unread ? Result<std::vector<skill::Call>>(*settled.unread)
                                : candidate::interpret(output_, *skills_);
    if (!calls.ok()) {
      span.fail(calls.error().message());
      return answer;
    }
    if (calls->empty()) {
      // Families with a form of their own answer in words; our call language has none() for that.
      const bool words = candidate_.grammar.form != skill::CallForm::python && !settled.confidence;
      if (!words || trim(written).empty()) answer.content = candidate::reply_to_no_call();
      return answer;
    }
    if (const auto denied = find_denied(*calls); !denied.empty()) {
      const auto error = Error::permission_denied(denied + " is not permitted");
      span.fail(error.message());
      answer.content = candidate::reply_to_failure(error);
      return answer;
    }
    const auto most = static_cast<size_t>(std::max(candidate_.grammar.max_calls, 1));
    if (calls->size() > most) calls->erase(calls->begin() + static_cast<long>(most), calls->end());
    answer.content.clear();
    answer.calls = std::move(*calls);
    return answer;
  }

  std::string find_denied(const std::vector<skill::Call>& calls) const {
    for (const auto& call : calls) {
      if (skills_->find(call.function)->permission == skill::Permission::deny) return call.function;
    }
    return {};
  }

  // The client has made the calls: the reply is the functions' own, from what came back. What the
  // request leaves of the functions is for calls to come.
  Result<ChatAnswer> reply() {
    SLIPWAY_TRY(skills, candidate::functions_for(served_.candidate.skills, input_.context));
    const skill::Function unknown;  // its reply is the result's own text
    ChatAnswer answer;
    std::vector<std::string> replies;
    for (const auto& result : r_.results) {
      const auto* function = skills->find(result.call.function);
      skill::Outcome outcome;
      outcome.acted = true;
      outcome.result = result.result;
      replies.push_back(candidate::reply_to(result.call, outcome, function ? *function : unknown));
    }
    answer.content = join(replies, " ");
    if (hooks_.on_text) hooks_.on_text(answer.content);
    return answer;
  }

  const Served& served_;
  const ChatRequest& r_;
  const Tracer& tracer_;
  const ChatHooks& hooks_;
  candidate::Input input_;
  candidate::Candidate candidate_;
  std::shared_ptr<const skill::SkillSet> skills_;
  std::string output_;
};

}  // namespace

Result<ChatAnswer> answer_chat(const Served& served, const ChatRequest& request,
                               const Tracer& tracer, const ChatHooks& hooks) {
  return Answering(served, request, tracer, hooks).run();
}

}  // namespace slipway::serve
