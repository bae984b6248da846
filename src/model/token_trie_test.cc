#include "model/token_trie.h"

#include <doctest/doctest.h>

#include <set>

using namespace slipway::model;

namespace {

// Exactly the given words.
class Words : public Constraint {
 public:
  explicit Words(std::set<std::string> words) : words_(std::move(words)) {
    for (const auto& word : words_) {
      for (size_t i = 0; i <= word.size(); ++i) states_.insert(word.substr(0, i));
    }
  }
  State start() const override { return index(""); }
  State next(State state, unsigned char byte) const override {
    return index(text(state) + static_cast<char>(byte));
  }
  bool accepts(State state) const override { return words_.count(text(state)) > 0; }
  std::string fingerprint() const override { return "words"; }
  State index(const std::string& prefix) const {
    auto found = states_.find(prefix);
    return found == states_.end() ? dead
                                  : static_cast<State>(std::distance(states_.begin(), found));
  }

 private:
  std::string text(State state) const { return *std::next(states_.begin(), state); }
  std::set<std::string> words_;
  std::set<std::string> states_;
};

}  // namespace

TEST_CASE("a mask holds exactly the tokens that the automaton lets through") {
  TokenTrie trie({"", "y", "ye", "yes", "s", "n", "no", "nope", "yes", "\xff", "e"});
  Words words({"yes", "no"});
  auto mask = trie.allowed(words, words.start());
  for (int32_t token = 0; token < 11; ++token) {
    CAPTURE(token);
    CHECK(mask.test(static_cast<size_t>(token)) ==
          (trie.after(words, words.start(), token) != Constraint::dead));
  }
  CHECK(mask.count() == 6);
  CHECK_FALSE(mask.test(0));
  CHECK_FALSE(mask.test(7));
  CHECK(mask.test(8));  // a second token of the same bytes
  const auto few = trie.few(words, words.start(), 6);
  REQUIRE(few);
  CHECK(few->size() == 6);
  for (const auto token : *few) CHECK(mask.test(static_cast<size_t>(token)));
  CHECK_FALSE(trie.few(words, words.start(), 5));
}

TEST_CASE("masks agree with walking each token, on many random vocabularies") {
  uint64_t seed = 42;
  auto random = [&](uint64_t below) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (seed >> 33) % below;
  };
  Words words({"abab", "abc", "b", "ca", "cabb"});
  for (int round = 0; round < 50; ++round) {
    std::vector<std::string> pieces(40);
    for (auto& piece : pieces) {
      for (auto n = random(5); n > 0; --n) piece += static_cast<char>('a' + random(3));
    }
    TokenTrie trie(pieces);
    for (const char* at : {"", "a", "ab", "c", "cab"}) {
      auto state = words.index(at);
      auto mask = trie.allowed(words, state);
      for (int32_t token = 0; token < 40; ++token) {
        REQUIRE(mask.test(static_cast<size_t>(token)) ==
                (trie.after(words, state, token) != Constraint::dead));
      }
    }
  }
}

TEST_CASE("forced text goes on while there is one choice and no end") {
  Words words({"weather.now", "weather.week"});
  CHECK(forced_text(words, words.start()) == "weather.");
  CHECK(forced_text(words, words.index("weather.n")) == "ow");
  CHECK(forced_text(words, words.start(), 3) == "wea");
  CHECK(forced_text(words, words.index("weather.now")).empty());
}
