#include "skill/dispatch.h"

#include "skill/transport.h"

namespace slipway::skill {

struct Dispatcher::Impl {
  explicit Impl(DispatchOptions given)
      : options(std::move(given)),
        http(make_http_transport(options)),
        mcp(make_mcp_transport(options)) {}

  const DispatchOptions options;
  const std::unique_ptr<Transport> http, mcp;

  Result<std::unique_ptr<Exchange>> prepare(const Call& call, const SkillSet& skills,
                                            const CallContext& context) const;
  Status permit(const Call& call, const Function& function, Exchange& exchange) const;
  Status run(const Call& unchecked, const SkillSet& skills, const CallContext& context, Span& span,
             Outcome& outcome) const;
};

Dispatcher::Dispatcher(DispatchOptions options)
    : impl_(std::make_unique<Impl>(std::move(options))) {}
Dispatcher::~Dispatcher() = default;

// `call` is checked.
Result<std::unique_ptr<Exchange>> Dispatcher::Impl::prepare(const Call& call,
                                                            const SkillSet& skills,
                                                            const CallContext& context) const {
  const auto& function = *skills.find(call.function);
  const auto& skill = *skills.skill_of(function);
  if (function.permission == Permission::deny)
    return Error::permission_denied(function.qualified_name() + " is denied by its skill file");
  return (skill.mcp ? mcp : http)->prepare(call, function, skill, context);
}

Status Dispatcher::Impl::permit(const Call& call, const Function& function,
                                Exchange& exchange) const {
  std::string why, hint = "confirm the call, or set its permission to allow in the skill file";
  if (function.permission == Permission::allow) {
    SLIPWAY_TRY(changed, exchange.changed_since_trusted());
    if (changed.empty()) return Status::success();
    why = ", because " + changed;
    hint = "look at it, then run `slipway skills --trust` again";
  }
  if (options.confirm && options.confirm(call, function)) return Status::success();
  return Error::permission_denied(function.qualified_name() + " needs confirmation" + why +
                                      (options.confirm ? ", which was not given" : ""),
                                  options.confirm && why.empty() ? "" : hint);
}

Status Dispatcher::Impl::run(const Call& unchecked, const SkillSet& skills,
                             const CallContext& context, Span& span, Outcome& outcome) const {
  SLIPWAY_TRY(call, check_call(unchecked, skills));
  SLIPWAY_TRY(exchange, prepare(call, skills, context));
  exchange->describe(span, outcome);
  const auto permitted = permit(call, *skills.find(call.function), *exchange);
  if (context.cancel.cancelled()) return Error::cancelled();  // also where the question was ended
  SLIPWAY_CHECK(permitted);
  return exchange->send(outcome);
}

Result<std::string> Dispatcher::preview(const Call& unchecked, const SkillSet& skills,
                                        const CallContext& context) {
  SLIPWAY_TRY(call, check_call(unchecked, skills));
  SLIPWAY_TRY(exchange, impl_->prepare(call, skills, context));
  return exchange->shown();
}

Result<Outcome> Dispatcher::dispatch(const Call& call, const SkillSet& skills, const Tracer& tracer,
                                     const Span* parent, const CallContext& context) {
  auto span = tracer.span("skill.dispatch", parent);
  span.set("function", call.function);
  Outcome outcome;
  const CallContext of_call{context.clock, impl_->options.cancel.or_when(context.cancel)};
  const auto status = impl_->run(call, skills, of_call, span, outcome);
  span.set("http.status", int64_t{outcome.status});
  span.set("attempts", int64_t{outcome.attempts});
  if (status.ok()) return outcome;
  span.fail(status.error().message());
  return status.error();
}

}  // namespace slipway::skill
