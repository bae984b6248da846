#include <fmt/core.h>

#include <ostream>

#include "base/ids.h"
#include "base/text.h"
#include "candidate/reply.h"
#include "cli/confirm.h"
#include "cli/session.h"

namespace slipway::cli {
namespace {

// Calls written by a person or script instead of a model; the rest is as in `ask`.
class Calling {
 public:
  Calling(Context& context, const Arguments& arguments, lab::Workbench& bench)
      : context_(context),
        json_(arguments.flag("json")),
        dry_run_(arguments.flag("dry-run")),
        bench_(bench),
        skills_(*bench.project().skills),
        dispatcher_(options(arguments)) {}

  // Nothing is done before every call is known to be a good one.
  Status check(const std::string& text) {
    SLIPWAY_TRY(parsed, skill::parse_calls(text));
    for (const auto& call : parsed) {
      SLIPWAY_TRY(checked, skill::check_call(call, skills_));
      calls_.push_back(std::move(checked));
    }
    return Status::success();
  }

  Status run() {
    SLIPWAY_CHECK(begin());
    const auto status = make_all();
    if (json_) context_.out << report(status).dump() << "\n";
    SLIPWAY_CHECK(bench_.store()->put_spans(run_id_, spans_));
    SLIPWAY_CHECK(bench_.store()->end_run(run_id_, status));
    return status;
  }

 private:
  skill::DispatchOptions options(const Arguments& arguments) {
    auto options = bench_.dispatch_options();
    options.cancel = context_.cancel;
    const bool yes = arguments.flag("yes");
    if (yes || (context_.in_is_terminal && !json_)) {
      options.confirm = [this, yes](const skill::Call& call, const skill::Function&) {
        return yes || confirm(context_, call, skills_);
      };
    }
    return options;
  }

  Status begin() {
    store::Run run;
    run.experiment = bench_.project().name;
    run.kind = "call";
    run.name = calls_.empty() ? std::string(skill::no_call_text) : calls_.front().function;
    run.inputs = json::Value::object();
    run.inputs.set("calls", skill::print_calls(calls_, skills_)).set("dry_run", dry_run_);
    run.environment = bench_.environment();
    SLIPWAY_TRY(created, bench_.store()->create_run(std::move(run)));
    run_id_ = created.id;
    return Status::success();
  }

  // Stops at the first that fails: what comes after may rest on it.
  Status make_all() {
    const Tracer tracer(trace_id_, [this](SpanRecord span) { spans_.push_back(std::move(span)); });
    const auto root = tracer.span("call", nullptr);
    for (const auto& call : calls_)
      SLIPWAY_CHECK(dry_run_ ? preview(call) : make(call, tracer, root));
    return Status::success();
  }

  Status preview(const skill::Call& call) {
    SLIPWAY_TRY(shown, dispatcher_.preview(call, skills_));
    const auto text = skill::print_call(call, skills_);
    if (!json_) context_.out << "  · " << text << "\n    " << printable(shown) << "\n";
    auto one = json::Value::object();
    one.set("call", text).set("request", shown).set("acted", false);
    done_.push_back(std::move(one));
    return Status::success();
  }

  Status make(const skill::Call& call, const Tracer& tracer, const Span& root) {
    const auto text = skill::print_call(call, skills_);
    auto outcome = dispatcher_.dispatch(call, skills_, tracer, &root);
    auto one = json::Value::object();
    one.set("call", text).set("acted", outcome.ok());
    if (!outcome.ok()) {
      if (!json_) context_.out << "  ✗ " << text << "\n";
      one.set("error", outcome.error().to_string());
      done_.push_back(std::move(one));
      return outcome.error();
    }
    const auto reply = candidate::reply_to(call, *outcome, *skills_.find(call.function));
    if (!json_) context_.out << "  ✓ " << text << "\n" << printable(reply) << "\n";
    one.set("status", outcome->status).set("url", outcome->url).set("result", outcome->result);
    one.set("reply", reply).set("elapsed_ms", outcome->elapsed_ms);
    done_.push_back(std::move(one));
    return Status::success();
  }

  json::Value report(const Status& status) const {
    auto value = json::Value::object();
    value.set("acted", status.ok() && !dry_run_ && !calls_.empty()).set("calls", done_);
    value.set("run_id", run_id_).set("trace_id", trace_id_);
    if (!status.ok()) value.set("error", status.error().to_string());
    return value;
  }

  Context& context_;
  bool json_;
  bool dry_run_;
  lab::Workbench& bench_;
  const skill::SkillSet& skills_;
  skill::Dispatcher dispatcher_;
  std::vector<skill::Call> calls_;
  json::Value done_ = json::Value::array();
  std::string trace_id_ = new_trace_id();
  std::vector<SpanRecord> spans_;
  std::string run_id_;
};

CommandResult run_call(Context& context, const Arguments& arguments) {
  SLIPWAY_TRY(bench, open_workbench(context, arguments));
  SLIPWAY_CHECK(bench.check_trust());
  Calling calling(context, arguments, bench);
  SLIPWAY_CHECK(calling.check(arguments.text("call")));
  SLIPWAY_CHECK(calling.run());
  return 0;
}

}  // namespace

Command call_command() {
  return {
      .name = "call",
      .summary = "Make a call that you write yourself: no model, all the rest as in `ask`",
      .details =
          "Parses, checks, asks where permission is `confirm`, makes the request and "
          "prints what came back.\n"
          "Several calls, one a line, are made in order until one fails.",
      .examples = {{"slipway call \"weather.get_weather(location='boston')\"", "makes the request"},
                   {"slipway call --dry-run \"weather.get_weather('boston')\"", "shows it only"}},
      .positionals = {{"call", "in the call language: skill.function(argument='value')"}},
      .options = {{"dry-run", "show the request, make none", "", ""},
                  {"yes", "confirm risky calls without asking", "", ""},
                  trust_option(),
                  project_option(),
                  json_option()},
      .run = run_call};
}

}  // namespace slipway::cli
