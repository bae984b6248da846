#include <doctest/doctest.h>

#include <map>

#include "model/llama_fixture_test.h"

using namespace slipway;
using namespace slipway::model;
using namespace slipway::model::testing;

TEST_CASE("a constraint is obeyed, forced text costs no pass") {
  auto model = gemma();
  if (!model) return;
  auto request = ask("Is the sky blue? Answer:");
  request.constraint = std::make_shared<Words>(std::set<std::string>{"yes", "no"});
  auto answer = model->complete(request);
  REQUIRE(answer.ok());
  CHECK((answer->text == "yes" || answer->text == "no"));
  CHECK(answer->finish == FinishReason::stop);
  request.constraint =
      std::make_shared<Words>(std::set<std::string>{"weather.get_weather(location='boston')"});
  answer = model->complete(request);
  REQUIRE(answer.ok());
  CHECK(answer->text == "weather.get_weather(location='boston')");
  CHECK(answer->forced_tokens == answer->completion_tokens);
  request.constraint = std::make_shared<Words>(
      std::set<std::string>{"light.turn_on(room='kitchen')", "light.turn_off(room='kitchen')"});
  request.decoding.max_tokens = 40;
  for (double temperature : {0.0, 1.5}) {
    request.decoding.temperature = temperature;
    answer = model->complete(request);
    REQUIRE(answer.ok());
    CHECK((answer->text == "light.turn_on(room='kitchen')" ||
           answer->text == "light.turn_off(room='kitchen')"));
    CHECK(answer->forced_tokens > 0);
    CHECK(answer->forced_tokens < answer->completion_tokens);
  }
  for (const auto& token : answer->tokens) CHECK(token.logprob < 0);
}

TEST_CASE("what decoding would choose each token of an answer from") {
  auto model = gemma();
  if (!model) return;
  const std::string yes = "light.turn_on(room='kitchen')";
  const Words words({yes, "light.turn_off(room='kitchen')"});
  const auto answer = *model->answer_tokens(yes);
  const auto lists = model->choices(words, answer);
  REQUIRE(lists.size() == answer.size());
  for (size_t i = 0; i < answer.size(); ++i) {
    CAPTURE(i);
    CHECK(std::count(lists[i].begin(), lists[i].end(), answer[i]) == 1);
    CHECK(lists[i].size() < 32);
  }
  // It ends here, by whichever token ends.
  for (const auto token : lists.back())
    CHECK(model->choices(words, std::vector<int32_t>{token})[0].empty());
  const auto other = *model->answer_tokens("music.play()");
  for (const auto& list : model->choices(words, other)) CHECK(list.empty());
}

TEST_CASE("computing only the logits of what may follow changes no answer") {
  auto model = gemma();
  if (!model) return;
  const auto words = std::make_shared<Words>(std::set<std::string>{
      " Paris", " Parma", " Rome", " blue", " cold", " cold water", " five", " five hundred",
      " four", " god", " barks", " east", " the east", " west", " a word", " 100 degrees"});
  std::vector<Request> requests;
  for (const auto& prompt : kPrompts) {
    for (const bool whole : {true, false}) {  // log probabilities need every logit
      requests.push_back(ask(prompt));
      requests.back().constraint = words;
      requests.back().decoding.logprobs = whole;
    }
  }
  for (size_t i = 0; i < requests.size(); i += 2) {
    CAPTURE(kPrompts[i / 2]);
    auto with_all = model->complete(requests[i]), with_few = model->complete(requests[i + 1]);
    REQUIRE(with_all.ok());
    REQUIRE(with_few.ok());
    CHECK(with_all->text == with_few->text);
    CHECK(ids(*with_all) == ids(*with_few));
  }
  requests.push_back(ask("Once upon a time"));  // beside free text, all logits are computed
  std::map<size_t, std::string> together;
  const auto keep = [&](size_t i, Result<Completion> c) { together[i] = c.ok() ? c->text : "?"; };
  REQUIRE(model->complete_all(requests, keep, {}).ok());
  for (size_t i = 0; i < requests.size(); ++i)
    CHECK(together[i] == model->complete(requests[i])->text);
}

TEST_CASE("a bias of the end decides where a text that could go on ends") {
  auto model = gemma();
  if (!model) return;
  auto request = ask("The capital of France is", 32);
  request.constraint = std::make_shared<Words>(std::set<std::string>{" Paris", " Paris and Rome"});
  const auto answer = [&](double bias) {
    request.decoding.end_bias = bias;
    auto completion = model->complete(request);
    REQUIRE(completion.ok());
    return completion->text;
  };
  CHECK(answer(100) == " Paris");
  CHECK(answer(-100) == " Paris and Rome");
}

TEST_CASE("guesses save passes and change nothing") {
  auto model = gemma();
  if (!model) return;
  auto request = ask("Turn on the light in the workshop, please. Which room?", 40);
  request.decoding.logprobs = false;
  request.constraint = std::make_shared<Words>(
      std::set<std::string>{"turn_on(room='workshop')", "turn_on(room='workroom')",
                            "turn_off(room='workshop')", "stop()", "turn_on(room='work')"});
  for (double temperature : {0.0, 2.0}) {
    request.decoding.temperature = temperature;
    for (uint64_t seed = 0; seed < 8; ++seed) {
      request.decoding.seed = seed;
      auto guessed = model->complete(request);
      request.decoding.logprobs = true;  // which is done without guesses
      auto plain = model->complete(request);
      request.decoding.logprobs = false;
      REQUIRE(guessed.ok());
      REQUIRE(plain.ok());
      CHECK(guessed->text == plain->text);
      CHECK(ids(*guessed) == ids(*plain));
      CHECK(guessed->evaluations <= plain->evaluations);
    }
  }
}

TEST_CASE("a constraint that no token satisfies is an error of that request alone") {
  auto model = gemma();
  if (!model) return;
  std::vector<Request> requests = {ask("Hello"), ask("One, two, three, four,", 4)};
  requests[0].constraint = std::make_shared<Words>(std::set<std::string>{});
  std::vector<bool> ok(2);
  REQUIRE(model
              ->complete_all(
                  requests,
                  [&](size_t i, Result<Completion> completion) { ok[i] = completion.ok(); }, {})
              .ok());
  CHECK_FALSE(ok[0]);
  CHECK(ok[1]);
}
