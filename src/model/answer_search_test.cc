#include "model/answer_search.h"

#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <random>

#include "base/temporary_folder_test.h"
#include "model/llama_fixture_test.h"
#include "model/tiny_weights.h"

using namespace slipway;
using namespace slipway::model;
using namespace slipway::model::testing;

namespace {

constexpr int kDepth = 4, kWays = 3;

// A tree of choices: tokens 0 to kWays - 1, kDepth times.
class Tree {
 public:
  explicit Tree(uint32_t seed) : seed_(seed) {}
  double logprob(const std::vector<int32_t>& tokens, int32_t token) const {
    double sum = 0, wanted = 0;
    for (int32_t way = 0; way < kWays; ++way) {
      const double weight = this->weight(tokens, way);
      sum += weight;
      if (way == token) wanted = weight;
    }
    return std::log(wanted / sum);
  }
  int32_t likeliest(const std::vector<int32_t>& tokens) const {
    int32_t best = 0;
    for (int32_t way = 1; way < kWays; ++way)
      if (weight(tokens, way) > weight(tokens, best)) best = way;
    return best;
  }
  double best(std::vector<int32_t> tokens = {}, double logprob = 0) const {
    if (tokens.size() == kDepth) return logprob;
    double most = -INFINITY;
    for (int32_t way = 0; way < kWays; ++way) {
      auto longer = tokens;
      longer.push_back(way);
      most = std::max(most, best(longer, logprob + this->logprob(tokens, way)));
    }
    return most;
  }

 private:
  double weight(const std::vector<int32_t>& tokens, int32_t way) const {
    std::seed_seq seeds{static_cast<int32_t>(seed_), static_cast<int32_t>(tokens.size()),
                        tokens.empty() ? 0 : tokens.front(),
                        tokens.empty() ? 0 : tokens.back(), way};
    std::mt19937 random(seeds);
    return std::exp(std::uniform_real_distribution<double>(0, 3)(random));
  }
  uint32_t seed_;
};

AnswerPath greedily(const Tree& tree, AnswerPath path, AnswerSearch& search) {
  while (path.tokens.size() < kDepth) {
    const auto chosen = tree.likeliest(path.tokens);
    for (int32_t way = 0; way < kWays; ++way) {
      if (way != chosen) search.passed_by(path, way, path.logprob + tree.logprob(path.tokens, way));
    }
    path.logprob += tree.logprob(path.tokens, chosen);
    path.tokens.push_back(chosen);
  }
  return path;
}

double searched(const Tree& tree, int tries) {
  AnswerSearch search(tries);
  search.complete(greedily(tree, {}, search));
  while (auto branch = search.next()) {
    branch->path.tokens.push_back(branch->token);
    branch->path.logprob = branch->logprob;
    search.complete(greedily(tree, std::move(branch->path), search));
  }
  return search.best().logprob;
}

// By the log probabilities of all words, each choice being among the bytes that go on here.
std::string most_probable(Model& model, Request request, const std::set<std::string>& words) {
  std::map<std::string, std::map<char, double>> bytes;  // by what comes before
  request.decoding.logprobs = true;
  for (const auto& word : words) {
    request.constraint = std::make_shared<Words>(std::set<std::string>{word});
    const auto forced = model.complete(request);
    REQUIRE(forced.ok());
    REQUIRE(forced->tokens.size() == word.size());
    for (size_t i = 0; i < word.size(); ++i)
      bytes[word.substr(0, i)][word[i]] = forced->tokens[i].logprob;
  }
  std::map<double, std::string> by_logprob;
  for (const auto& word : words) {
    double whole = 0;
    for (size_t i = 0; i < word.size(); ++i) {
      const auto& ways = bytes[word.substr(0, i)];
      double sum = 0;
      for (const auto& [byte, logprob] : ways) sum += std::exp(logprob);
      whole += ways.at(word[i]) - std::log(sum);
    }
    by_logprob[whole] = word;
  }
  return by_logprob.rbegin()->second;
}

void check_found(Model& model, Request request, const std::string& best) {
  for (const bool with_logprobs : {false, true}) {
    request.decoding.logprobs = with_logprobs;
    const auto answer = model.complete(request);
    REQUIRE(answer.ok());
    CHECK(answer->text == best);
    CHECK(answer->finish == FinishReason::stop);
    CHECK(answer->completion_tokens == static_cast<int>(best.size()));
    if (!with_logprobs) continue;
    auto forced = request;
    forced.constraint = std::make_shared<Words>(std::set<std::string>{best});
    check_same(*answer, *model.complete(forced));
  }
}

std::set<std::string> three_letters() {
  std::set<std::string> words;
  for (char a : {'k', 'l', 'm'})
    for (char b : {'a', 'e', 'o'})
      for (char c : {'r', 's', 't'}) words.insert({a, b, c});
  return words;
}

}  // namespace

TEST_CASE("with enough tries the most probable answer of a tree is found, with one the greedy") {
  int better = 0;
  for (uint32_t seed = 0; seed < 300; ++seed) {
    CAPTURE(seed);
    const Tree tree(seed);
    AnswerSearch none(1);
    const double greedy = greedily(tree, {}, none).logprob, best = tree.best();
    CHECK(searched(tree, 1) == doctest::Approx(greedy));
    CHECK(searched(tree, 100) == doctest::Approx(best));
    CHECK(searched(tree, 3) >= greedy);
    better += best > greedy + 1e-9;
  }
  CHECK(better > 20);
}

TEST_CASE("an answer of one half or more is not reconsidered") {
  AnswerSearch search(8);
  search.passed_by({}, 1, std::log(0.5));
  AnswerPath path;
  path.logprob = std::log(0.5);
  search.complete(path);
  CHECK(!search.next());
  CHECK(search.best().logprob == path.logprob);
}

TEST_CASE("a model's most probable answer, alone and in company") {
  const TemporaryFolder folder("search");
  const auto words = three_letters();
  int better = 0;
  for (uint32_t seed = 1; seed <= 5; ++seed) {
    CAPTURE(seed);
    auto model = *open(tiny_weights(folder / ("tiny-" + std::to_string(seed) + ".gguf"), seed));
    std::vector<Request> requests;
    std::vector<std::string> expected;
    for (const auto& prompt : kPrompts) {
      CAPTURE(prompt);
      auto request = ask(prompt);
      const auto best = most_probable(*model, request, words);
      request.constraint = std::make_shared<Words>(words);
      better += model->complete(request)->text != best;
      request.decoding.tries = 64;
      check_found(*model, request, best);
      requests.push_back(request);
      expected.push_back(best);
    }
    const auto keep = [&](size_t i, Result<Completion> c) {
      REQUIRE(c.ok());
      CHECK(c->text == expected[i]);
    };
    REQUIRE(model->complete_all(requests, keep, {}).ok());
  }
  CHECK(better > 0);
}

TEST_CASE("of an answer that is searched for nothing is streamed before it is found") {
  const TemporaryFolder folder("search");
  auto model = *open(tiny_weights(folder / "tiny.gguf"));
  auto request = ask(kPrompts[0]);
  request.decoding.logprobs = false;
  request.decoding.tries = 64;
  request.constraint = std::make_shared<Words>(three_letters());
  std::vector<std::string> pieces;
  request.on_text = [&](std::string_view piece) { pieces.emplace_back(piece); };
  const auto answer = model->complete(request);
  REQUIRE(answer.ok());
  CHECK(pieces == std::vector<std::string>{answer->text});
}
