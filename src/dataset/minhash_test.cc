#include "dataset/minhash.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

using namespace slipway::dataset;

namespace {

std::string random_words(std::mt19937_64& random, int count) {
  std::string text;
  for (int i = 0; i < count; ++i) {
    if (i) text += ' ';
    const auto letters = 3 + random() % 6;
    for (uint64_t k = 0; k < letters; ++k) text += static_cast<char>('a' + random() % 26);
  }
  return text;
}

}  // namespace

TEST_CASE("what makes no difference to a reader makes none to the texts compared") {
  CHECK(normalised("  What's the WEATHER, in\tBoston?! ") == "whats the weather in boston");
  CHECK(normalised("...") == "");
  CHECK(normalised("Zürich") == "zürich");
}

TEST_CASE("similarity is common shingles over all") {
  CHECK(jaccard(shingles("abcdef"), shingles("abcdef")) == 1);
  CHECK(jaccard(shingles("abcdef"), shingles("uvwxyz")) == 0);
  // abcd of three
  CHECK(jaccard(shingles("abcde"), shingles("abcdx")) == doctest::Approx(1.0 / 3));
  CHECK(jaccard(shingles("ab"), shingles("ab")) == 1);
  CHECK(jaccard(shingles("ab"), shingles("ba")) == 0);
  CHECK(jaccard(shingles(""), shingles("")) == 1);
  CHECK(jaccard(shingles(""), shingles("abcd")) == 0);
}

TEST_CASE("the index finds what a comparison of all pairs finds at 0.85") {
  const uint64_t seed = 20261124;
  INFO("seed ", seed);
  std::mt19937_64 random(seed);
  std::vector<std::string> texts;
  for (int i = 0; i < 300; ++i) {
    texts.push_back(random_words(random, 12));
    auto near = texts.back();
    near[random() % near.size()] = 'q';  // at most four shingles of eighty
    texts.push_back(near);
  }
  NearIndex index;
  std::vector<std::vector<uint64_t>> sets;
  size_t expected = 0, found = 0;
  for (const auto& text : texts) {
    auto set = shingles(text);
    const auto candidates = index.add(set);
    for (uint32_t i = 0; i < sets.size(); ++i) {
      if (jaccard(sets[i], set) < 0.85) continue;
      ++expected;
      found += std::find(candidates.begin(), candidates.end(), i) != candidates.end();
    }
    sets.push_back(std::move(set));
  }
  CHECK(expected >= 250);
  CHECK(found == expected);
}

TEST_CASE("a text repeated very often is compared with the newest ones only") {
  NearIndex index;
  const auto set = shingles("turn on the light");
  for (int i = 0; i < 1000; ++i) (void)index.add(set);
  const auto near = index.add(set);
  CHECK(near.size() == NearIndex::most_per_bucket);
  CHECK(near.back() == 999);
}
