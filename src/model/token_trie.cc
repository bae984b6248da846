#include "model/token_trie.h"

#include <algorithm>
#include <bit>

namespace slipway::model {
namespace {

constexpr size_t kMaxPiece = 1024;  // bytes; a longer one is never allowed under a constraint

size_t common_prefix(const std::string& a, const std::string& b) {
  size_t n = std::min(a.size(), b.size());
  size_t i = 0;
  while (i < n && a[i] == b[i]) ++i;
  return i;
}

}  // namespace

size_t TokenMask::count() const {
  size_t total = 0;
  for (auto word : words_) total += static_cast<size_t>(std::popcount(word));
  return total;
}

TokenTrie::TokenTrie(std::vector<std::string> pieces) : pieces_(std::move(pieces)) {
  std::vector<int32_t> order;
  for (size_t i = 0; i < pieces_.size(); ++i) {
    if (!pieces_[i].empty() && pieces_[i].size() <= kMaxPiece)
      order.push_back(static_cast<int32_t>(i));
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](int32_t a, int32_t b) { return piece(a) < piece(b); });
  std::vector<uint32_t> path;  // open nodes, root excluded
  const std::string* previous = nullptr;
  for (int32_t token : order) {
    const auto& text = piece(token);
    size_t shared = previous ? common_prefix(*previous, text) : 0;
    for (; path.size() > shared; path.pop_back())
      nodes_[path.back()].end = static_cast<uint32_t>(nodes_.size());
    for (size_t i = shared; i < text.size(); ++i) {
      path.push_back(static_cast<uint32_t>(nodes_.size()));
      nodes_.push_back({0, static_cast<uint32_t>(tokens_.size()), static_cast<uint16_t>(i + 1),
                        static_cast<unsigned char>(text[i])});
    }
    tokens_.push_back(token);  // sorted order: a token's own node is the newest
    previous = &text;
  }
  for (; !path.empty(); path.pop_back())
    nodes_[path.back()].end = static_cast<uint32_t>(nodes_.size());
}

Constraint::State TokenTrie::after(const Constraint& constraint, Constraint::State state,
                                   int32_t token) const {
  const auto& text = piece(token);
  if (text.empty() || text.size() > kMaxPiece) return Constraint::dead;
  for (char c : text) {
    state = constraint.next(state, static_cast<unsigned char>(c));
    if (state == Constraint::dead) break;
  }
  return state;
}

template <typename Found>
void TokenTrie::walk(const Constraint& constraint, Constraint::State state,
                     const Found& found) const {
  std::vector<Constraint::State> states(kMaxPiece + 1, Constraint::dead);
  states[0] = state;
  for (uint32_t i = 0; i < nodes_.size();) {
    const auto& node = nodes_[i];
    auto next = constraint.next(states[node.depth - 1u], node.byte);
    if (next == Constraint::dead) {
      i = node.end;
      continue;
    }
    states[node.depth] = next;
    ++i;
    auto last = i < nodes_.size() ? nodes_[i].first_token : static_cast<uint32_t>(tokens_.size());
    for (auto t = node.first_token; t < last; ++t) {
      if (!found(tokens_[t])) return;
    }
  }
}

TokenMask TokenTrie::allowed(const Constraint& constraint, Constraint::State state) const {
  TokenMask mask(pieces_.size());
  walk(constraint, state, [&](int32_t token) {
    mask.set(static_cast<size_t>(token));
    return true;
  });
  return mask;
}

std::optional<std::vector<int32_t>> TokenTrie::few(const Constraint& constraint,
                                                   Constraint::State state, size_t most) const {
  std::vector<int32_t> tokens;
  bool more = false;
  walk(constraint, state, [&](int32_t token) {
    more = tokens.size() == most;
    if (!more) tokens.push_back(token);
    return !more;
  });
  return more ? std::nullopt : std::optional(std::move(tokens));
}

}  // namespace slipway::model
