// Random changes of texts, the same for the same seed on every machine.
//
//     Mutator mutator(seed);
//     auto changed = mutator.mutate(corpus[0], corpus, dictionary);
//
// One to eight changes: bits and bytes, pieces doubled, cut, moved or taken from another text of
// the corpus, words of the dictionary put in, brackets nested, numbers grown. Belongs to one
// thread. The result has at most `max_bytes`.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::fuzz {

class Mutator {
 public:
  static constexpr size_t max_bytes = 80 << 10;  // beyond the 64 KiB of a text of calls

  explicit Mutator(uint64_t seed) : random_(seed) {}
  std::string mutate(std::string text, const std::vector<std::string>& corpus,
                     const std::vector<std::string>& dictionary);
  size_t below(size_t bound) { return bound == 0 ? 0 : static_cast<size_t>(random_() % bound); }

 private:
  void change(std::string& text, const std::vector<std::string>& corpus,
              const std::vector<std::string>& dictionary);
  void change_bytes(std::string& text);
  void repeat(std::string& text);

  std::mt19937_64 random_;
};

}  // namespace slipway::fuzz
