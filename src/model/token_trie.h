// The vocabulary as a byte trie, to find every token that a Constraint allows in one walk: a prefix
// that the automaton refuses refuses all tokens below it.
//
//     TokenTrie trie(pieces);   // pieces[token] = its bytes; empty ones (control
//                               // tokens) are left out
//     TokenMask mask = trie.allowed(constraint, state);
//     if (mask.test(token)) ...
//
// Immutable after construction, thread-safe. A mask costs one bit per token. The idea is that of
// Willard and Louf, "Efficient Guided Generation for Large Language Models" (arXiv 2307.09702),
// with a trie in place of an index per token.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/constraint.h"

namespace slipway::model {

class TokenMask {
 public:
  explicit TokenMask(size_t tokens = 0) : words_((tokens + 63) / 64) {}
  void set(size_t token) { words_[token / 64] |= uint64_t{1} << (token % 64); }
  bool test(size_t token) const { return (words_[token / 64] >> (token % 64)) & 1; }
  size_t count() const;
  const std::vector<uint64_t>& words() const { return words_; }

 private:
  std::vector<uint64_t> words_;
};

class TokenTrie {
 public:
  explicit TokenTrie(std::vector<std::string> pieces);
  size_t size() const { return pieces_.size(); }
  const std::string& piece(int32_t token) const { return pieces_[static_cast<size_t>(token)]; }
  // Where the automaton stands after the token: `dead` when it is refused or has no bytes.
  Constraint::State after(const Constraint& constraint, Constraint::State state,
                          int32_t token) const;
  TokenMask allowed(const Constraint& constraint, Constraint::State state) const;
  // The same as a list, in the trie's order, when there are at most `most`.
  std::optional<std::vector<int32_t>> few(const Constraint& constraint, Constraint::State state,
                                          size_t most) const;

 private:
  // Nodes in depth-first order: `end` is the first node after this one's subtree, so skipping a
  // subtree is one jump.
  struct Node {
    uint32_t end = 0;
    uint32_t first_token = 0;  // into tokens_; the next node's first_token ends the run
    uint16_t depth = 0;        // bytes from the root
    unsigned char byte = 0;
  };
  // Calls found(token) for all that are allowed until it returns false.
  template <typename Found>
  void walk(const Constraint& constraint, Constraint::State state, const Found& found) const;

  std::vector<std::string> pieces_;
  std::vector<Node> nodes_;
  std::vector<int32_t> tokens_;
};

}  // namespace slipway::model
