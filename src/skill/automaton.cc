#include "skill/automaton.h"

#include <algorithm>
#include <bitset>
#include <cassert>
#include <unordered_set>

namespace slipway::skill {

Graph::Id Graph::add(GraphNode node) {
  nodes_.push_back(node);
  return static_cast<Id>(nodes_.size() - 1);
}

Graph::Id Graph::byte(unsigned char low, unsigned char high, Id next) {
  return add({.kind = GraphNode::Kind::byte, .low = low, .high = high, .next = next});
}

Graph::Id Graph::text(std::string_view text, Id next) {
  for (size_t i = text.size(); i > 0; --i) {
    const auto c = static_cast<unsigned char>(text[i - 1]);
    next = byte(c, c, next);
  }
  return next;
}

Graph::Id Graph::split(Id first, Id second) {
  return add({.kind = GraphNode::Kind::split, .next = first, .other = second});
}

Graph::Id Graph::any_of(const std::vector<Id>& choices) {
  if (choices.empty()) return byte(1, 0, 0);  // an empty range
  Id all = choices.back();
  for (size_t i = choices.size() - 1; i > 0; --i) all = split(choices[i - 1], all);
  return all;
}

Graph::Id Graph::guard(GraphNode::Kind kind, uint16_t amount, uint16_t bound, Id next) {
  return add({.kind = kind, .amount = amount, .bound = bound, .next = next});
}

void Graph::set(Id placeholder, Id first, Id second) {
  nodes_[placeholder].next = first;
  nodes_[placeholder].other = second;
}

void Graph::mark_said(Id first, Id behind) {
  for (Id id = first; id < behind; ++id) nodes_[id].said = true;
}

struct Automaton::Configuration {
  uint32_t node = 0;
  uint16_t characters = 0;
  uint16_t calls = 0;

  uint64_t pack() const { return uint64_t{node} << 32 | uint64_t{characters} << 16 | calls; }
  static Configuration unpack(uint64_t bits) {
    return {static_cast<uint32_t>(bits >> 32), static_cast<uint16_t>(bits >> 16),
            static_cast<uint16_t>(bits)};
  }
};

Automaton::Automaton(Graph graph, Graph::Id start, std::string fingerprint)
    : graph_(std::move(graph)), fingerprint_(std::move(fingerprint)) {
  classify_bytes();
  has_said_ = std::any_of(graph_.nodes().begin(), graph_.nodes().end(),
                          [](const GraphNode& node) { return node.said; });
  intern(closure({Configuration{start}.pack()}));
}

// Bytes that no node tells apart share a column of the transition tables.
void Automaton::classify_bytes() {
  std::bitset<257> begins;
  for (const auto& node : graph_.nodes()) {
    if (node.kind != GraphNode::Kind::byte || node.low > node.high) continue;
    begins.set(node.low);
    begins.set(size_t{node.high} + 1);
  }
  uint8_t current = 0;
  for (size_t byte = 0; byte < 256; ++byte) {
    if (byte > 0 && begins[byte]) ++current;
    class_of_[byte] = current;
  }
  classes_ = size_t{current} + 1;
}

// Follows everything that reads no byte; what remains waits for a byte or accepts.
Automaton::Set Automaton::closure(Set start) const {
  using Kind = GraphNode::Kind;
  std::unordered_set<uint64_t> seen(start.begin(), start.end());
  Set pending = std::move(start), result;
  const auto push = [&](Configuration c, uint32_t node) {
    c.node = node;
    if (seen.insert(c.pack()).second) pending.push_back(c.pack());
  };
  while (!pending.empty()) {
    auto c = Configuration::unpack(pending.back());
    pending.pop_back();
    const auto& node = graph_.nodes()[c.node];
    const uint32_t counted = uint32_t{c.characters} + node.amount;
    switch (node.kind) {
      case Kind::byte:
      case Kind::accept: result.push_back(c.pack()); break;
      case Kind::split:
        push(c, node.next);
        push(c, node.other);
        break;
      case Kind::count:
        if (counted > node.bound) break;
        c.characters = static_cast<uint16_t>(counted);
        push(c, node.next);
        break;
      case Kind::saturate:
        c.characters = static_cast<uint16_t>(std::min<uint32_t>(counted, node.bound));
        push(c, node.next);
        break;
      case Kind::at_least:
        if (c.characters >= node.bound) push(c, node.next);
        break;
      case Kind::reset:
        c.characters = 0;
        push(c, node.next);
        break;
      case Kind::next_call:
        if (uint32_t{c.calls} + 1 >= node.bound) break;
        ++c.calls;
        push(c, node.next);
        break;
    }
  }
  std::sort(result.begin(), result.end());
  return result;
}

model::Constraint::State Automaton::intern(Set set) const {
  if (const auto known = ids_.find(set); known != ids_.end()) return known->second;
  const auto id = ids_.size();
  if (id >= max_states) return dead;
  auto& chunk = chunks_[id / chunk_size];
  if (!chunk) chunk = std::make_unique<Chunk>();
  auto& created = (*chunk)[id % chunk_size];
  created.next = std::make_unique<std::atomic<State>[]>(classes_);
  for (size_t i = 0; i < classes_; ++i) created.next[i].store(unknown, std::memory_order_relaxed);
  created.accepts = std::any_of(set.begin(), set.end(), [&](uint64_t bits) {
    return graph_.nodes()[Configuration::unpack(bits).node].kind == GraphNode::Kind::accept;
  });
  created.said = std::all_of(set.begin(), set.end(), [&](uint64_t bits) {
    return graph_.nodes()[Configuration::unpack(bits).node].said;
  });
  created.set = set;
  ids_.emplace(std::move(set), static_cast<State>(id));
  return static_cast<State>(id);
}

model::Constraint::State Automaton::compute(Entry& from, unsigned char byte) const {
  Set reached;
  for (const auto bits : from.set) {
    auto c = Configuration::unpack(bits);
    const auto& node = graph_.nodes()[c.node];
    if (node.kind != GraphNode::Kind::byte || byte < node.low || byte > node.high) continue;
    c.node = node.next;
    reached.push_back(c.pack());
  }
  std::sort(reached.begin(), reached.end());
  reached.erase(std::unique(reached.begin(), reached.end()), reached.end());
  auto set = closure(std::move(reached));
  if (set.empty()) return dead;
  const std::lock_guard lock(mutex_);
  return intern(std::move(set));
}

// An id reaches another thread only through a release store here, after its entry was written.
model::Constraint::State Automaton::next(State state, unsigned char byte) const {
  if (state == dead) return dead;
  auto& from = entry(state);
  auto& slot = from.next[class_of_[byte]];
  auto to = slot.load(std::memory_order_acquire);
  if (to != unknown) return to;
  to = compute(from, byte);
  slot.store(to, std::memory_order_release);
  return to;
}

bool Automaton::accepts(State state) const { return state != dead && entry(state).accepts; }

size_t Automaton::states() const {
  const std::lock_guard lock(mutex_);
  return ids_.size();
}

}  // namespace slipway::skill
