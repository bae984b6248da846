#include "serve/server.h"

#include <sys/resource.h>

#include <algorithm>

#include "base/clock.h"
#include "serve/access.h"
#include "serve/assistant.h"
#include "serve/health.h"
#include "serve/mlflow.h"
#include "serve/openai.h"
#include "serve/otlp.h"
#include "serve/ui.h"

namespace slipway::serve {
namespace {

constexpr int spare_threads = 4;  // for health checks and refusals when all others are busy

http::ServerOptions http_options(const ServerSettings& settings, CancelSource ending) {
  http::ServerOptions options;
  options.address = settings.address;
  options.port = settings.port;
  options.threads = 2 * settings.most_in_flight + spare_threads;  // models' and others
  options.max_body_bytes = settings.max_body_bytes;
  options.larger_bodies = {{"/api/2.0/mlflow-artifacts/", most_artifact_bytes},
                           {"/api/2.0/mlflow/", most_tracking_bytes},
                           {"/api/3.0/mlflow/", most_tracking_bytes},
                           {"/v1/traces", most_otlp_bytes},
                           {"/api/public/otel/", most_otlp_bytes}};
  options.max_connections = settings.max_connections;
  options.stop_grace_ms = settings.drain_ms;
  options.on_grace_over = [ending]() mutable { ending.cancel(); };
  options.on_failure = settings.on_failure;
  return options;
}

constexpr rlim_t most_files = 16'384;

std::shared_ptr<skill::Dispatcher> dispatcher(skill::DispatchOptions options, bool confirmed) {
  options.confirm = nullptr;
  if (confirmed) options.confirm = [](const skill::Call&, const skill::Function&) { return true; };
  return std::make_shared<skill::Dispatcher>(std::move(options));
}

}  // namespace

struct AppServer::Impl {
  explicit Impl(ServerSettings given)
      : settings(std::move(given)), server(http_options(settings, service.ending)) {
    settings.dispatch.cancel = service.ending.token();
  }

  Status open_shelf();
  Status describe(store::Run& run);
  Status open_run();
  Status listen();
  Status close_run();

  ServerSettings settings;
  Service service;
  http::Server server;  // after the service: its handlers use it
  int port = 0;
  bool open = false;
};

Status AppServer::Impl::open_shelf() {
  ShelfOptions options;
  options.names = settings.candidates;
  options.memory_bytes = settings.memory_bytes;
  options.on_note = settings.on_failure;
  options.dispatcher = dispatcher(settings.dispatch, false);
  options.confirming = dispatcher(settings.dispatch, true);
  options.open = [this](const std::string& name) -> Result<lab::Ready> {
    SLIPWAY_TRY(ready, settings.open(name));
    SLIPWAY_TRY(entity, settings.store->put_entity("candidate", ready.candidate.name,
                                                   ready.candidate.to_json()));
    return ready;
  };
  service.shelf = std::make_unique<Shelf>(std::move(options));
  if (settings.lazy) return Status::success();
  SLIPWAY_TRY(first, service.shelf->get(""));
  return Status::success();
}

Status AppServer::Impl::describe(store::Run& run) {
  run.experiment = settings.project;
  run.kind = "serve";
  run.name = "tracking";
  run.inputs = json::Value::object();
  if (settings.lazy) {
    if (settings.environment) run.environment = settings.environment(nullptr);
    return Status::success();
  }
  SLIPWAY_TRY(first, service.shelf->get(""));
  run.name = first->candidate.name;
  run.inputs.set("candidate", first->id)
      .set("model", first->candidate.model.name)
      .set("system_fingerprint", first->fingerprint);
  if (settings.environment) run.environment = settings.environment(first->model.get());
  return Status::success();
}

Status AppServer::Impl::open_run() {
  store::Run run;
  SLIPWAY_CHECK(describe(run));
  SLIPWAY_TRY(created, settings.store->create_run(std::move(run)));
  service.run_id = created.id;
  service.start_ms = created.start_ms;
  service.traces = std::make_unique<TraceLog>(settings.store, created.id, settings.on_failure);
  open = true;
  return Status::success();
}

Status AppServer::Impl::listen() {
  for (auto& guard :
       guards_of({.loopback = is_loopback(settings.address), .token = settings.token})) {
    server.guard(std::move(guard));
  }
  add_openai(server, service);
  add_assistant(server, service);
  add_health(server, service);
  add_mlflow(server, service);
  add_otlp(server, service);
  add_ui(server, {service.store, service.project});
  SLIPWAY_TRY(bound, server.start());
  port = bound;
  return Status::success();
}

Status AppServer::Impl::close_run() {
  if (!open) return Status::success();
  open = false;
  service.traces->flush();
  SLIPWAY_CHECK(settings.store->log_metrics(
      service.run_id, {{"requests", static_cast<double>(service.metrics->answered())}}));
  const auto lost = service.traces->lost();
  if (lost == 0) return settings.store->finish_run(service.run_id, store::RunStatus::finished);
  const auto failure = Error::unavailable(
      std::to_string(lost) + " spans of traces could not be written", "is the disk full?");
  SLIPWAY_CHECK(settings.store->finish_run(service.run_id, store::RunStatus::failed,
                                           failure.message()));
  return failure;
}

int connections_allowed() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return most_connections / 2;
  const rlimit raised{std::max(files.rlim_cur, std::min(files.rlim_max, most_files)),
                      files.rlim_max};
  if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) files = raised;
  // The other half is for the store, models and the calls of functions.
  return static_cast<int>(std::min<rlim_t>(most_connections, files.rlim_cur / 2));
}

AppServer::AppServer(Private, std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

AppServer::~AppServer() { static_cast<void>(drain().ok()); }

Result<std::unique_ptr<AppServer>> AppServer::start(ServerSettings settings) {
  if (!is_loopback(settings.address) && settings.token.empty()) {
    return Error::invalid_input("a server that others can reach needs a token",
                                "set SLIPWAY_TOKEN, or listen on 127.0.0.1");
  }
  auto impl = std::make_unique<Impl>(std::move(settings));
  auto& service = impl->service;
  service.project = impl->settings.project;
  service.store = impl->settings.store;
  service.local_clock = impl->settings.local_clock;
  service.request_timeout_ms = impl->settings.request_timeout_ms;
  service.metrics = std::make_unique<Metrics>(impl->settings.most_in_flight);
  SLIPWAY_CHECK(impl->open_shelf());
  SLIPWAY_CHECK(impl->open_run());
  auto server = std::make_unique<AppServer>(Private{}, std::move(impl));
  if (auto listening = server->impl_->listen(); !listening.ok()) {
    static_cast<void>(
        server->impl_->settings.store
            ->finish_run(server->run_id(), store::RunStatus::failed, listening.error().message())
            .ok());
    server->impl_->open = false;
    return listening.error();
  }
  return server;
}

std::string AppServer::url() const {
  const auto& address = impl_->settings.address;
  const bool v6 = address.find(':') != std::string::npos;
  return "http://" + (v6 ? "[" + address + "]" : address) + ":" + std::to_string(impl_->port);
}

int AppServer::port() const { return impl_->port; }
const std::string& AppServer::run_id() const { return impl_->service.run_id; }

Status AppServer::drain() {
  impl_->service.draining = true;
  impl_->server.stop();
  return impl_->close_run();
}

}  // namespace slipway::serve
