// A scripted HTTP peer: a model behind an OpenAI-compatible endpoint, or a skill's service. It
// remembers what it was asked.
//
//     Peer model(says("weather.get_weather(location='boston')"));
//     Peer service([](const http::ServerRequest&, int nth) { return json_answer(500, "{}"); });
//     model.url();  model.count();  model.requests().front().body;
//
// Thread-safe once built.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "http/server.h"

namespace slipway::scenario {

class Peer {
 public:
  // `nth` counts from 0.
  using Script = std::function<http::ServerResponse(const http::ServerRequest&, int nth)>;
  explicit Peer(Script script);
  std::string url() const;       // http://127.0.0.1:PORT
  int count() const;
  std::vector<http::ServerRequest> requests() const;
  void stop() { server_.stop(); }

 private:
  http::ServerResponse answer(const http::ServerRequest& request);

  Script script_;
  mutable std::mutex mutex_;
  std::vector<http::ServerRequest> requests_;
  int port_ = 0;
  http::Server server_;  // last: its handlers use the members above
};

http::ServerResponse json_answer(int status, const std::string& body);
http::ServerResponse completion(const std::string& text);  // 10 prompt tokens, 5 written
// A script that always writes the same, or what `answer` makes of the last message.
Peer::Script says(std::string text);
Peer::Script says(std::function<std::string(const std::string& asked)> answer);
// What a chat request asks: its last message.
std::string asked_of(const http::ServerRequest& request);

// A port on which nobody listens.
int closed_port();

}  // namespace slipway::scenario
