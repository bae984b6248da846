#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <ostream>
#include <thread>

#include "base/files.h"
#include "base/memory.h"
#include "base/text.h"
#include "cli/session.h"
#include "serve/access.h"
#include "serve/reading.h"
#include "serve/server.h"

namespace slipway::cli {
namespace {

constexpr auto signal_pause = std::chrono::milliseconds(50);

// --candidate as often as given, else the project's own; the others of the project follow, unless
// --only.
Result<std::vector<lab::CandidateSpec>> served_candidates(const lab::Project& project,
                                                          const Arguments& arguments) {
  std::vector<lab::CandidateSpec> specs;
  const auto wanted = arguments.list("candidate");
  if (arguments.flag("lazy") && wanted.empty() && project.default_candidate.empty()) return specs;
  if (wanted.size() <= 1) {
    SLIPWAY_TRY(spec, chosen_candidate(project, arguments));
    specs.push_back(std::move(spec));
  } else {
    for (const auto& name : wanted) {
      SLIPWAY_TRY(spec, project.candidate(name));
      specs.push_back(std::move(spec));
    }
  }
  if (arguments.flag("only")) return specs;
  for (const auto& other : project.candidates) {
    const bool there = std::any_of(specs.begin(), specs.end(),
                                   [&](const auto& spec) { return spec.name == other.name; });
    if (!there) specs.push_back(other);
  }
  return specs;
}

// $SLIPWAY_TOKEN; off loopback else the stored one. `from_file` says which, for people.
Result<std::string> token_for(const Context& context, const std::string& address, bool& from_file) {
  from_file = false;
  if (auto given = context.environment("SLIPWAY_TOKEN"); given && !given->empty()) {
    if (given->size() >= 16) return *given;
    return Error::invalid_input("SLIPWAY_TOKEN has fewer than 16 characters",
                                "make one: `openssl rand -hex 32`");
  }
  if (serve::is_loopback(address)) return std::string();
  from_file = true;
  return serve::stored_token(config_folder(context));
}

Result<serve::ServerSettings> settings_for(Context& context, const Arguments& arguments,
                                           lab::Workbench& bench,
                                           std::vector<lab::CandidateSpec> specs) {
  serve::ServerSettings settings;
  settings.project = bench.project().name;
  for (const auto& spec : specs) settings.candidates.push_back(spec.name);
  settings.open = [&bench, specs = std::move(specs)](const std::string& name) {
    for (const auto& spec : specs) {
      if (spec.name == name) return bench.prepare(spec);
    }
    return Result<lab::Ready>(Error::not_found("no candidate '" + name + "'"));
  };
  settings.lazy = arguments.flag("lazy");
  settings.environment = [&bench](const model::Model* model) {
    return model ? bench.environment_of(*model) : bench.environment();
  };
  settings.store = bench.store();
  settings.dispatch = bench.dispatch_options();
  settings.dispatch.cancel = {};  // a call that runs is finished, also when we are asked to stop
  settings.local_clock = local_clock;
  settings.address = arguments.text("host") == "localhost" ? "127.0.0.1" : arguments.text("host");
  SLIPWAY_TRY(port, arguments.integer("port", 0, 65535));
  settings.port = static_cast<int>(port);
  SLIPWAY_TRY(most, arguments.integer("most-requests", 1, 512));
  settings.most_in_flight = static_cast<int>(most);
  settings.max_connections = serve::connections_allowed();
  settings.memory_bytes = usable_memory() / 2;
  if (arguments.has("memory")) {
    SLIPWAY_TRY(memory, arguments.bytes("memory"));
    settings.memory_bytes = memory;
  }
  settings.on_failure = [&context](const std::string& line) {
    context.err << "slipway: " + printable_line(line) + "\n" << std::flush;
  };
  return settings;
}

void announce(Context& context, const Arguments& arguments, const serve::AppServer& server,
              const serve::ServerSettings& settings, bool from_file) {
  const auto first = settings.candidates.empty() ? std::string() : settings.candidates[0];
  const auto token_file = from_file ? serve::token_path(config_folder(context)) : std::string();
  if (arguments.flag("json")) {
    auto value = json::Value::object();
    value.set("url", server.url())
        .set("candidate", first)
        .set("run_id", server.run_id())
        .set("token_required", !settings.token.empty());
    if (from_file) value.set("token_file", token_file);
    context.out << value.dump() << "\n" << std::flush;
    return;
  }
  if (first.empty()) {
    context.out << "tracking '" << settings.project << "' on " << server.url()
                << "\n\n  export MLFLOW_TRACKING_URI=" << server.url()
                << "\n\nCtrl-C finishes what runs and ends.\n"
                << std::flush;
    return;
  }
  const auto shown = from_file ? "$(cat " + token_file + ")" : std::string("$SLIPWAY_TOKEN");
  const auto header =
      settings.token.empty() ? std::string() : " -H \"Authorization: Bearer " + shown + "\"";
  context.out
      << "serving '" << first << "' of '" << settings.project << "' on " << server.url() << "\n\n"
      << "  curl " << server.url() << "/v1/assistant" << header
      << " \\\n    -H 'Content-Type: application/json' -d '{\"input\": \"play baby shark\"}'"
      << "\n\nOpenAI clients: base_url " << server.url() << "/v1, model '" << first
      << "'. MLflow's: the tracking URI " << server.url()
      << ". Ctrl-C finishes what runs and ends.\n"
      << std::flush;
}

// A large answer's memory goes back to the system when it is sent, whichever thread made it.
void give_memory_back() {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 1 << 20);
  mallopt(M_TRIM_THRESHOLD, 4 << 20);
  mallopt(M_ARENA_MAX, 4);
#endif
}

CommandResult run_read_only(Context& context, const Arguments& arguments) {
  SLIPWAY_TRY(store, open_store(context, arguments));
  serve::ReadingSettings settings;
  settings.store = store;
  settings.project = files::filename(files::parent(store->folder()));
  settings.address = arguments.text("host") == "localhost" ? "127.0.0.1" : arguments.text("host");
  SLIPWAY_TRY(port, arguments.integer("port", 0, 65535));
  settings.port = static_cast<int>(port);
  bool from_file = false;
  SLIPWAY_TRY(token, token_for(context, settings.address, from_file));
  settings.token = std::move(token);
  SLIPWAY_TRY(server, serve::ReadingServer::start(settings));
  if (arguments.flag("json")) {
    auto value = json::Value::object();
    value.set("url", server->url()).set("token_required", !settings.token.empty());
    if (from_file) value.set("token_file", serve::token_path(config_folder(context)));
    context.out << value.dump() << "\n" << std::flush;
  } else {
    context.out << "showing the store of '" << settings.project << "' on " << server->url() << "\n"
                << std::flush;
  }
  while (!context.cancel.cancelled()) std::this_thread::sleep_for(signal_pause);
  server->stop();
  return 0;
}

CommandResult run_serve(Context& context, const Arguments& arguments) {
  give_memory_back();
  if (arguments.flag("read-only")) return run_read_only(context, arguments);
  SLIPWAY_TRY(bench, open_workbench(context, arguments));
  SLIPWAY_TRY(specs, served_candidates(bench.project(), arguments));
  SLIPWAY_TRY(settings, settings_for(context, arguments, bench, std::move(specs)));
  bool from_file = false;
  SLIPWAY_TRY(token, token_for(context, settings.address, from_file));
  settings.token = std::move(token);
  SLIPWAY_TRY(server, serve::AppServer::start(settings));
  announce(context, arguments, *server, settings, from_file);
  while (!context.cancel.cancelled()) std::this_thread::sleep_for(signal_pause);
  context.err << "finishing what runs; once more to end at once\n" << std::flush;
  SLIPWAY_CHECK(server->drain());
  return 0;
}

}  // namespace

Command serve_command() {
  std::vector<Option> options = {
      {"candidate", "which candidate of slipway.toml answers by default", "NAME", ""},
      {"only", "serve no other candidate of the project", "", ""},
      {"lazy", "open a candidate when it is first asked for; tracking needs none", "", ""},
      {"host", "the IP address to listen on; off loopback a token is needed", "ADDRESS",
       "127.0.0.1"},
      {"port", "0: the system chooses", "PORT", "8080"},
      {"sequences", "answered side by side", "N", "16"},
      {"memory", "for the candidates kept open, such as 4G [half of what there is]", "SIZE", ""},
      {"read-only", "show the store and change nothing; no model is opened", "", ""},
      {"most-requests", "answered by models at once; more are refused (429)", "N", "64"},
      trust_option(),
      project_option(),
      json_option()};
  for (auto& option : candidate_options()) options.push_back(option);
  return {
      .name = "serve",
      .summary = "Serve candidates and tracking: the OpenAI API, the assistant, MLflow, OTLP",
      .details =
          "POST /v1/chat/completions, GET /v1/models, POST /v1/assistant, POST /v1/feedback,\n"
          "GET /metrics, /healthz, /readyz; MLflow's tracking REST and OpenTelemetry's traces\n"
          "(POST /v1/traces), see docs/tracking.md; GET / is the page. Every request is a trace\n"
          "in the store. Off loopback the token is $SLIPWAY_TOKEN, or one made in the user's\n"
          "configuration folder. SIGTERM and Ctrl-C: no new request is taken, what runs is\n"
          "finished, exit code 0.",
      .examples = {{"slipway serve", "the project's candidate on http://127.0.0.1:8080"},
                   {"slipway serve --candidate tuned --only --port 9000", "that one and no other"},
                   {"slipway serve --lazy",
                    "a tracking server: no model is opened until asked for"},
                   {"slipway serve --host 0.0.0.0", "for other machines, with a token"}},
      .positionals = {},
      .options = options,
      .run = run_serve};
}

}  // namespace slipway::cli
