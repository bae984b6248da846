// Which token prefixes are resident in the KV cache, and under which sequence id: a radix tree of
// token runs. It holds no KV data; the engine copies and clears sequences as it is told here.
//
//     PrefixCache cache(8, 16384, 100);   // 8 prefixes, 16384 cells, sequence ids 100..107
//     auto match = cache.find(prompt);    // longest resident prefix, touched
//     auto slot = cache.insert(prompt);   // copy the prompt to slot->sequence, clear
//                                         // slot->evicted first
//
// Units: tokens are cells; a run shared by two prefixes is counted once. Pinned prefixes (in use by
// a running sequence) are never evicted; others go least recently used first. Not thread-safe: one
// engine thread owns it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace slipway::model {

class PrefixCache {
 public:
  using Tokens = std::span<const int32_t>;
  PrefixCache(int max_prefixes, size_t max_cells, int first_sequence);
  ~PrefixCache();

  struct Match {
    int sequence = -1;  // holds the first `length` tokens; -1: none
    size_t length = 0;
  };
  Match find(Tokens tokens);
  Match peek(Tokens tokens) const;  // as find, without touching

  struct Slot {
    int sequence = -1;
    std::vector<int> evicted;  // sequences to clear before the copy; may contain `sequence`
  };
  // Makes the tokens resident. A prefix of them that is a resident entry by itself and not pinned
  // is replaced. Nothing when they are resident already, are longer than the cache, or all slots
  // are pinned.
  std::optional<Slot> insert(Tokens tokens);

  void pin(int sequence);
  void unpin(int sequence);
  // Removes the least recently used prefix that is not pinned; its sequence is to be cleared.
  std::optional<int> evict();
  void remove(int sequence);  // a resident one that is not pinned
  void clear();

  size_t cells() const { return cells_; }
  size_t prefixes() const { return entries_.size(); }

 private:
  struct Node;
  struct Entry {
    Node* node = nullptr;
    uint64_t used = 0;
    int pins = 0;
  };
  struct Place {
    Node* node = nullptr;
    size_t depth = 0;   // tokens matched in all
    size_t inside = 0;  // of these, in node's own run
  };
  Place descend(Tokens tokens) const;
  const Node* any_entry(const Node* node) const;
  Node* split(Node* node, size_t at);
  void prune(Node* node);
  std::optional<int> victim() const;

  size_t max_prefixes_;
  size_t max_cells_;
  size_t cells_ = 0;
  uint64_t clock_ = 0;
  std::unique_ptr<Node> root_;
  std::map<int, Entry> entries_;  // by sequence
  std::vector<int> free_;
};

}  // namespace slipway::model
