#include "candidate/assistant.h"

#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <latch>

#include "http/server.h"

using namespace slipway;
using namespace slipway::candidate;

namespace {

// A model that says what it was told to say; the real ones are tested in src/model and by the
// scenarios.
class Parrot : public model::Model {
 public:
  explicit Parrot(std::string text) : text_(std::move(text)) {}
  const model::ModelInfo& info() const override { return info_; }
  Result<model::Completion> complete(const model::Request& request) override {
    timeout_ms = request.timeout_ms;
    model::Completion completion;
    completion.text = text_;
    if (is_cut) completion.finish = model::FinishReason::cancelled;
    return completion;
  }
  Status complete_all(std::span<const model::Request> requests, const Done& done,
                      CancelToken) override {
    for (size_t i = 0; i < requests.size(); ++i) done(i, complete(requests[i]));
    return Status::success();
  }
  Result<std::string> render(const std::vector<model::Message>&) const override {
    return std::string();
  }
  Result<std::vector<int32_t>> tokenize(std::string_view) const override {
    return std::vector<int32_t>();
  }
  int timeout_ms = -1;  // of the last request
  bool is_cut = false;  // as an answer is that was cancelled while it was written

 private:
  std::string text_;
  model::ModelInfo info_;
};

struct Fixture {
  http::Server server{{}};
  std::atomic<int> requests{0};
  int status = 200;
  std::string body;  // of the last request
  std::function<void()> on_request;
  Candidate candidate;
  json::Value context;
  std::vector<SpanRecord> spans;

  Fixture() {
    server.route("POST", "/play", [this](const http::ServerRequest& request) {
      requests += 1;
      body = request.body;
      if (on_request) on_request();
      return http::ServerResponse::json(status, R"({"title": "Baby Shark"})");
    });
    auto port = server.start();
    REQUIRE(port.ok());
    skill::Function play;
    play.skill = "music";
    play.name = "play";
    auto schema = json::Value::object();
    schema.set("type", "string");
    play.parameters = {{"title", "", schema, true, {}}};
    play.http.path = "/play";
    play.reply = "Playing {{ result.title }}.";
    auto skills = std::make_shared<skill::SkillSet>();
    REQUIRE(skills->add({"music", "", "http://127.0.0.1:" + std::to_string(*port), {play}}).ok());
    candidate.prompt = {"p", "{{ input }}"};
    candidate.skills = skills;
  }

  Turn answer(const std::string& output, bool dry_run = false, CancelToken cancel = {}) {
    Assistant assistant(candidate, std::make_shared<Parrot>(output),
                        std::make_shared<skill::Dispatcher>(skill::DispatchOptions{}));
    Tracer tracer("0123456789abcdef0123456789abcdef",
                  [this](SpanRecord s) { spans.push_back(std::move(s)); });
    auto turn = assistant.answer({.text = "play baby shark", .history = {}, .context = context},
                                 tracer, {.dry_run = dry_run, .cancel = cancel});
    REQUIRE(turn.ok());
    return *turn;
  }
};

}  // namespace

TEST_CASE("a call is made and the reply is phrased from the response") {
  Fixture f;
  const auto turn = f.answer("music.play(title=\"baby shark\")");
  CHECK(turn.acted);
  CHECK(f.requests == 1);
  CHECK(turn.calls.at(0).text == "music.play(title='baby shark')");
  CHECK(turn.reply == "Playing Baby Shark.");
  CHECK(f.spans.back().name == "turn");
}

TEST_CASE("it acted only when the service says so, whatever the model writes") {
  Fixture f;
  f.status = 500;
  const auto refused = f.answer("music.play(title='x')");
  CHECK_FALSE(refused.acted);
  CHECK(refused.calls.at(0).error.has_value());

  const auto boast = f.answer("I have started the music!");
  CHECK_FALSE(boast.acted);
  CHECK(boast.not_a_call.has_value());
}

TEST_CASE("the model has as long as the turn says") {
  Fixture f;
  const auto model = std::make_shared<Parrot>("none()");
  Assistant assistant(f.candidate, model, nullptr);
  const Tracer tracer;
  REQUIRE(assistant.answer({.text = "x"}, tracer, {.dry_run = true, .timeout_ms = 1234}).ok());
  CHECK(model->timeout_ms == 1234);
  REQUIRE(assistant.answer({.text = "x"}, tracer, {.dry_run = true}).ok());
  CHECK(model->timeout_ms == 0);
  REQUIRE(assistant.ask({.text = "x"}, tracer, tracer.span("model"), {}, 567).ok());
  CHECK(model->timeout_ms == 567);
}

TEST_CASE("what a model wrote before it was stopped is no answer") {
  Fixture f;
  const auto model = std::make_shared<Parrot>("music.play(ti");
  model->is_cut = true;
  const auto turn = Assistant(f.candidate, model, nullptr).answer({.text = "x"}, Tracer(), {});
  REQUIRE_FALSE(turn.ok());
  CHECK(turn.error().code() == ErrorCode::cancelled);
}

TEST_CASE("no call and a dry run make no request") {
  Fixture f;
  CHECK_FALSE(f.answer("none()").acted);
  const auto dry = f.answer("music.play(title='x')", true);
  CHECK_FALSE(dry.acted);
  CHECK(dry.calls.size() == 1);
  CHECK(f.requests == 0);
}

TEST_CASE("calls beyond the bound are refused by name and not made") {
  Fixture f;
  f.candidate.grammar.max_calls = 2;
  const auto turn = f.answer(
      "music.play(title='a')\nmusic.play(title='b')\nmusic.play(title='c')\nmusic.play(title='d')");
  CHECK(f.requests == 2);
  CHECK_FALSE(turn.acted);
  REQUIRE(turn.calls.size() == 4);
  CHECK(turn.calls[1].outcome.acted);
  CHECK_FALSE(turn.calls[1].error.has_value());
  for (size_t i = 2; i < 4; ++i) {
    REQUIRE(turn.calls[i].error);
    CHECK(turn.calls[i].error->code() == ErrorCode::exhausted);
    CHECK(turn.calls[i].error->message() == "not made: an answer may make 2 calls");
  }
  CHECK(turn.reply.starts_with("Playing Baby Shark. Playing Baby Shark. "));
}

TEST_CASE("stopped, the call under way is given up and no further one is made") {
  CancelSource source;
  std::latch over(1);
  Fixture f;
  f.on_request = [&] {
    source.cancel();
    over.wait();
  };
  const auto turn = f.answer("music.play(title='a')\nmusic.play(title='b')\nmusic.play(title='c')",
                             false, source.token());
  over.count_down();
  CHECK(f.requests == 1);
  CHECK_FALSE(turn.acted);
  REQUIRE(turn.calls.size() == 3);
  for (const auto& call : turn.calls) {
    REQUIRE(call.error);
    CHECK(call.error->code() == ErrorCode::cancelled);
  }
  CHECK(turn.calls[2].error->message() == "stopped");
  CHECK(turn.reply == "I could not do that: music.play: cancelled. I could not do that: stopped.");
  const auto dry = f.answer("music.play(title='a')", true, source.token());
  CHECK_FALSE(dry.calls.at(0).error.has_value());
}

TEST_CASE("a form of a model family is read, and its error is the turn's") {
  Fixture f;
  f.candidate.grammar.form = skill::CallForm::llama3;
  CHECK(f.answer(R"({"name": "music.play", "parameters": {"title": "baby shark"}})").acted);
  const auto broken = f.answer(R"({"name": "music.play", "parameters": {"title"}})");
  REQUIRE(broken.not_a_call);
  CHECK(broken.not_a_call->message().find("column 46") != std::string::npos);
  CHECK(f.requests == 1);
}

TEST_CASE("the service gets what the words mean by the clock of the context") {
  Fixture f;
  auto skills = std::make_shared<skill::SkillSet>(*f.candidate.skills);
  auto music = skills->skills()[0];
  music.name = "diary";
  music.functions[0].skill = "diary";
  music.functions[0].parameters[0].normaliser = "date";
  REQUIRE(skills->add(music).ok());
  f.candidate.skills = skills;
  const auto blind = f.answer("diary.play(title='tomorrow')");
  CHECK_FALSE(blind.acted);
  CHECK(blind.calls.at(0).error->message() ==
        "diary.play, argument 'title': expected a day with its year, or a context with a clock, "
        "got 'tomorrow'");
  CHECK(f.requests == 0);
  f.context = json::Value::object();
  f.context.set("clock", "2026-11-24T18:00:00");
  const auto told = f.answer("diary.play(title='tomorrow')");
  CHECK(told.acted);
  CHECK(told.calls.at(0).text == "diary.play(title='tomorrow')");
  CHECK(f.body == R"({"title":"2026-11-25"})");
}
