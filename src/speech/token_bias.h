// Phrases that a recogniser shall prefer, while it decodes: the logits of tokens that begin or
// continue one of them are raised ("shallow fusion" with a set of phrases).
//
//     TokenBias bias(bias_from(skills), tokenize, n_vocabulary);
//     bias.apply(tokens_so_far, logits);
//
// Const access is thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "speech/bias.h"

namespace slipway::speech {

class TokenBias {
 public:
  using Tokenize = std::function<std::vector<int32_t>(const std::string&)>;
  TokenBias(const Bias& bias, const Tokenize& tokenize, int vocabulary);
  void apply(std::span<const int32_t> tokens, float* logits) const;

 private:
  struct Node {
    std::map<int32_t, size_t> next;  // token -> node
  };
  void add(const std::vector<int32_t>& tokens);
  std::vector<Node> nodes_;
  float begin_, go_on_;
  int vocabulary_;
};

}  // namespace slipway::speech
