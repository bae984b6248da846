#include "serve/server.h"

#include <sys/resource.h>

#include <latch>
#include <thread>

#include "dataset/dataset.h"
#include "http/raw_socket_test.h"
#include "http/sse.h"
#include "serve/fixture_test.h"

using namespace slipway;
using namespace slipway::serve;

namespace {

std::vector<std::string> events_of(const std::string& body) {
  std::vector<std::string> events;
  http::SseParser parser;
  const auto fed = parser.feed(body, [&](const http::SseEvent& event) {
    events.push_back(event.data);
    return true;
  });
  REQUIRE(fed.ok());
  return events;
}

json::Value parsed(const std::string& text) {
  auto value = json::parse(text);
  REQUIRE_MESSAGE(value.ok(), text);
  return *value;
}

constexpr const char* with_clock_tool = R"(, "tools": [{"type": "function", "function":
  {"name": "get_time", "parameters": {"type": "object", "properties":
  {"zone": {"type": "string"}}, "required": ["zone"], "additionalProperties": false},
  "strict": true}}])";

}  // namespace

TEST_CASE("the candidates are the models") {
  Fixture f;
  const auto list = f.get("/v1/models").json();
  CHECK(list.text("object") == "list");
  REQUIRE(list.get("data")->size() == 2);
  CHECK(list.get("data")->as_array()[0].text("id") == "words");
  CHECK(list.get("data")->as_array()[0].text("owned_by") == "house");
  CHECK(f.get("/v1/models/home").json().text("object") == "model");
  CHECK(f.get("/v1/models/nobody").status == 404);
}

TEST_CASE("a chat completion has text, usage, fingerprint and a trace") {
  Fixture f;
  const auto answer = f.chat("words", "hi", R"(, "logprobs": true)");
  CHECK(answer.status == 200);
  const auto body = answer.json();
  CHECK(body.text("object") == "chat.completion");
  CHECK(body.text("model") == "words");
  CHECK(body.text("system_fingerprint").starts_with("fp_"));
  CHECK(choice_of(body).get("message")->text("content") == "Hello");
  CHECK(choice_of(body).get("logprobs")->get("content")->as_array().at(1).text("token") == "lo");
  CHECK(choice_of(body).text("finish_reason") == "stop");
  CHECK(body.get("usage")->number("total_tokens") == 9);
  CHECK(f.model->last().messages.at(0).content == "hi");
  const auto trace_id = *http::find_header(answer.headers, "X-Slipway-Trace");
  CHECK(body.text("id") == "chatcmpl-" + trace_id);
  REQUIRE(f.server->drain().ok());
  const auto trace = f.store->trace(trace_id);
  REQUIRE(trace.ok());
  CHECK(trace->at(0).name == "chat");
  CHECK(f.store->traces_of_run(f.server->run_id())->size() == 1);
}

TEST_CASE("a stream gives the same in pieces") {
  Fixture f;
  const auto answer = f.chat("words", "hi", R"(, "stream": true, "stream_options":
                                                {"include_usage": true})");
  CHECK(*http::find_header(answer.headers, "Content-Type") == "text/event-stream");
  const auto events = events_of(answer.body);
  REQUIRE(events.size() >= 5);
  CHECK(events.back() == "[DONE]");
  CHECK(choice_of(parsed(events[0])).get("delta")->text("role") == "assistant");
  std::string text, finish;
  for (size_t i = 0; i + 2 < events.size(); ++i) {
    const auto chunk = parsed(events[i]);
    CHECK(chunk.text("object") == "chat.completion.chunk");
    text += choice_of(chunk).get("delta")->text("content");
    finish += choice_of(chunk).text("finish_reason");
  }
  CHECK(text == "Hello");
  CHECK(finish == "stop");
  CHECK(parsed(events[events.size() - 2]).get("usage")->number("completion_tokens") == 2);
}

TEST_CASE("log probabilities are given to who asks for them, whole or streamed") {
  Fixture f;
  CHECK(choice_of(f.chat("words", "hi").json()).get("logprobs")->is_null());
  const auto last_logprobs = [&](const std::string& more) {
    const auto events = events_of(f.chat("words", "hi", R"(, "stream": true)" + more).body);
    return *choice_of(parsed(events.at(events.size() - 2))).get("logprobs");
  };
  CHECK(last_logprobs("").is_null());
  const auto asked = last_logprobs(R"(, "logprobs": true)");
  REQUIRE(asked.get("content"));
  CHECK(asked.get("content")->as_array().at(1).number("logprob") == -0.5);
}

TEST_CASE("every root span says which candidate it was") {
  Fixture f;
  const auto id = Fixture::candidate_named("words", 0).id();
  const auto result = R"({"messages": [{"role": "user", "content": "x"},
    {"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "f"}}]},
    {"role": "tool", "tool_call_id": "c", "content": "y"}]})";
  for (const auto& answer :
       {f.chat("words", "hi"), f.chat("words", "hi", R"(, "stream": true)"),
        f.post("/v1/chat/completions", result), f.post("/v1/assistant", R"({"input": "hi"})")}) {
    CHECK_MESSAGE(answer.status == 200, answer.body);
  }
  f.model->set([](const model::Request&) -> Result<model::Completion> {
    return Error::unavailable("the endpoint has gone");
  });
  f.chat("words", "hi");
  f.chat("words", "hi", R"(, "stream": true)");
  f.post("/v1/assistant", R"({"input": "hi"})");
  REQUIRE(f.server->drain().ok());
  const auto traces = f.store->traces_of_run(f.server->run_id());
  REQUIRE(traces.ok());
  CHECK(traces->size() == 7);
  for (const auto& trace_id : *traces) {
    const auto spans = f.store->trace(trace_id);
    REQUIRE(spans.ok());
    for (const auto& span : *spans) {
      if (span.parent_span_id.empty()) CHECK_MESSAGE(span.text("candidate_id") == id, span.name);
    }
  }
}

TEST_CASE("a failure before the first word has its status, one after it an error event") {
  Fixture f;
  f.model->set([](const model::Request&) -> Result<model::Completion> {
    return Error::exhausted("the prompt has 5000 tokens", "shorten it");
  });
  const auto early = f.chat("words", "hi", R"(, "stream": true)");
  CHECK(early.status == 400);
  CHECK(early.json().get("error")->text("message") == "the prompt has 5000 tokens; shorten it");
  f.model->set([](const model::Request& request) -> Result<model::Completion> {
    if (request.on_text) request.on_text("Hel");
    return Error::unavailable("the endpoint has gone");
  });
  const auto late = f.chat("words", "hi", R"(, "stream": true)");
  CHECK(late.status == 200);
  const auto events = events_of(late.body);
  CHECK(parsed(events.back()).get("error")->text("type") == "server_error");
  CHECK(f.chat("words", "hi", R"(, "stream": false)").status == 503);
}

TEST_CASE("a candidate with skills answers with tool calls, and phrases the reply from results") {
  Fixture f;
  f.model->set(writes({"lights.turn_on(", "room='kitchen')"}));
  const auto body = f.chat("home", "light in the kitchen").json();
  CHECK(choice_of(body).text("finish_reason") == "tool_calls");
  CHECK(choice_of(body).get("message")->get("content")->is_null());
  const auto call = choice_of(body).get("message")->get("tool_calls")->as_array().at(0);
  CHECK(call.text("type") == "function");
  CHECK(call.get("function")->text("name") == "lights.turn_on");
  CHECK(call.get("function")->text("arguments") == R"({"room":"kitchen"})");
  CHECK(f.called == 0);

  const auto streamed = events_of(f.chat("home", "light", R"(, "stream": true)").body);
  const auto delta = parsed(streamed.at(streamed.size() - 3));
  const auto piece = choice_of(delta).get("delta")->get("tool_calls")->as_array().at(0);
  CHECK(piece.number("index", -1) == 0);
  CHECK(piece.get("function")->text("name") == "lights.turn_on");

  auto messages = json::Value::array();
  messages.push_back(parsed(R"({"role": "user", "content": "light in the kitchen"})"));
  messages.push_back(*choice_of(body).get("message"));
  auto result = json::Value::object();
  result.set("role", "tool").set("tool_call_id", call.text("id"));
  messages.push_back(result.set("content", R"({"room": "the kitchen"})"));
  auto again = json::Value::object();
  again.set("model", "home").set("messages", std::move(messages));
  const auto reply = f.post("/v1/chat/completions", again.dump()).json();
  CHECK(choice_of(reply).get("message")->text("content") == "Light in the kitchen.");
  CHECK(choice_of(reply).text("finish_reason") == "stop");
}

TEST_CASE("results are answered whatever functions the request leaves") {
  Fixture f;
  const auto reply = [&](const std::string& name, const std::string& more) {
    const auto answer = f.post("/v1/chat/completions", R"({"model": "home", "messages": [
        {"role": "user", "content": "light"},
        {"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": ")" + name +
                                                           R"(", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "c", "content": "{\"room\": \"the kitchen\"}"}])" +
                                                           more + "}");
    REQUIRE_MESSAGE(answer.status == 200, answer.body);
    return choice_of(answer.json()).get("message")->text("content");
  };
  for (const char* more : {"", R"(, "tool_choice": "none")", R"(, "tool_choice": "required")",
                           R"(, "response_format": {"type": "json_object"})",
                           R"(, "tool_choice": {"type": "function",
                                "function": {"name": "lights.party"}})"}) {
    CHECK_MESSAGE(reply("lights.turn_on", more) == "Light in the kitchen.", more);
  }
  // A function of the request before, whose tools are not sent again.
  CHECK(reply("get_time", "") == R"({"room":"the kitchen"})");
}

TEST_CASE("no call, no valid call, and a request's own functions") {
  Fixture f;
  f.model->set(writes({"none()"}));
  CHECK(choice_of(f.chat("home", "who are you").json()).get("message")->text("content") ==
        "I have no function for that.");
  f.model->set(writes({"lights.explode()"}));
  const auto odd = f.chat("home", "x").json();
  CHECK(choice_of(odd).get("message")->text("content") == "lights.explode()");
  CHECK(choice_of(odd).text("finish_reason") == "stop");
  f.model->set(writes({"get_time(zone='utc')"}));
  for (const char* model : {"words", "home"}) {
    const auto body = f.chat(model, "time", with_clock_tool).json();
    CHECK(choice_of(body).text("finish_reason") == "tool_calls");
  }
  CHECK(f.model->last().constraint == nullptr);
  const auto required =
      f.chat("words", "time", with_clock_tool + std::string(R"(, "tool_choice": "required")"));
  CHECK(required.status == 200);
  CHECK(f.model->last().constraint != nullptr);
  CHECK(f.chat("words", "time", R"(, "tool_choice": "required")").status == 400);
  const auto named = f.chat("home", "x", R"(, "tool_choice": {"type": "function",
                                            "function": {"name": "lights.party"}})");
  CHECK(f.model->last().constraint != nullptr);
  CHECK(named.status == 200);
  const auto none = f.chat("home", "time", R"(, "tool_choice": "none")").json();
  CHECK(choice_of(none).get("message")->text("content") == "get_time(zone='utc')");
}

TEST_CASE("the assistant calls, asks for confirmation, and can be dry") {
  Fixture f;
  f.model->set(writes({"lights.turn_on(room='kitchen')"}));
  const auto turn =
      f.post("/v1/assistant", R"({"model": "home", "input": "light", "context": {"room": "x"}})")
          .json();
  CHECK(turn.flag("acted"));
  CHECK(turn.text("reply") == "Light in the kitchen.");
  CHECK(f.called == 1);
  CHECK_FALSE(f.post("/v1/assistant", R"({"model": "home", "input": "light", "dry_run": true})")
                  .json()
                  .flag("acted"));
  CHECK(f.called == 1);
  f.model->set(writes({"lights.party()"}));
  const std::string party = R"({"model": "home", "input": "party")";
  const auto refused = f.post("/v1/assistant", party + "}").json();
  CHECK_FALSE(refused.flag("acted"));
  CHECK(f.called == 1);
  CHECK(f.post("/v1/assistant", party + R"(, "confirmed": true})").json().flag("acted"));
  CHECK(f.called == 2);
  for (const char* body : {R"({})", R"({"input": 5})", R"({"input": " "})", "[]", "{",
                           R"({"input": "x", "contxt": {}})", R"({"input": "x", "context": 5})",
                           R"({"input": "x", "dry_run": "yes"})"}) {
    CHECK_MESSAGE(f.post("/v1/assistant", body).status == 400, body);
  }
  CHECK(f.post("/v1/assistant", R"({"model": "hom", "input": "x"})").status == 404);
}

TEST_CASE("feedback becomes a row, and a span on the trace") {
  Fixture f;
  f.model->set(writes({"lights.turn_on(room='kitchen')"}));
  const auto id = f.chat("home", "light in the hall").json().text("id");
  const auto give = [&](const std::string& members) {
    return f.post("/v1/feedback", R"({"trace_id": ")" + id + R"(", )" + members + "}");
  };
  CHECK(give(R"("correct": false)").json().get("path")->is_null());
  const auto wrong =
      give(R"j("correct": false, "note": "n", "output": "lights.turn_on( room=\"hall\" )")j");
  REQUIRE(wrong.status == 200);
  const auto path = wrong.json().text("path");
  auto rows = dataset::load_dataset(path);
  REQUIRE(rows.ok());
  REQUIRE(rows->examples.size() == 1);
  CHECK(rows->examples[0].input == "light in the hall");
  CHECK(rows->examples[0].output == "lights.turn_on(room='hall')");
  CHECK(rows->examples[0].context.text("clock") == "2026-11-24T18:00:00");

  CHECK(give(R"("correct": true)").status == 200);  // changed their mind: the row is replaced
  rows = dataset::load_dataset(path);
  CHECK(rows->examples.size() == 1);
  CHECK(rows->examples[0].output == "lights.turn_on(room='kitchen')");
  const auto trace = f.store->trace(id.substr(9));
  CHECK(std::count_if(trace->begin(), trace->end(),
                      [](const auto& span) { return span.name == "feedback"; }) == 3);

  CHECK(give(R"("correct": false)").json().get("path")->is_null());  // withdrawn
  CHECK(dataset::load_dataset(path)->examples.empty());
  CHECK(give(R"("correct": true)").status == 200);
  CHECK(dataset::load_dataset(path)->examples.size() == 1);

  CHECK(give(R"j("correct": false, "output": "lights.explode()")j").status == 400);
  CHECK(give(R"("correct": false, "output": "lights.turn_on(")").status == 400);
  CHECK(give(R"("corect": false)").status == 400);
  CHECK(give(R"("note": "x")").status == 400);
  CHECK(f.post("/v1/feedback", R"({"trace_id": "0123", "correct": true})").status == 404);
}

TEST_CASE("mistakes are told in the form that OpenAI clients read") {
  Fixture f;
  const auto unknown = f.chat("wrods", "hi");
  CHECK(unknown.status == 404);
  const auto error = *unknown.json().get("error");
  CHECK(error.text("message") == "no model 'wrods' is served here; did you mean 'words'?");
  CHECK(error.text("type") == "invalid_request_error");
  CHECK(error.text("code") == "not_found");
  CHECK(f.chat("words", "hi", R"(, "response_format": {"type": "json_lines"})").status == 400);
  CHECK(f.post("/v1/chat/completions", "{").status == 400);
  CHECK(f.post("/v1/chat/completions", std::string(2 << 20, ' ')).status == 413);
}

// A server for one answer at a time, whose model says "late" once it may.
struct OneAtATime : Fixture {
  OneAtATime() : Fixture([](ServerSettings& given) { given.most_in_flight = 1; }) {
    model->set([this](const model::Request& request) {
      if (!running.try_wait()) running.count_down();  // the first
      go_on.wait();
      return writes({"late"})(request);
    });
  }
  std::latch running{1}, go_on{1};
};

TEST_CASE("more than is allowed at once is refused, and what runs is finished when it drains") {
  OneAtATime f;
  std::string late;
  std::jthread first([&] { late = f.chat("words", "hi").body; });
  f.running.wait();
  const auto busy = f.chat("words", "hi");
  CHECK(busy.status == 429);
  CHECK(*http::find_header(busy.headers, "Retry-After") == "1");
  CHECK(f.get("/metrics").body.find("slipway_requests_in_flight 1\n") != std::string::npos);
  const int port = f.server->port();
  Status drained;
  std::jthread stopping([&] { drained = f.server->drain(); });
  while (http::RawSocket(port).connected()) std::this_thread::yield();
  f.go_on.count_down();
  first.join();
  stopping.join();
  CHECK(drained.ok());
  CHECK(late.find("late") != std::string::npos);
  const auto run = f.store->find_run(f.server->run_id());
  CHECK(run->status == store::RunStatus::finished);
  CHECK(run->kind == "serve");
  CHECK(f.store->latest_metrics(run->id)->at("requests") == 1);
}

TEST_CASE("models that hang leave room for what asks none") {
  OneAtATime f;
  std::jthread first([&] { f.post("/v1/assistant", R"({"input": "hi"})"); });
  f.running.wait();
  CHECK(f.chat("words", "hi").status == 429);
  CHECK(f.post("/v1/assistant", R"({"input": "hi"})").status == 429);
  CHECK(f.post("/v1/feedback", R"({"trace_id": "0123", "correct": true})").status == 404);
  CHECK(f.post("/api/2.0/mlflow/experiments/create", R"({"name": "e"})").status == 200);
  CHECK(f.post("/v1/traces", R"({"resourceSpans": []})").status == 200);
  f.go_on.count_down();
  first.join();
  CHECK(f.chat("words", "hi").status == 200);
}

TEST_CASE("the model of an assistant has the time of a request") {
  Fixture f([](ServerSettings& settings) { settings.request_timeout_ms = 4321; });
  CHECK(f.post("/v1/assistant", R"({"input": "hi"})").status == 200);
  CHECK(f.model->last().timeout_ms == 4321);
}

TEST_CASE("more connections than allowed are closed") {
  Fixture f([](ServerSettings& settings) { settings.max_connections = 1; });
  http::RawSocket one(f.server->port());
  one.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  CHECK(one.read_until("ok\n").find("200 OK") != std::string::npos);
  CHECK(http::RawSocket(f.server->port()).read_all().empty());
}

TEST_CASE("connections leave half of the files that the process may open, which are raised") {
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  REQUIRE(before.rlim_max >= 512);
  const rlimit low{256, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &low) == 0);
  const int allowed = connections_allowed();
  rlimit raised{};
  ::getrlimit(RLIMIT_NOFILE, &raised);
  ::setrlimit(RLIMIT_NOFILE, &before);
  CHECK(raised.rlim_cur == std::min<rlim_t>(before.rlim_max, 16'384));
  CHECK(static_cast<rlim_t>(allowed) == std::min<rlim_t>(raised.rlim_cur / 2, most_connections));
}

TEST_CASE("what still runs when draining has taken long enough is cancelled, and the run closed") {
  Fixture f([](ServerSettings& settings) { settings.drain_ms = 20; });
  std::latch running(3);
  std::atomic<int> cancelled{0};
  f.model->set([&](const model::Request& request) -> Result<model::Completion> {
    if (request.on_text) request.on_text("word");
    running.count_down();
    for (int i = 0; i < 1000 && !request.cancel.cancelled(); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    cancelled += request.cancel.cancelled();
    return Error::cancelled();
  });
  const std::string ask = R"("messages": [{"role": "user", "content": "hi"}]})";
  std::vector<http::RawSocket> asking;
  for (const auto& [path, body] : {std::pair<std::string, std::string>
                                   {"/v1/chat/completions", "{" + ask},
                                   {"/v1/chat/completions", R"({"stream": true, )" + ask},
                                   {"/v1/assistant", R"({"input": "hi"})"}}) {
    asking.emplace_back(f.server->port()).send(
        "POST " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" +
        "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  }
  running.wait();
  CHECK(f.server->drain().ok());
  CHECK(cancelled == 3);
  CHECK(f.store->find_run(f.server->run_id())->status == store::RunStatus::finished);
}

TEST_CASE("a reader who leaves ends the answer") {
  Fixture f;
  std::latch cancelled(1);
  f.model->set([&](const model::Request& request) {
    while (!request.cancel.cancelled()) {
      request.on_text("word ");
      std::this_thread::yield();
    }
    cancelled.count_down();
    return model::Completion{};
  });
  const std::string body = R"({"stream": true, "messages": [{"role": "user", "content": "hi"}]})";
  {
    http::RawSocket socket(f.server->port());
    socket.send(
        "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
        "application/json\r\nContent-Length: " +
        std::to_string(body.size()) + "\r\n\r\n" + body);
    CHECK(socket.read_until("word").find("200 OK") != std::string::npos);
  }
  cancelled.wait();
}

TEST_CASE("who leaves before the first word ends the answer, and no call is made") {
  Fixture f;
  std::latch running(3), over(3);
  std::atomic<int> cancelled{0};
  f.model->set([&](const model::Request& request) {
    running.count_down();
    for (int i = 0; i < 1000 && !request.cancel.cancelled(); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    cancelled += request.cancel.cancelled();
    over.count_down();
    return writes({"lights.turn_on(room='kitchen')"})({});
  });
  const std::string ask = R"("model": "home", "messages": [{"role": "user", "content": "hi"}]})";
  {
    std::vector<http::RawSocket> asking;
    for (const auto& [path, body] : {std::pair<std::string, std::string>
                                     {"/v1/chat/completions", "{" + ask},
                                     {"/v1/chat/completions", R"({"stream": true, )" + ask},
                                     {"/v1/assistant", R"({"model": "home", "input": "hi"})"}}) {
      asking.emplace_back(f.server->port()).send(
          "POST " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" +
          "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    }
    running.wait();
  }
  over.wait();
  REQUIRE(f.server->drain().ok());
  CHECK(cancelled == 3);
  CHECK(f.called == 0);
}

TEST_CASE("what is counted") {
  Fixture f;
  f.chat("words", "hi");
  f.chat("nobody", "hi");
  f.model->takes = {std::make_shared<int>(), 50, 10};
  const auto answer = f.get("/metrics");
  const auto holds = [&](const std::string& line) {
    return answer.body.find(line + "\n") != std::string::npos;
  };
  const std::string route = "{route=\"/v1/chat/completions\",";
  CHECK(holds("slipway_requests_total" + route + "status=\"200\"} 1"));
  CHECK(holds("slipway_requests_total" + route + "status=\"404\"} 1"));
  CHECK(holds("slipway_request_seconds_bucket" + route + "le=\"+Inf\"} 2"));
  CHECK(holds("slipway_prompt_tokens_total 7"));
  CHECK(holds("slipway_completion_tokens_total 2"));
  CHECK(holds("# TYPE slipway_request_seconds histogram"));
  CHECK(holds("# TYPE slipway_models_open gauge"));
  CHECK(holds("slipway_models_open 1"));
  CHECK(holds("slipway_spans_lost_total 0"));
  CHECK(holds("slipway_model_memory_bytes 60"));
}
