#include <fmt/core.h>

#include <chrono>
#include <ostream>
#include <set>
#include <thread>

#include "base/clock.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/process.h"
#include "base/text.h"
#include "cli/models.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "cli/table.h"
#include "http/client.h"
#include "lab/ladder.h"

namespace slipway::cli {
namespace {

constexpr const char* kService = "http://127.0.0.1:8765";

const std::vector<std::string> kHeaders = {"",      "rung", "model", "exact match", "95 % interval",
                                           "valid", "p50",  "p95",   "tokens",      "run"};
const std::vector<int> kWidths = {1, 14, 27, 11, 14, 7, 8, 8, 6, 12};
const std::vector<bool> kRight = {true, false, false, true, true, true, true, true, true, false};

// Fetches the weights of every rung that the catalog knows.
Status fetch_models(Context& context, const lab::Workbench& bench, bool licence_accepted) {
  std::set<std::string> names;
  for (const auto& rung : bench.project().ladder.rungs) {
    SLIPWAY_TRY(spec, bench.project().candidate(rung));
    if (bench.catalog().find(spec.model)) names.insert(spec.model);
  }
  for (const auto& name : names) {
    SLIPWAY_TRY(path, pull_model(context, name, licence_accepted));
  }
  return Status::success();
}

// Whether the song can be asked for: the project's music is what home-service plays.
bool has_song(const lab::Project& project) {
  const auto* play = project.skills->find("music.play");
  const auto* skill = play ? project.skills->skill_of(*play) : nullptr;
  return skill && skill->base_url == kService;
}

bool service_answers() {
  http::Client client;
  auto response = client.send({.url = std::string(kService) + "/health", .timeout_ms = 500});
  return response.ok() && response->status == 200;
}

// The example's skills are a service of their own; it runs as long as the demo.
Result<std::optional<BackgroundProcess>> start_service(Context& context,
                                                       const lab::Project& project) {
  if (!has_song(project) || service_answers()) return std::optional<BackgroundProcess>();
  const auto program = files::join(files::parent(context.executable), "home-service");
  if (!files::exists(program)) {
    return Error::not_found("no skill service at " + program, "build it: ./scripts/demo does");
  }
  const auto folder = project.path(".slipway/service");
  SLIPWAY_CHECK(files::make_directories(folder));
  SLIPWAY_TRY(process,
              BackgroundProcess::start({program, "--port", "8765", "--music-folder",
                                        files::join(folder, "music"), "--state-folder", folder},
                                       {}, files::join(folder, "service.log")));
  const double deadline = steady_ms() + 10'000;
  while (!service_answers()) {
    if (!process.running() || steady_ms() > deadline) {
      return Error::unavailable(
          "the skill service did not start",
          "see " + files::join(folder, "service.log") + "; is port 8765 in use?");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return std::optional<BackgroundProcess>(std::move(process));
}

std::string rung_line(const lab::Rung& rung, size_t number) {
  const auto& r = rung.result.report;
  const auto interval = r.exact.interval();
  const bool computed = r.computed() > 0;
  return Table::line({std::to_string(number), rung.spec.name, shorten(rung.spec.model, 27),
                      percent(r.exact.rate()), percent_interval(interval.low, interval.high),
                      percent(r.valid.rate()), computed ? duration(r.latency_p50_ms) : "kept",
                      computed ? duration(r.latency_p95_ms) : "kept",
                      fmt::format("{:.0f}", r.tokens_per_case()), short_id(rung.result.run_id)},
                     kWidths, kRight);
}

// Says it aloud at the end: a request by the last rung's candidate that makes the service play.
CommandResult play(Context& context, const Arguments& arguments, const std::string& candidate) {
  context.out << "\n$ slipway ask \"play baby shark\"\n" << std::flush;
  auto words = std::vector<std::string>{"ask", "--candidate", candidate};
  if (arguments.has("project")) words.insert(words.end(), {"--project", arguments.text("project")});
  words.push_back("play baby shark");
  const int code = run_program(context, words);
  if (code > 1) return Error::internal("the last request failed");
  return code;
}

json::Value climb_json(const lab::Climb& climb) {
  auto rungs = json::Value::array();
  for (const auto& rung : climb.rungs) {
    auto value = rung.result.report.to_json();
    value.set("rung", rung.spec.name)
        .set("model", rung.spec.model)
        .set("prompt", rung.spec.prompt)
        .set("run_id", rung.result.run_id)
        .set("candidate", rung.candidate_id);
    rungs.push_back(std::move(value));
  }
  auto value = json::Value::object();
  value.set("run_id", climb.run_id).set("rungs", std::move(rungs));
  return value;
}

void print_next(Context& context, const lab::Climb& climb) {
  const auto& first = climb.rungs.front().result.run_id;
  const auto& last = climb.rungs.back().result.run_id;
  context.out << "\nEverything above is recorded. Next:\n"
              << fmt::format("  slipway show {:<28} one rung, case by case\n", short_id(last))
              << fmt::format("  slipway compare {} {}  what the climb fixed, and broke\n",
                             short_id(first), short_id(last))
              << "  slipway ask                               talk to it\n";
}

CommandResult run_demo(Context& context, const Arguments& arguments) {
  SLIPWAY_TRY(bench, open_workbench(context, arguments));
  SLIPWAY_CHECK(fetch_models(context, bench, arguments.flag("accept-licence")));
  SLIPWAY_TRY(service, start_service(context, bench.project()));
  const bool json = arguments.flag("json");
  if (!json) context.out << Table::line(kHeaders, kWidths, kRight) << std::flush;

  ProgressLine progress(context, "demo");
  lab::ClimbOptions options;
  options.fresh = arguments.flag("fresh");
  options.cancel = context.cancel;
  options.on_progress = [&](const lab::CandidateSpec& spec, const eval::Progress& p) {
    progress.update(fmt::format("{}: {} of {}, {} right", spec.name, p.done, p.total, p.passed),
                    static_cast<double>(p.done) / static_cast<double>(p.total), p.eta_ms);
  };
  std::string member;  // " 1 of 2"
  options.tune_hooks.on_member = [&](int n, int members) {
    member = fmt::format(" {} of {}", n, members);
  };
  options.tune_hooks.on_progress = [&](const lab::FitProgress& p) {
    progress.update(fmt::format("training{}: step {} of {}, loss {:.3f}", member, p.step,
                                p.total_steps, p.losses->back()),
                    static_cast<double>(p.step) / static_cast<double>(p.total_steps), p.eta_ms);
  };
  options.tune_hooks.on_dev = [&](const eval::Progress& p) {
    progress.update(fmt::format("training{}: dev {} of {}, {} right", member, p.done, p.total,
                                p.passed),
                    static_cast<double>(p.done) / static_cast<double>(p.total), p.eta_ms);
  };
  size_t number = 0;
  options.on_rung = [&](const lab::Rung& rung) {
    progress.clear();
    ++number;
    if (!json) context.out << rung_line(rung, number) << std::flush;
  };
  auto climbed = lab::climb(bench, options);
  progress.clear();
  if (!climbed.ok() && climbed.error().code() == ErrorCode::cancelled) {
    return Error::cancelled(
        "stopped; every answer so far and the training's checkpoint are kept, and the same command "
        "goes on from there");
  }
  SLIPWAY_TRY(climb, std::move(climbed));
  if (json) {
    context.out << climb_json(climb).pretty() << "\n";
    return 0;
  }
  SLIPWAY_TRY(code, has_song(bench.project())
                        ? play(context, arguments, climb.rungs.back().spec.name)
                        : CommandResult(0));
  print_next(context, climb);
  return code;
}

}  // namespace

Command demo_command() {
  return {
      .name = "demo",
      .summary =
          "Climb the ladder on the home example: fetch the models, measure each rung, play a song",
      .details =
          "Answers that were computed before are remembered (latency then says `kept`); --fresh "
          "computes all anew.\n"
          "Of another project it climbs the ladder and plays nothing.",
      .examples = {{"slipway demo --project examples/home", "everything"},
                   {"slipway demo --project examples/home --fresh", "nothing remembered"}},
      .options = {{"fresh", "compute every answer anew", "", ""},
                  {"accept-licence", "accept the models' licences without being asked", "", ""},
                  project_option(),
                  json_option()},
      .run = run_demo};
}

}  // namespace slipway::cli
