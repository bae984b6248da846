// Chooses the next token from one row of logits: greedily or with temperature, inside a Constraint
// when there is one.
//
//     Sampler sampler(vocab);
//     Choosing how{.decoding = &decoding, .constraint = c, .state = s, .stream = 1, .position = 0};
//     SLIPWAY_TRY(token, sampler.choose(logits, how));
//
// Greedy is exact: the allowed token of the highest logit (the lowest id among equals). Sampling is
// reproducible: its random numbers are a function of (seed, stream, position) alone (SplitMix64,
// Steele et al. 2014, used as a counter). Where a constraint leaves few tokens, their logits are
// all that is read: `few` tells which, so that no others need be computed. Lists and masks are
// remembered by state, of the 64 constraints used last: 256 lists of each, 1,024 masks together.
// Not thread-safe: one engine thread. Errors: internal (nothing is allowed).
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/result.h"
#include "model/llama_vocab.h"

namespace slipway::model {

struct Choosing {
  const Decoding* decoding = nullptr;
  std::shared_ptr<const Constraint> constraint;
  Constraint::State state = 0;
  uint64_t stream = 0;
  uint64_t position = 0;
};

class Sampler {
 public:
  explicit Sampler(const LlamaVocab& vocab) : vocab_(vocab) {}
  Result<int32_t> choose(const float* logits, const Choosing& how);
  // What may come next, when that is a short list; else nullptr. Valid until the next call.
  const std::vector<int32_t>* few(const Choosing& how);
  int32_t best(const float* logits) const;  // of all tokens
  // What may come next with natural logarithms of their probabilities among it.
  std::vector<std::pair<int32_t, double>> weigh(const float* logits, const Choosing& how);
  // Natural logarithm of the token's probability among all, before temperature and constraint.
  double logprob(const float* logits, int32_t token) const;

 private:
  using Mask = std::shared_ptr<const TokenMask>;
  struct Masks {
    std::shared_ptr<const Constraint> constraint;  // keeps the address ours
    std::unordered_map<Constraint::State, Mask> by_state;
    std::unordered_map<Constraint::State, std::optional<std::vector<int32_t>>> few;
  };
  Masks& masks_of(const std::shared_ptr<const Constraint>& constraint);
  bool may_end(const Choosing& how) const;
  const float* with_end_bias(const float* logits, const Choosing& how);
  bool permitted(const Choosing& how, int32_t token) const;
  std::vector<int32_t> permitted_tokens(const Choosing& how);
  int32_t greedy(const float* logits, const Choosing& how);
  int32_t sampled(const float* logits, const Choosing& how);
  Mask mask(const Choosing& how);

  const LlamaVocab& vocab_;
  std::vector<float> biased_;
  std::list<Masks> masks_;  // most recently used first
  size_t mask_count_ = 0;   // of all of them
};

}  // namespace slipway::model
