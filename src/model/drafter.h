// Guesses how an answer goes on, without a model: what the language leaves one choice for, the rest
// of a word that the request spells (arguments keep the speaker's words), or what followed the same
// two tokens in earlier answers. The model then checks several tokens in one pass instead of
// writing one a pass; only what it would have written itself stays, so no answer depends on a
// guess.
//
//     Drafter drafter(vocab);
//     auto guess = drafter.guess({constraint, state, answer, text, request});
//     drafter.learn(answer);   // once it is whole
//
// Sources: Leviathan et al., "Fast Inference from Transformers via Speculative Decoding" (arXiv
// 2211.17192), with the request and earlier answers as the draft model, as in prompt lookup
// decoding. Memory: one table of 4,096 entries. Not thread-safe: one engine thread.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "model/constraint.h"
#include "model/llama_vocab.h"

namespace slipway::model {

class Drafter {
 public:
  static constexpr size_t kMost = 8;  // tokens guessed at once

  struct Position {
    const Constraint& constraint;
    Constraint::State state;
    std::span<const int32_t> answer;  // so far
    std::string_view text;            // the same as text
    std::string_view request;         // what the prompt says at its end, in small letters
  };

  explicit Drafter(const LlamaVocab& vocab) : vocab_(vocab), followers_(kFollowers) {}
  std::vector<int32_t> guess(const Position& position) const;
  void learn(std::span<const int32_t> answer);

 private:
  static constexpr size_t kFollowers = 4096;
  struct Follower {
    int32_t before = -1, last = -1, next = -1;
    int trust = 0;  // of late, how much more often right than wrong
  };
  static size_t slot(int32_t before, int32_t last);
  std::vector<int32_t> follower(std::span<const int32_t> answer) const;
  const LlamaVocab& vocab_;
  std::vector<Follower> followers_;
};

// The rest of the word that `text` ends in, when its open quote began like a word of the request.
std::string_view rest_of_word(std::string_view text, std::string_view request);

}  // namespace slipway::model
