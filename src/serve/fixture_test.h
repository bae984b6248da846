// For the tests of this folder: a server over scripted models and a store of its own, asked through
// real HTTP.
//
//     Fixture f;
//     auto answer = f.post("/v1/chat/completions", R"({"messages": [...]})");
//     answer.json().get("choices");
//
// Candidates: "words" (no functions), "home" (the skill `lights`, whose service is real too).
#pragma once

#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "http/server.h"
#include "json/value.h"
#include "serve/server.h"
#include "store/test_folder.h"

namespace slipway::serve {

using Script = std::function<Result<model::Completion>(const model::Request&)>;

class ScriptedModel : public model::Model {
 public:
  ScriptedModel() { info_.engine_id = "scripted"; }
  const model::ModelInfo& info() const override { return info_; }
  model::Memory memory() const override { return takes; }
  Result<model::Completion> complete(const model::Request& request) override {
    Script script;
    {
      const std::lock_guard lock(mutex_);
      script = script_;
      last_ = request;
    }
    return script(request);
  }
  Status complete_all(std::span<const model::Request>, const Done&, CancelToken) override {
    return Error::internal("not used here");
  }
  Result<std::string> render(const std::vector<model::Message>&) const override {
    return std::string();
  }
  Result<std::vector<int32_t>> tokenize(std::string_view) const override {
    return std::vector<int32_t>();
  }
  void set(Script script) {
    const std::lock_guard lock(mutex_);
    script_ = std::move(script);
  }
  model::Request last() const {
    const std::lock_guard lock(mutex_);
    return last_;
  }
  model::Memory takes;  // set before it is used

 private:
  mutable std::mutex mutex_;
  Script script_;
  model::Request last_;
  model::ModelInfo info_;
};

// Writes the pieces one by one; 7 prompt tokens, one token a piece, which has a log probability
// when it was asked for.
inline Script writes(std::vector<std::string> pieces) {
  return [pieces = std::move(pieces)](const model::Request& request) {
    model::Completion completion;
    for (const auto& piece : pieces) {
      completion.text += piece;
      if (request.on_text) request.on_text(piece);
      completion.tokens.push_back({1, piece, request.decoding.logprobs ? -0.5 : 0});
    }
    completion.prompt_tokens = 7;
    completion.completion_tokens = static_cast<int>(pieces.size());
    return completion;
  };
}

inline constexpr const char* lights_skill = R"({
  "slipway_skill": 1, "name": "lights", "base_url": "SERVICE",
  "tools": [
    {"type": "function", "function": {"name": "turn_on", "description": "Light.",
      "parameters": {"type": "object", "properties": {"room": {"type": "string"}},
        "required": ["room"]}}},
    {"type": "function", "function": {"name": "party", "description": "All of it.",
      "parameters": {"type": "object", "properties": {}}}}],
  "functions": {
    "turn_on": {"permission": "allow", "http": {"method": "POST", "path": "/on/{room}"},
      "reply": "Light in {{ result.room }}."},
    "party": {"permission": "confirm", "http": {"method": "POST", "path": "/party"},
      "reply": "Party."}}})";

struct Answer {
  int status = 0;
  http::Headers headers;
  std::string body;
  json::Value json() const {
    auto value = json::parse(body);
    INFO(body);
    REQUIRE(value.ok());
    return *value;
  }
};

struct Fixture {
  store::TestFolder folder;
  std::shared_ptr<ScriptedModel> model = std::make_shared<ScriptedModel>();
  std::atomic<int> called{0};
  http::Server service{http::ServerOptions{}};
  std::shared_ptr<store::Store> store = folder.open();
  ServerSettings settings;
  std::unique_ptr<AppServer> server;
  http::Client client;
  http::Headers headers = {{"Content-Type", "application/json"}};

  explicit Fixture(const std::function<void(ServerSettings&)>& change = {}) {
    for (const char* path : {"/on/{room}", "/party"}) {
      service.route("POST", path, [this](const http::ServerRequest&) {
        called += 1;
        return http::ServerResponse::json(200, R"({"room": "the kitchen"})");
      });
    }
    const auto port = service.start();
    REQUIRE(port.ok());
    model->set(writes({"Hel", "lo"}));
    settings.project = "house";
    settings.candidates = {"words", "home"};
    settings.store = store;
    settings.port = 0;
    settings.local_clock = [] { return "2026-11-24T18:00:00"; };
    settings.open = [this, port = *port](const std::string& name) -> Result<lab::Ready> {
      return lab::Ready{candidate_named(name, port), model};
    };
    if (change) change(settings);
    start();
  }

  void start() {
    auto started = AppServer::start(settings);
    const auto failure = started.ok() ? "" : started.error().to_string();
    INFO(failure);
    REQUIRE(started.ok());
    server = std::move(*started);
  }

  static candidate::Candidate candidate_named(const std::string& name, int port) {
    candidate::Candidate c;
    c.name = name;
    c.model = {.name = "scripted", .weights_sha256 = "abc", .adapter_sha256 = {}};
    c.prompt = {"plain", "{{ input }}"};
    auto skills = std::make_shared<skill::SkillSet>();
    if (name == "home") {
      std::string text = lights_skill;
      text.replace(text.find("SERVICE"), 7, "http://127.0.0.1:" + std::to_string(port));
      auto skill = skill::parse_skill(text);
      REQUIRE(skill.ok());
      REQUIRE(skills->add(std::move(*skill)).ok());
    }
    c.skills = skills;
    return c;
  }

  Answer send(http::Request request) {
    request.url = server->url() + request.url;
    auto response = client.send(request);
    const auto failure = response.ok() ? "" : response.error().to_string();
    INFO(failure);
    REQUIRE(response.ok());
    return {response->status, response->headers, response->body};
  }
  Answer get(const std::string& path) { return send({.url = path, .headers = headers}); }
  Answer post(const std::string& path, const std::string& body) {
    return send({.method = "POST", .url = path, .headers = headers, .body = body});
  }
  // One user message; `more` are further members.
  Answer chat(const std::string& model_name, const std::string& text,
              const std::string& more = {}) {
    return post("/v1/chat/completions", R"({"model": )" + json::quote(model_name) +
                                            R"(, "messages": [{"role": "user", "content": )" +
                                            json::quote(text) + "}]" + more + "}");
  }
};

inline const json::Value& choice_of(const json::Value& completion) {
  return completion.get("choices")->as_array().at(0);
}

}  // namespace slipway::serve
