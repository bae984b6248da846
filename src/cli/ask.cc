#include <fmt/core.h>

#include <algorithm>
#include <istream>
#include <ostream>

#include "base/hash.h"
#include "base/ids.h"
#include "base/text.h"
#include "candidate/assistant.h"
#include "cli/confirm.h"
#include "cli/session.h"
#include "cli/table.h"
#include "serve/assistant.h"

namespace slipway::cli {
namespace {

// Collects one turn's spans and puts them into the store when the turn is over.
struct TurnTrace {
  std::string id = new_trace_id();
  std::vector<SpanRecord> spans;
  Tracer tracer() {
    return Tracer(id, [this](SpanRecord span) { spans.push_back(std::move(span)); });
  }
};

void print_turn(Context& context, const candidate::Turn& turn, bool dry_run) {
  for (const auto& call : turn.calls) {
    const auto mark = call.error ? "✗" : dry_run ? "·" : "✓";
    context.out << fmt::format("  {} {}\n", mark, call.text);
    if (call.error && !call.error->hint().empty())
      context.out << "    " << printable(call.error->hint()) << "\n";
  }
  if (turn.not_a_call) context.out << "  ✗ no call: " << turn.not_a_call->to_string() << "\n";
  if (!turn.reply.empty()) context.out << printable(turn.reply) << "\n";
}

bool was_stopped(const candidate::Turn& turn) {
  return std::any_of(turn.calls.begin(), turn.calls.end(), [](const auto& call) {
    return call.error && call.error->code() == ErrorCode::cancelled;
  });
}

class Asking {
 public:
  Asking(Context& context, const Arguments& arguments, lab::Workbench& bench,
         const lab::Ready& ready)
      : context_(context),
        json_(arguments.flag("json")),
        dry_run_(arguments.flag("dry-run")),
        bench_(bench),
        assistant_(ready.candidate, ready.model, dispatcher(arguments)) {}

  Status begin(const lab::Ready& ready) {
    store::Run run;
    run.experiment = bench_.project().name;
    run.kind = "ask";
    run.name = ready.candidate.name;
    run.inputs = json::Value::object();
    run.inputs.set("candidate", ready.candidate.id()).set("model", ready.candidate.model.name);
    run.environment = bench_.environment_of(*ready.model);
    SLIPWAY_TRY(entity, bench_.store()->put_entity("candidate", ready.candidate.name,
                                                   ready.candidate.to_json()));
    SLIPWAY_TRY(created, bench_.store()->create_run(std::move(run)));
    run_id_ = created.id;
    return Status::success();
  }

  Result<bool> turn(const std::string& text) {
    TurnTrace trace;
    candidate::Input input;
    input.text = text;
    input.context = json::Value::object();
    input.context.set("clock", local_clock());
    auto answered =
        assistant_.answer(input, trace.tracer(), {.dry_run = dry_run_, .cancel = context_.cancel});
    SLIPWAY_CHECK(bench_.store()->put_spans(run_id_, trace.spans));
    if (!answered.ok()) return answered.error();
    if (json_)
      context_.out << serve::turn_json(*answered).dump() << "\n";
    else
      print_turn(context_, *answered, dry_run_);
    context_.out.flush();
    if (was_stopped(*answered)) return Error::cancelled();
    return answered->acted || dry_run_ || (answered->calls.empty() && !answered->not_a_call);
  }

  Status end(const Status& outcome) {
    if (run_id_.empty()) return outcome;
    SLIPWAY_CHECK(bench_.store()->end_run(run_id_, outcome));
    return outcome;
  }

 private:
  std::shared_ptr<skill::Dispatcher> dispatcher(const Arguments& arguments) {
    auto options = bench_.dispatch_options();
    options.cancel = context_.cancel;
    const bool yes = arguments.flag("yes");
    const bool can_ask = context_.in_is_terminal && !json_;
    if (yes || can_ask) {
      options.confirm = [this, yes](const skill::Call& call, const skill::Function&) {
        return yes || confirm(context_, call, *bench_.project().skills);
      };
    }
    return std::make_shared<skill::Dispatcher>(std::move(options));
  }

  Context& context_;
  bool json_;
  bool dry_run_;
  lab::Workbench& bench_;
  candidate::Assistant assistant_;
  std::string run_id_;
};

// A request a line: of a person until an empty one, of a file to its end. Did all of them act?
Result<bool> converse(Context& context, Asking& asking) {
  const bool person = context.in_is_terminal;
  if (person) context.err << "Ask something; an empty line or Ctrl-D ends.\n";
  bool all = true;
  std::string line;
  while (true) {
    if (person) {
      context.err << "> " << std::flush;
      await_line(context);
    }
    if (context.cancel.cancelled()) return Error::cancelled();
    if (!std::getline(context.in, line)) return all;
    const auto text = trim(line);
    if (text.empty() && person) return all;
    if (text.empty()) continue;
    SLIPWAY_TRY(acted, asking.turn(std::string(text)));
    all = all && acted;
  }
}

CommandResult run_ask(Context& context, const Arguments& arguments) {
  SLIPWAY_TRY(bench, open_workbench(context, arguments, 2));
  SLIPWAY_TRY(spec, chosen_candidate(bench.project(), arguments));
  SLIPWAY_TRY(ready, bench.prepare(spec));
  Asking asking(context, arguments, bench, ready);
  SLIPWAY_CHECK(asking.begin(ready));
  const auto words = arguments.list("text");
  auto result = words.empty() ? converse(context, asking) : asking.turn(join(words, " "));
  SLIPWAY_CHECK(asking.end(result.ok() ? Status::success() : Status(result.error())));
  return *result ? 0 : 1;
}

}  // namespace

Command ask_command() {
  std::vector<Option> options = {{"candidate", "which candidate of slipway.toml", "NAME", ""},
                                 {"dry-run", "show the call, make no request", "", ""},
                                 {"yes", "confirm risky calls without asking", "", ""},
                                 trust_option(),
                                 project_option(),
                                 json_option()};
  for (auto& option : candidate_options()) options.push_back(option);
  return {.name = "ask",
          .summary =
              "Ask for something: the model writes a call, the call is made, the reply comes back",
          .details =
              "Without a text it reads lines and answers each. Exit code 0: it acted (or nothing "
              "was to be done);\n"
              "1: it did not. Every turn is a trace in the store.",
          .examples = {{"slipway ask \"play baby shark\"", "plays it"},
                       {"slipway ask --dry-run \"weather in boston\"", "shows the call only"},
                       {"slipway ask", "a conversation"}},
          .positionals = {{"text", "what to ask for", false, true}},
          .options = options,
          .run = run_ask};
}

}  // namespace slipway::cli
