// A byte automaton made for grammars whose strings may be bounded; internal to this layer.
//
// A Graph holds the language as a Thompson construction (K. Thompson, CACM 11(6), 1968), built from
// its end: every function takes the node that follows and returns the node that comes before. The
// Automaton determinises it lazily (R. Cox, "Regular Expression Matching Can Be Simple And Fast",
// 2007): a state is a set of configurations (node, characters of the current string, calls so far),
// so that bounds need counters in the states and no copies in the graph.
//
//     Graph graph;
//     auto accept = graph.accept();
//     Automaton automaton(std::move(graph), graph.text("yes", accept), ...);
//
// A Graph belongs to one thread; an Automaton is thread-safe, known transitions are read without a
// lock.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "model/constraint.h"

namespace slipway::skill {

struct GraphNode {
  enum class Kind : uint8_t {
    byte,       // low..high -> next
    split,      // -> next and -> other
    count,      // characters += amount -> next, when that is at most `bound`
    saturate,   // characters = min(characters + amount, bound) -> next
    at_least,   // -> next when characters >= bound
    reset,      // characters = 0 -> next
    next_call,  // calls += 1 -> next, when that is less than `bound`
    accept,
  };
  Kind kind = Kind::accept;
  uint8_t low = 0, high = 0;
  bool said = false;  // inside a value that must have been said (skill/said.h)
  uint16_t amount = 0, bound = 0;
  uint32_t next = 0, other = 0;
};

class Graph {
 public:
  using Id = uint32_t;
  Id accept() { return add({GraphNode::Kind::accept}); }
  Id byte(unsigned char low, unsigned char high, Id next);
  Id text(std::string_view text, Id next);
  Id split(Id first, Id second);
  Id any_of(const std::vector<Id>& choices);  // nothing fits when there are none
  Id guard(GraphNode::Kind kind, uint16_t amount, uint16_t bound, Id next);
  Id placeholder() { return split(0, 0); }  // for loops
  void set(Id placeholder, Id first, Id second);
  void mark_said(Id first, Id behind);  // the nodes made meanwhile
  size_t size() const { return nodes_.size(); }
  const std::vector<GraphNode>& nodes() const { return nodes_; }

 private:
  Id add(GraphNode node);
  std::vector<GraphNode> nodes_;
};

class Automaton : public model::Constraint {
 public:
  static constexpr State max_states = 1 << 20;  // then `next` is dead

  Automaton(Graph graph, Graph::Id start, std::string fingerprint);
  State start() const override { return 0; }
  State next(State state, unsigned char byte) const override;
  bool accepts(State state) const override;
  std::string fingerprint() const override { return fingerprint_; }
  bool said(State state) const { return entry(state).said; }  // all that may follow is inside one
  bool has_said() const { return has_said_; }
  size_t states() const;  // built so far

 private:
  struct Configuration;
  using Set = std::vector<uint64_t>;  // packed configurations, sorted
  struct Entry {
    std::unique_ptr<std::atomic<State>[]> next;  // by byte class
    Set set;
    bool accepts = false, said = false;
  };
  static constexpr State unknown = 0xffff'fffe;
  static constexpr size_t chunk_size = 1024, max_chunks = max_states / chunk_size;
  using Chunk = std::array<Entry, chunk_size>;

  void classify_bytes();
  Set closure(Set start) const;
  State intern(Set set) const;  // under mutex_
  State compute(Entry& entry, unsigned char byte) const;
  Entry& entry(State state) const { return (*chunks_[state / chunk_size])[state % chunk_size]; }

  Graph graph_;
  std::string fingerprint_;
  bool has_said_ = false;
  std::array<uint8_t, 256> class_of_{};
  size_t classes_ = 0;
  mutable std::mutex mutex_;
  mutable std::array<std::unique_ptr<Chunk>, max_chunks> chunks_;
  mutable std::map<Set, State> ids_;
};

}  // namespace slipway::skill
