#include "model/prefix_cache.h"

#include <algorithm>

namespace slipway::model {

struct PrefixCache::Node {
  Node* parent = nullptr;
  std::vector<int32_t> run;
  std::map<int32_t, std::unique_ptr<Node>> children;  // by first token of their run
  int sequence = -1;                                  // an entry ends here
};

PrefixCache::PrefixCache(int max_prefixes, size_t max_cells, int first_sequence)
    : max_prefixes_(static_cast<size_t>(std::max(0, max_prefixes))),
      max_cells_(max_cells),
      root_(std::make_unique<Node>()) {
  for (int i = max_prefixes; i > 0; --i) free_.push_back(first_sequence + i - 1);
}

PrefixCache::~PrefixCache() = default;

PrefixCache::Place PrefixCache::descend(Tokens tokens) const {
  Place place{root_.get(), 0, 0};
  while (place.depth < tokens.size()) {
    auto child = place.node->children.find(tokens[place.depth]);
    if (child == place.node->children.end()) break;
    Node* node = child->second.get();
    size_t inside = 0;
    while (inside < node->run.size() && place.depth < tokens.size() &&
           node->run[inside] == tokens[place.depth]) {
      ++inside;
      ++place.depth;
    }
    place = {node, place.depth, inside};
    if (inside < node->run.size()) break;
  }
  return place;
}

// Every node has an entry at or below it (prune keeps it so), hence this ends.
const PrefixCache::Node* PrefixCache::any_entry(const Node* node) const {
  while (node->sequence < 0) {
    if (node->children.empty()) return nullptr;
    node = node->children.begin()->second.get();
  }
  return node;
}

PrefixCache::Match PrefixCache::peek(Tokens tokens) const {
  auto place = descend(tokens);
  if (place.depth == 0) return {};
  const auto* holder = any_entry(place.node);
  return holder ? Match{holder->sequence, place.depth} : Match{};
}

PrefixCache::Match PrefixCache::find(Tokens tokens) {
  auto match = peek(tokens);
  if (match.sequence >= 0) entries_[match.sequence].used = ++clock_;
  return match;
}

// Cuts a run in two; returns the upper half, which has `node` as its only child.
PrefixCache::Node* PrefixCache::split(Node* node, size_t at) {
  auto upper = std::make_unique<Node>();
  auto* parent = node->parent;
  upper->parent = parent;
  upper->run.assign(node->run.begin(), node->run.begin() + static_cast<std::ptrdiff_t>(at));
  auto& slot = parent->children[node->run.front()];
  auto lower = std::move(slot);
  lower->run.erase(lower->run.begin(), lower->run.begin() + static_cast<std::ptrdiff_t>(at));
  lower->parent = upper.get();
  upper->children[lower->run.front()] = std::move(lower);
  slot = std::move(upper);
  return slot.get();
}

std::optional<int> PrefixCache::victim() const {
  const std::pair<const int, Entry>* oldest = nullptr;
  for (const auto& item : entries_) {
    if (item.second.pins == 0 && (!oldest || item.second.used < oldest->second.used))
      oldest = &item;
  }
  return oldest ? std::optional<int>(oldest->first) : std::nullopt;
}

std::optional<int> PrefixCache::evict() {
  auto sequence = victim();
  if (sequence) remove(*sequence);
  return sequence;
}

std::optional<PrefixCache::Slot> PrefixCache::insert(Tokens tokens) {
  if (tokens.empty() || tokens.size() > max_cells_ || max_prefixes_ == 0) return std::nullopt;
  if (peek(tokens).length == tokens.size()) return std::nullopt;
  Slot slot;
  // An entry that the new one extends gives nothing of its own any more.
  auto place = descend(tokens);
  int covered = place.inside == place.node->run.size() ? place.node->sequence : -1;
  if (covered >= 0 && entries_[covered].pins == 0) {
    remove(covered);
    slot.evicted.push_back(covered);
  }
  while (free_.empty() || cells_ + tokens.size() - descend(tokens).depth > max_cells_) {
    auto sequence = evict();
    if (!sequence) break;
    slot.evicted.push_back(*sequence);
  }
  if (free_.empty() || cells_ + tokens.size() - descend(tokens).depth > max_cells_) {
    return slot.evicted.empty() ? std::nullopt : std::optional<Slot>(std::move(slot));
  }
  place = descend(tokens);
  auto* node = place.node;
  if (place.inside < node->run.size()) node = split(node, place.inside);
  if (place.depth < tokens.size()) {
    auto leaf = std::make_unique<Node>();
    leaf->parent = node;
    leaf->run.assign(tokens.begin() + static_cast<std::ptrdiff_t>(place.depth), tokens.end());
    cells_ += leaf->run.size();
    node = (node->children[leaf->run.front()] = std::move(leaf)).get();
  }
  slot.sequence = free_.back();
  free_.pop_back();
  node->sequence = slot.sequence;
  entries_[slot.sequence] = {node, ++clock_, 0};
  return slot;
}

void PrefixCache::remove(int sequence) {
  auto entry = entries_.find(sequence);
  auto* node = entry->second.node;
  node->sequence = -1;
  entries_.erase(entry);
  free_.push_back(sequence);
  prune(node);
}

// Drops runs that no entry needs; a node left with one child and no entry stays split, which costs
// nothing.
void PrefixCache::prune(Node* node) {
  while (node != root_.get() && node->sequence < 0 && node->children.empty()) {
    auto* parent = node->parent;
    cells_ -= node->run.size();
    parent->children.erase(int32_t{node->run.front()});
    node = parent;
  }
}

void PrefixCache::pin(int sequence) {
  if (auto entry = entries_.find(sequence); entry != entries_.end()) ++entry->second.pins;
}

void PrefixCache::unpin(int sequence) {
  if (auto entry = entries_.find(sequence); entry != entries_.end() && entry->second.pins > 0)
    --entry->second.pins;
}

void PrefixCache::clear() {
  for (auto& [sequence, entry] : entries_) free_.push_back(sequence);
  entries_.clear();
  root_ = std::make_unique<Node>();
  cells_ = 0;
}

}  // namespace slipway::model
