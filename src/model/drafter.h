// Guesses how an answer goes on, without a model. In a language: what it leaves one choice for, the
// rest of a word that the request spells (arguments keep the speaker's words), or what followed the
// same two tokens in earlier answers. In free text: what followed the same three tokens in prompts
// and answers. The model then checks several tokens in one pass instead of writing one a pass; only
// what it would have written itself stays, so no answer depends on a guess.
//
//     Drafter drafter(vocab);
//     auto guess = drafter.guess({constraint, state, answer, text, request});
//     drafter.learn_call(answer);              // once it is whole
//     auto free = drafter.guess(tokens);       // prompt and answer so far
//     drafter.learn_text(tokens, from);        // what stands from there on
//
// Sources: Leviathan et al., "Fast Inference from Transformers via Speculative Decoding" (arXiv
// 2211.17192), with the request and earlier answers as the draft model, as in prompt lookup
// decoding. Memory: tables of 4,096 and 65,536 entries, 1.1 MB. Not thread-safe: one engine thread.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "model/constraint.h"
#include "model/llama_vocab.h"

namespace slipway::model {

// Which token followed the same few, of late. A table of fixed size: what collides and is seen more
// often stays.
class Followers {
 public:
  Followers(size_t context, size_t size) : context_(context), table_(size) {}
  // -1: nothing that was right more often than wrong. Fewer tokens than the context are one too.
  int32_t after(std::span<const int32_t> tokens) const;
  void learn(std::span<const int32_t> tokens, size_t from);  // what stands at `from` and behind

 private:
  struct Follower {
    uint64_t key = 0;
    int32_t next = -1;
    int trust = 0;  // how much more often right than wrong
  };
  uint64_t key(std::span<const int32_t> before) const;
  size_t context_;
  std::vector<Follower> table_;
};

class Drafter {
 public:
  static constexpr size_t kMost = 8;      // tokens guessed at once
  static constexpr size_t kMostFree = 3;  // of free text, where guesses are wrong more often

  struct Position {
    const Constraint& constraint;
    Constraint::State state;
    std::span<const int32_t> answer;  // so far
    std::string_view text;            // the same as text
    std::string_view request;         // what the prompt says at its end, in small letters
  };

  explicit Drafter(const LlamaVocab& vocab) : vocab_(vocab), calls_(2, 4096), text_(3, 65536) {}
  std::vector<int32_t> guess(const Position& position) const;
  std::vector<int32_t> guess(std::span<const int32_t> tokens) const;
  void learn_call(std::span<const int32_t> answer) { calls_.learn(answer, 1); }
  void learn_text(std::span<const int32_t> tokens, size_t from) { text_.learn(tokens, from); }

 private:
  const LlamaVocab& vocab_;
  Followers calls_, text_;
};

// The rest of the word that `text` ends in, when its open quote began like a word of the request.
std::string_view rest_of_word(std::string_view text, std::string_view request);

}  // namespace slipway::model
