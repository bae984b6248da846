#include "speech/token_bias.h"

#include <algorithm>
#include <cctype>

namespace slipway::speech {
namespace {

constexpr size_t longest_phrase_tokens = 12;

std::string capitalised(std::string text) {
  if (!text.empty()) text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
  return text;
}

}  // namespace

TokenBias::TokenBias(const Bias& bias, const Tokenize& tokenize, int vocabulary)
    : nodes_(1), begin_(bias.begin), go_on_(bias.go_on), vocabulary_(vocabulary) {
  for (const auto& phrase : bias.phrases) {
    add(tokenize(" " + phrase));
    add(tokenize(" " + capitalised(phrase)));
  }
}

void TokenBias::add(const std::vector<int32_t>& tokens) {
  if (tokens.empty() || tokens.size() > longest_phrase_tokens) return;
  size_t at = 0;
  for (const int32_t token : tokens) {
    if (token < 0 || token >= vocabulary_) return;
    const auto [next, is_new] = nodes_[at].next.emplace(token, nodes_.size());
    at = next->second;
    if (is_new) nodes_.emplace_back();
  }
}

void TokenBias::apply(std::span<const int32_t> tokens, float* logits) const {
  std::map<int32_t, float> raised;
  for (const auto& [token, node] : nodes_[0].next) raised[token] = begin_;
  const size_t first = tokens.size() - std::min(tokens.size(), longest_phrase_tokens);
  for (size_t start = first; start < tokens.size(); ++start) {
    size_t at = 0, i = start;
    for (; i < tokens.size(); ++i) {
      const auto next = nodes_[at].next.find(tokens[i]);
      if (next == nodes_[at].next.end()) break;
      at = next->second;
    }
    if (i < tokens.size()) continue;
    for (const auto& [token, node] : nodes_[at].next)
      raised[token] = std::max(raised[token], go_on_);
  }
  for (const auto& [token, bonus] : raised) logits[token] += bonus;
}

}  // namespace slipway::speech
