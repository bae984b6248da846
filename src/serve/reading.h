// A server that shows a store and changes nothing: what `slipway open` and `serve --read-only` run.
//
//     SLIPWAY_TRY(server, ReadingServer::start({.store = store, .project = "home"}));
//     server->url()        // "http://127.0.0.1:8080"
//
// No model is opened and nothing but GET and HEAD is answered (405). Guards as serve/access.h has
// them. start and stop belong to one thread. Errors: unavailable (address in use), invalid_input
// (address, no token off loopback).
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "http/server.h"
#include "store/store.h"

namespace slipway::serve {

struct ReadingSettings {
  std::shared_ptr<store::Store> store;
  std::string project;  // its name
  std::string address = "127.0.0.1";
  int port = 0;  // 0: the system chooses
  std::string token;
  std::function<void(const std::string& line)> on_failure;
};

class ReadingServer {
  struct Private {};  // only `start` makes one

 public:
  static Result<std::unique_ptr<ReadingServer>> start(const ReadingSettings& settings);
  ReadingServer(Private, const http::ServerOptions& options) : server_(options) {}
  const std::string& url() const { return url_; }
  void stop() { server_.stop(); }

 private:
  http::Server server_;
  std::string url_;
};

// Refuses what is neither GET nor HEAD.
http::Guard only_reading();

}  // namespace slipway::serve
