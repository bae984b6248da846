// The server that launches a project's candidates: all route groups over one run of kind `serve`,
// in which every request is a trace.
//
//     SLIPWAY_TRY(server, AppServer::start(std::move(options)));
//     server->url()        // "http://127.0.0.1:8080"
//     SLIPWAY_CHECK(server->drain());      // stops accepting, finishes what runs, closes the run
//
// start opens the first candidate before it listens, unless `lazy`: tracking needs no model. start
// and drain belong to one thread. Errors: those of opening the candidate; unavailable (address in
// use); invalid_input (address, no token off loopback).
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "json/value.h"
#include "lab/workbench.h"
#include "skill/dispatch.h"
#include "store/store.h"

namespace slipway::serve {

constexpr int most_connections = 1024;
// Raises the process's limit of open files as far as the system lets it, to 16,384 at most; how
// many connections that leaves, most_connections at most.
int connections_allowed();

struct ServerSettings {
  std::string project;                  // its name: the experiment of the run
  std::vector<std::string> candidates;  // the first is opened at once, and the default
  bool lazy = false;                    // each candidate is opened when it is first asked for
  std::function<Result<lab::Ready>(const std::string& name)> open;
  // Provenance for the run; nullptr when no model is open.
  std::function<json::Value(const model::Model*)> environment;
  std::shared_ptr<store::Store> store;
  skill::DispatchOptions dispatch;           // the server sets `confirm` and `cancel`
  std::function<std::string()> local_clock;  // "2026-11-24T18:00:00"
  std::string address = "127.0.0.1";
  int port = 8080;  // 0: the system chooses
  std::string token;
  int most_in_flight = 64;  // requests that a model answers or that wait for it; then 429
  int max_connections = most_connections;
  size_t max_body_bytes = 1 << 20;
  uint64_t memory_bytes = std::numeric_limits<uint64_t>::max();  // of the candidates that are open
  int request_timeout_ms = 120'000;
  int drain_ms = 30'000;  // then connections are cut and answers cancelled
  std::function<void(const std::string& line)> on_failure;
};

class AppServer {
  struct Impl;
  struct Private {};  // only `start` makes one

 public:
  static Result<std::unique_ptr<AppServer>> start(ServerSettings settings);
  AppServer(Private, std::unique_ptr<Impl> impl);
  ~AppServer();  // drains
  std::string url() const;
  int port() const;
  const std::string& run_id() const;
  Status drain();

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipway::serve
