// promote, rollback and releases: the moves of an alias.
#include <fmt/core.h>

#include <ostream>

#include "base/clock.h"
#include "base/hash.h"
#include "base/text.h"
#include "cli/session.h"
#include "cli/table.h"
#include "lab/releases.h"

namespace slipway::cli {
namespace {

std::string who(const Context& context) {
  for (const auto* name : {"USER", "LOGNAME"}) {
    if (auto user = context.environment(name); user && !user->empty()) return *user;
  }
  return "unknown";
}

json::Value release_json(const store::Release& release) {
  auto value = json::Value::object();
  value.set("number", release.number)
      .set("alias", release.alias)
      .set("action", release.action)
      .set("candidate", release.candidate)
      .set("candidate_name", release.candidate_name)
      .set("engine_id", release.engine_id)
      .set("gate_run_id", release.gate_run_id)
      .set("forced", release.forced() && release.action == "promote")
      .set("because", release.because)
      .set("who", release.who)
      .set("time", iso8601_utc(release.unix_ms));
  return value;
}

void print_release(Context& context, const Arguments& arguments, const store::Release& release) {
  if (arguments.flag("json")) {
    context.out << release_json(release).pretty() << "\n";
    return;
  }
  context.out << fmt::format("'{}' is now {} (candidate {})\n", release.alias,
                             printable_line(release.candidate_name), short_id(release.candidate));
}

CommandResult run_promote(Context& context, const Arguments& arguments) {
  const auto because = arguments.text("because");
  if (arguments.flag("force") != !because.empty()) {
    return Error::invalid_input("--force and --because belong together",
                                "say why the gate is passed over: --force --because TEXT");
  }
  SLIPWAY_TRY(bench, open_workbench(context, arguments, 2));
  lab::Promotion promotion;
  promotion.alias = arguments.text("alias");
  promotion.gate_run = arguments.text("gate");
  promotion.because = because;
  promotion.who = who(context);
  SLIPWAY_TRY(release, lab::promote(bench, arguments.text("candidate"), promotion));
  print_release(context, arguments, release);
  return 0;
}

CommandResult run_rollback(Context& context, const Arguments& arguments) {
  SLIPWAY_TRY(store, open_store(context, arguments));
  SLIPWAY_TRY(release,
              store->roll_back(arguments.text("alias"), who(context), arguments.text("because")));
  print_release(context, arguments, release);
  return 0;
}

CommandResult run_releases(Context& context, const Arguments& arguments) {
  SLIPWAY_TRY(store, open_store(context, arguments));
  SLIPWAY_TRY(releases, store->releases(arguments.text("alias")));
  if (arguments.flag("json")) {
    auto list = json::Value::array();
    for (const auto& release : releases) list.push_back(release_json(release));
    context.out << list.pretty() << "\n";
    return 0;
  }
  if (releases.empty()) {
    context.out << "Nothing was released yet. Next: slipway gate NAME --against NAME\n";
    return 0;
  }
  Table table({"when", "alias", "what", "candidate", "id", "gate", "who", "because"});
  for (const auto& release : releases) {
    table.row({when(release.unix_ms), release.alias, release.action,
               shorten(release.candidate_name, 28), short_id(release.candidate),
               release.gate_run_id.empty() ? "none" : short_id(release.gate_run_id), release.who,
               shorten(release.because, 40)});
  }
  context.out << table.text();
  return 0;
}

Option alias_option() { return {"alias", "which alias", "NAME", "production"}; }

}  // namespace

Command promote_command() {
  return {.name = "promote",
          .summary = "Let an alias point to a candidate that passed its gate",
          .details =
              "The gate run must be a pass for this very candidate on this engine. --force "
              "passes it over and records why.",
          .examples = {{"slipway promote tuned --gate 3f2a", "release what the gate passed"},
                       {"slipway promote naive --force --because \"the first release\"",
                        "there is nothing to compare with yet"}},
          .positionals = {{"candidate", "a candidate of slipway.toml, or an alias"}},
          .options = {alias_option(),
                      {"gate", "the gate run that proves it", "RUN", ""},
                      {"force", "without a pass", "", ""},
                      {"because", "why it is forced", "TEXT", ""},
                      project_option(),
                      json_option()},
          .run = run_promote};
}

Command rollback_command() {
  return {.name = "rollback",
          .summary = "Let an alias point to the release before",
          .examples = {{"slipway rollback --because \"too slow in the kitchen\"",
                        "production is what it was before"}},
          .options = {alias_option(),
                      {"because", "why, for the history", "TEXT", ""},
                      project_option(),
                      json_option()},
          .run = run_rollback};
}

Command releases_command() {
  return {.name = "releases",
          .summary = "List what was released: when, by whom, on what evidence",
          .examples = {{"slipway releases --alias production", "newest first"}},
          .options = {{"alias", "only this alias", "NAME", ""}, project_option(), json_option()},
          .run = run_releases};
}

}  // namespace slipway::cli
