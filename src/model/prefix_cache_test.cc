#include "model/prefix_cache.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

using namespace slipway::model;
using Tokens = std::vector<int32_t>;

TEST_CASE("the longest resident prefix is found, inside a run too") {
  PrefixCache cache(4, 100, 10);
  CHECK(cache.find(Tokens{1, 2}).sequence == -1);
  auto slot = cache.insert(Tokens{1, 2, 3, 4});
  REQUIRE(slot);
  CHECK(slot->sequence == 10);
  CHECK(slot->evicted.empty());
  auto match = cache.find(Tokens{1, 2, 9});
  CHECK(match.sequence == 10);
  CHECK(match.length == 2);
  CHECK(cache.find(Tokens{1, 2, 3, 4, 5}).length == 4);
  CHECK(cache.find(Tokens{2}).sequence == -1);
}

TEST_CASE("shared runs are counted once and freed with their last user") {
  PrefixCache cache(4, 100, 0);
  REQUIRE(cache.insert(Tokens{1, 2, 3, 4}));
  REQUIRE(cache.insert(Tokens{1, 2, 5}));
  CHECK(cache.cells() == 5);
  REQUIRE(cache.insert(Tokens{1, 2}) == std::nullopt);  // resident already
  CHECK(cache.evict() == 0);
  CHECK(cache.cells() == 3);
  CHECK(cache.find(Tokens{1, 2, 3}).length == 2);
  CHECK(cache.evict() == 1);
  CHECK(cache.cells() == 0);
  CHECK(cache.evict() == std::nullopt);
}

TEST_CASE("a prefix that is extended gives its slot up") {
  PrefixCache cache(1, 100, 7);
  REQUIRE(cache.insert(Tokens{1, 2}));
  auto slot = cache.insert(Tokens{1, 2, 3});
  REQUIRE(slot);
  CHECK(slot->evicted == std::vector<int>{7});
  CHECK(slot->sequence == 7);
  CHECK(cache.cells() == 3);
  CHECK(cache.prefixes() == 1);
}

TEST_CASE("the least recently used goes first, the pinned never") {
  PrefixCache cache(2, 100, 0);
  REQUIRE(cache.insert(Tokens{1, 1}));
  REQUIRE(cache.insert(Tokens{2, 2}));
  cache.find(Tokens{1, 1});
  auto slot = cache.insert(Tokens{3, 3});
  REQUIRE(slot);
  CHECK(slot->evicted == std::vector<int>{1});
  cache.pin(0);
  cache.pin(slot->sequence);
  CHECK_FALSE(cache.insert(Tokens{4, 4}));
  CHECK(cache.evict() == std::nullopt);
  cache.unpin(0);
  CHECK(cache.evict() == 0);
}

TEST_CASE("cells bound the cache") {
  PrefixCache cache(8, 10, 0);
  CHECK_FALSE(cache.insert(Tokens(11, 1)));
  REQUIRE(cache.insert(Tokens(6, 1)));
  auto slot = cache.insert(Tokens(6, 2));
  REQUIRE(slot);
  CHECK(slot->evicted.size() == 1);
  CHECK(cache.cells() == 6);
  cache.clear();
  CHECK(cache.cells() == 0);
  CHECK(cache.insert(Tokens(10, 3)));
}

TEST_CASE("random use agrees with a plain list of prefixes") {
  uint64_t seed = 7;
  auto random = [&](uint64_t below) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return static_cast<int32_t>((seed >> 33) % below);
  };
  PrefixCache cache(5, 40, 0);
  std::map<int, Tokens> model;
  auto drop = [&](const std::vector<int>& gone) {
    for (int s : gone) model.erase(s);
  };
  for (int round = 0; round < 3000; ++round) {
    Tokens tokens;
    for (int n = random(9); n > 0; --n) tokens.push_back(random(3));
    if (random(5) == 0) {
      if (auto gone = cache.evict()) model.erase(*gone);
    } else if (auto slot = cache.insert(tokens)) {
      drop(slot->evicted);
      if (slot->sequence >= 0) {
        REQUIRE(model.count(slot->sequence) == 0);
        model[slot->sequence] = tokens;
      }
    }
    size_t best = 0;
    std::map<Tokens, int> prefixes;
    for (const auto& [sequence, held] : model) {
      auto end = std::mismatch(held.begin(), held.end(), tokens.begin(), tokens.end()).first;
      best = std::max(best, static_cast<size_t>(end - held.begin()));
      for (size_t i = 1; i <= held.size(); ++i)
        prefixes[Tokens(held.begin(), held.begin() + static_cast<long>(i))] = 1;
    }
    auto match = cache.peek(tokens);
    REQUIRE(match.length == best);
    if (best > 0) {
      const auto& held = model.at(match.sequence);
      REQUIRE(std::equal(tokens.begin(), tokens.begin() + static_cast<long>(best), held.begin()));
    }
    REQUIRE(cache.cells() == prefixes.size());
    REQUIRE(cache.cells() <= 40);
    REQUIRE(cache.prefixes() == model.size());
  }
}
