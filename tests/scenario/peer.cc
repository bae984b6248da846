#include "peer.h"

#include <doctest/doctest.h>

#include "json/value.h"

namespace slipway::scenario {

Peer::Peer(Script script) : script_(std::move(script)), server_({.port = 0}) {
  for (const char* method : {"GET", "POST", "PUT"}) {
    server_.route(method, "/{rest*}", [this](const auto& request) { return answer(request); });
  }
  auto port = server_.start();
  REQUIRE(port.ok());
  port_ = *port;
}

std::string Peer::url() const { return "http://127.0.0.1:" + std::to_string(port_); }

int Peer::count() const {
  const std::lock_guard lock(mutex_);
  return static_cast<int>(requests_.size());
}

std::vector<http::ServerRequest> Peer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

http::ServerResponse Peer::answer(const http::ServerRequest& request) {
  int nth = 0;
  {
    const std::lock_guard lock(mutex_);
    nth = static_cast<int>(requests_.size());
    requests_.push_back(request);
  }
  return script_(request, nth);
}

http::ServerResponse json_answer(int status, const std::string& body) {
  return http::ServerResponse::json(status, body);
}

http::ServerResponse completion(const std::string& text) {
  return json_answer(200, R"({"choices": [{"message": {"role": "assistant", "content": )" +
                              json::quote(text) + R"(}, "finish_reason": "stop"}], )" +
                              R"("usage": {"prompt_tokens": 10, "completion_tokens": 5}})");
}

Peer::Script says(std::string text) {
  return [text = std::move(text)](const http::ServerRequest&, int) { return completion(text); };
}

Peer::Script says(std::function<std::string(const std::string&)> answer) {
  return [answer = std::move(answer)](const http::ServerRequest& request, int) {
    return completion(answer(asked_of(request)));
  };
}

std::string asked_of(const http::ServerRequest& request) {
  const auto body = json::parse(request.body);
  if (!body.ok() || !body->get("messages") || body->get("messages")->size() == 0) return {};
  return body->get("messages")->as_array().back().text("content");
}

int closed_port() {
  http::Server server({.port = 0});
  const auto port = server.start();
  REQUIRE(port.ok());
  return *port;
}

}  // namespace slipway::scenario
