#include "model/endpoint.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include "model/chat_wire.h"
#include "model/fake_peer.h"

using namespace slipway;
using namespace slipway::model;

namespace {

constexpr const char* key = "very-private-key-1234567890";
constexpr RetryPolicy quick{
    .max_attempts = 4, .first_delay_ms = 1, .max_delay_ms = 4, .max_asked_ms = 5'000};

std::string delta(const std::string& text) {
  return R"(data: {"choices":[{"index":0,"delta":{"content":)" + json::quote(text) + "}}]}\n\n";
}

std::string stream_of(const std::vector<std::string>& texts) {
  std::string all = "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\"}}]}\n\n";
  for (const auto& text : texts) all += delta(text);
  return all +
         "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
         "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3,"
         "\"prompt_tokens_details\":{\"cached_tokens\":4}}}\n\ndata: [DONE]\n\n";
}

FakeAnswer good(const std::string& text) {
  return {{http_answer(200, stream_of({text}), "Content-Type: text/event-stream\r\n")}};
}

std::shared_ptr<Model> open(const FakePeer& peer, int max_sequences = 4) {
  OpenOptions options;
  options.endpoint_url = peer.url() + "/v1/";
  options.endpoint_model = "tiny";
  options.api_key = key;
  options.max_sequences = max_sequences;
  auto model = open_endpoint(options, quick);
  REQUIRE(model.ok());
  return *model;
}

Request ask(const std::string& text) {
  Request request;
  request.messages = {{"user", text}};
  request.timeout_ms = 60'000;
  return request;
}

}  // namespace

TEST_CASE("a stream arrives whole wherever the network cuts it") {
  const std::string body = stream_of({"play_", "music(",
                                      "song='b\xc3\xa9"
                                      "b\xc3\xa9",
                                      "')"});
  for (const size_t size : {size_t{1}, size_t{2}, size_t{3}, size_t{7}, size_t{64}, body.size()}) {
    ChatReader reader;
    for (size_t at = 0; at < body.size(); at += size)
      REQUIRE(reader.feed(body.substr(at, size)).ok());
    REQUIRE(reader.finish().ok());
    CHECK(reader.completion().text ==
          "play_music(song='b\xc3\xa9"
          "b\xc3\xa9')");
    CHECK(reader.completion().prompt_tokens == 7);
    CHECK(reader.completion().cached_prompt_tokens == 4);
    CHECK(reader.completion().completion_tokens == 3);
  }
}

TEST_CASE("a key goes before an error is cut in it") {
  const std::string secret(40, 'k');
  ChatReader reader({}, secret);
  (void)reader.feed(R"({"error": {"message": ")" + std::string(280, 'x') + secret + R"("}})");
  CHECK(reader.error_text() == std::string(280, 'x') + "***");
}

TEST_CASE("over the network: streamed text, the request's settings, the key in one place") {
  const FakePeer peer([](size_t, const FakeAsk&) {
    const std::string body = stream_of({"Hel", "lo"});
    FakeAnswer answer{{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"}};
    for (const char c : body) answer.pieces.push_back(std::string("1\r\n") + c + "\r\n");
    answer.pieces.push_back("0\r\n\r\n");
    return answer;
  });
  auto request = ask("hi");
  request.decoding = {.max_tokens = 5,
                      .temperature = 0.5,
                      .top_p = 0.9,
                      .seed = 42,
                      .stop = {"\n"},
                      .logprobs = true};
  std::string streamed;
  request.on_text = [&](std::string_view text) { streamed += text; };
  const auto answer = open(peer)->complete(request);
  REQUIRE(answer.ok());
  CHECK(answer->text == "Hello");
  CHECK(streamed == "Hello");
  CHECK(answer->finish == FinishReason::stop);
  CHECK(answer->total_ms >= answer->decode_ms);

  REQUIRE(peer.asked() == 1);
  const FakeAsk asked = peer.asks().front();
  CHECK(asked.head.find("POST /v1/chat/completions HTTP/1.1") == 0);
  CHECK(asked.head.find(std::string("Authorization: Bearer ") + key) != std::string::npos);
  CHECK(asked.body.find(key) == std::string::npos);
  const auto body = json::parse(asked.body);
  REQUIRE(body.ok());
  CHECK(*body ==
        *json::parse(R"({"model":"tiny","messages":[{"role":"user","content":"hi"}],"stream":true,
      "stream_options":{"include_usage":true},"max_tokens":5,"temperature":0.5,"top_p":0.9,
      "seed":42,      "stop":["\n"],"logprobs":true})"));
}

TEST_CASE("a server that ignores \"stream\", with logprobs and a cut answer") {
  const FakePeer peer([](size_t, const FakeAsk&) {
    return FakeAnswer{
        {http_answer(200, R"({"choices":[{"message":{"content":"ab"},"finish_reason":"length",
        "logprobs":{"content":[{"token":"a","logprob":-0.5},{"token":"b","logprob":-1}]}}],
        "usage":{"prompt_tokens":2,"completion_tokens":2}})")}};
  });
  const auto answer = open(peer)->complete(ask("x"));
  REQUIRE(answer.ok());
  CHECK(answer->text == "ab");
  CHECK(answer->finish == FinishReason::length);
  REQUIRE(answer->tokens.size() == 2);
  CHECK(answer->tokens[1].text == "b");
  CHECK(answer->tokens[1].logprob == doctest::Approx(-1));
  CHECK(answer->tokens[1].id == -1);
}

TEST_CASE("429 with Retry-After, 500 and a refused stream are tried again") {
  const FakePeer peer([](size_t nth, const FakeAsk&) {
    if (nth == 0) return FakeAnswer{{http_answer(429, "{}", "Retry-After: 0\r\n")}};
    if (nth == 1) return FakeAnswer{{http_answer(500, "oops")}};
    if (nth == 2) return FakeAnswer{};  // closes without a byte
    return good("yes");
  });
  const auto answer = open(peer)->complete(ask("x"));
  REQUIRE(answer.ok());
  CHECK(answer->text == "yes");
  CHECK(peer.asked() == 4);
}

TEST_CASE("retries end: the last error is told, a wait beyond the time is not begun") {
  const FakePeer busy([](size_t, const FakeAsk&) {
    return FakeAnswer{{http_answer(503, R"({"error":{"message":"loading"}})")}};
  });
  const auto answer = open(busy)->complete(ask("x"));
  REQUIRE(!answer.ok());
  CHECK(answer.error().code() == ErrorCode::unavailable);
  CHECK(answer.error().message().find("loading") != std::string::npos);
  CHECK(busy.asked() == 4);

  const FakePeer later([](size_t, const FakeAsk&) {
    return FakeAnswer{{http_answer(429, "{}", "Retry-After: 3600\r\n")}};
  });
  CHECK(open(later)->complete(ask("x")).error().code() == ErrorCode::unavailable);
  CHECK(later.asked() == 1);
}

TEST_CASE("a stream that breaks off is repeated, unless its text was already passed on") {
  const auto script = [](size_t nth, const FakeAsk&) {
    if (nth > 0) return good("whole");
    return FakeAnswer{{"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + delta("hal")}};
  };
  const FakePeer first(script);
  const auto answer = open(first)->complete(ask("x"));
  REQUIRE(answer.ok());
  CHECK(answer->text == "whole");
  CHECK(first.asked() == 2);

  const FakePeer second(script);
  auto request = ask("x");
  std::string streamed;
  request.on_text = [&](std::string_view text) { streamed += text; };
  const auto broken = open(second)->complete(request);
  REQUIRE(!broken.ok());
  CHECK(broken.error().code() == ErrorCode::unavailable);
  CHECK(streamed == "hal");
  CHECK(second.asked() == 1);
}

TEST_CASE("a well-formed body that ends without a finish is no answer") {
  const FakePeer peer(
      [](size_t, const FakeAsk&) { return FakeAnswer{{http_answer(200, delta("hal"))}}; });
  const auto answer = open(peer)->complete(ask("x"));
  REQUIRE(!answer.ok());
  CHECK(answer.error().message().find("broke off") != std::string::npos);
}

TEST_CASE("no chat completion: malformed JSON, an HTML page, an error inside the stream") {
  for (const std::string& body :
       {std::string("data: {\"choices\": [\n\n"), std::string("{\"choices\": ["),
        std::string("<html>login</html>"), std::string(), std::string("{\"ok\": true}"),
        std::string("data: {\"error\": {\"message\": \"out of memory\"}}\n\n")}) {
    CAPTURE(body);
    const FakePeer peer(
        [&](size_t, const FakeAsk&) { return FakeAnswer{{http_answer(200, body)}}; });
    const auto answer = open(peer)->complete(ask("x"));
    REQUIRE(!answer.ok());
    CHECK(answer.error().code() == ErrorCode::unavailable);
    CHECK(!answer.error().hint().empty());
    CHECK(peer.asked() == 1);
  }
}

TEST_CASE("a refused key and a missing model say what to do, and never the key") {
  for (const int status : {400, 401, 403, 404, 301, 501}) {
    CAPTURE(status);
    const FakePeer peer([&](size_t, const FakeAsk&) {
      return FakeAnswer{{http_answer(
          status, R"({"error":{"message":"bad key )" + std::string(key) + R"( given"}})")}};
    });
    const auto answer = open(peer)->complete(ask("x"));
    REQUIRE(!answer.ok());
    const Error& error = answer.error();
    CHECK(error.to_string().find(key) == std::string::npos);
    CHECK(error.to_string().find("bad key") != std::string::npos);
    CHECK(peer.asked() == 1);
    if (status == 401) {
      CHECK(error.code() == ErrorCode::permission_denied);
      CHECK(error.hint().find("the key in the variable") != std::string::npos);
    }
    if (status == 404) {
      CHECK(error.code() == ErrorCode::not_found);
      CHECK(error.hint().find("'tiny'") != std::string::npos);
    }
    if (status == 400) CHECK(error.code() == ErrorCode::invalid_input);
  }
}

TEST_CASE("a peer that says nothing ends at the request's time") {
  const FakePeer peer([](size_t, const FakeAsk&) { return FakeAnswer{{}, true}; });
  auto request = ask("x");
  request.timeout_ms = 200;
  const auto answer = open(peer)->complete(request);
  REQUIRE(!answer.ok());
  CHECK(answer.error().code() == ErrorCode::timeout);
}

TEST_CASE("cancel ends a request in mid-stream") {
  const FakePeer peer([](size_t, const FakeAsk&) {
    return FakeAnswer{{"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + delta("hal")}, true};
  });
  CancelSource source;
  auto request = ask("x");
  request.cancel = source.token();
  request.on_text = [&](std::string_view) { source.cancel(); };
  const auto answer = open(peer)->complete(request);
  REQUIRE(!answer.ok());
  CHECK(answer.error().code() == ErrorCode::cancelled);
  CHECK(peer.asked() == 1);
}

TEST_CASE("complete_all answers each once, at most max_sequences side by side") {
  std::atomic<int> now{0}, most{0};
  const FakePeer peer([&](size_t, const FakeAsk& asked) {
    const int running = ++now;
    for (int seen = most; running > seen && !most.compare_exchange_weak(seen, running);) {
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    --now;
    return good(json::parse(asked.body)->get("messages")->as_array().front().text("content"));
  });
  std::vector<Request> requests;
  for (int i = 0; i < 20; ++i) requests.push_back(ask("n" + std::to_string(i)));
  std::vector<int> times(requests.size(), 0);
  const auto status =
      open(peer, 3)->complete_all(requests,
                                  [&](size_t i, Result<Completion> answer) {
                                    CHECK(answer.ok());
                                    if (answer.ok()) CHECK(answer->text == "n" + std::to_string(i));
                                    ++times[i];
                                  },
                                  {});
  CHECK(status.ok());
  CHECK(std::all_of(times.begin(), times.end(), [](int n) { return n == 1; }));
  CHECK(most <= 3);
}

TEST_CASE("complete_all stops all when cancelled, and one when only that is") {
  const FakePeer peer([](size_t, const FakeAsk& asked) {
    if (asked.body.find("quick") != std::string::npos) return good("ok");
    return FakeAnswer{{}, true};
  });
  CancelSource one, all;
  std::vector<Request> requests{ask("quick"), ask("slow"), ask("slow"), ask("slow")};
  requests[1].cancel = one.token();
  one.cancel();
  size_t answered = 0;
  const auto status = open(peer, 2)->complete_all(
      requests,
      [&](size_t i, Result<Completion> answer) {
        ++answered;
        CHECK(answer.ok() == (i == 0));
        if (!answer.ok()) CHECK(answer.error().code() == ErrorCode::cancelled);
        if (answered == 2) all.cancel();
      },
      all.token());
  CHECK(!status.ok());
  CHECK(answered == requests.size());
}

TEST_CASE("what cannot be an endpoint is refused at once; what it cannot do is unsupported") {
  OpenOptions options{.endpoint_url = "http://127.0.0.1:1/v1", .endpoint_model = "m"};
  CHECK(open_endpoint(options).ok());
  auto bad = options;
  bad.endpoint_url = "ftp://host/v1";
  CHECK(!open_endpoint(bad).ok());
  bad.endpoint_url = "http://user:pass@host/v1";
  REQUIRE(!open_endpoint(bad).ok());
  CHECK(open_endpoint(bad).error().to_string().find("pass@") == std::string::npos);
  bad = options;
  bad.endpoint_model.clear();
  CHECK(!open_endpoint(bad).ok());
  bad = options;
  bad.api_key = std::string(key) + "\r\nX-Evil: 1";
  REQUIRE(!open_endpoint(bad).ok());
  CHECK(open_endpoint(bad).error().to_string().find(key) == std::string::npos);
  const auto model = *open_endpoint(options);
  CHECK(model->info().kind == "endpoint");
  CHECK(model->info().weights_sha256.empty());
  CHECK(model->render({}).error().code() == ErrorCode::unsupported);
  CHECK(model->tokenize("x").error().code() == ErrorCode::unsupported);
}

TEST_CASE("Retry-After: seconds, dates, nonsense; backoff grows and stays bounded") {
  constexpr int64_t now_ms = 784'111'777'000;  // Sun, 06 Nov 1994 08:49:37 GMT
  CHECK(retry_after_ms({{"retry-after", " 3 "}}, now_ms) == 3000);
  CHECK(retry_after_ms({{"Retry-After", "Sun, 06 Nov 1994 08:49:47 GMT"}}, now_ms) == 10'000);
  CHECK(retry_after_ms({{"Retry-After", "Sun, 06 Nov 1994 08:00:00 GMT"}}, now_ms) == 0);
  CHECK(!retry_after_ms({{"Retry-After", "soon"}}, now_ms));
  CHECK(!retry_after_ms({}, now_ms));
  const RetryPolicy policy{.first_delay_ms = 100, .max_delay_ms = 1000};
  for (int attempt = 0; attempt < 100; ++attempt) {
    const double ms = backoff_ms(policy, attempt);
    CHECK(ms >= 50 * std::min(10, 1 << std::min(attempt, 10)) * 0.999);
    CHECK(ms <= 1000);
  }
}
