// The thread that owns a llama_context and answers many requests side by side (continuous
// batching): each step decodes one batch of the next token of every running sequence and a slice of
// the prompts that were just admitted.
//
//     LlamaEngine engine(context, vocab, {.max_sequences = 16});   // takes the context
//     engine.submit(std::move(jobs));   // waits while 256 are queued
//
// Every job's `done` is called once, in the engine's thread.
//
// A prefix that several prompts share is decoded once: a request whose prompt begins like one that
// is being read waits for it, then gets a copy. Prefixes stay resident, least recently used out
// first (model/prefix_cache.h). One request's error, time-out or cancellation touches no other.
// submit is thread-safe.
//
// Batch-invariant: an answer's bits depend on its request alone, whatever else is in the batch and
// whether its prefix was resident. Every sequence has a stream of its own in the KV cache, so the
// order of its sums never depends on its neighbours, and every product is a row's own dot product
// (docs/decisions/0006-batch-invariance.md). Where the constraints of all running sequences leave
// few tokens, only their logits are computed (docs/decisions/0014-wanted-logits.md).
#pragma once

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <vector>

#include "model/drafter.h"
#include "model/kept_prefixes.h"
#include "model/llama_sequence.h"
#include "model/prefix_cache.h"

struct llama_context;
struct llama_batch;

namespace slipway::model {

struct LlamaEngineOptions {
  int max_sequences = 16;
  int context_tokens = 2048;  // of each sequence
  std::string prefix_folder;  // see kept_prefixes.h; empty: nothing is kept
  std::string prefix_key;
};

class LlamaEngine {
 public:
  // Takes the context.
  LlamaEngine(llama_context* context, const LlamaVocab& vocab, const LlamaEngineOptions& options);
  ~LlamaEngine();                           // running and waiting jobs end with Error cancelled
  void submit(std::vector<LlamaJob> jobs);  // seen by the engine all at once

  static constexpr int kPrefixes = 4;  // resident beside the running sequences
  static constexpr int kBatch = 512;   // tokens per step
  static int max_outputs(int max_sequences) { return std::max(64, max_sequences + kPrefixes); }

 private:
  struct Running {
    LlamaSequence sequence;
    int pinned = -1;  // prefix in use
    bool remembered = false;
  };
  struct Chunk {
    Running* running;
    int first;  // in the batch
    int count;
  };
  void run(std::stop_token stop);
  bool take(std::stop_token stop);
  void end_waiting();
  void admit();
  bool must_wait(const LlamaJob& job, const std::list<LlamaJob>& admitted) const;
  void start(LlamaJob& job);
  void step();
  std::vector<Chunk> fill_batch();
  std::map<const Running*, size_t> shares_of(std::vector<Running*> reading) const;
  void add_chunk(Running& running, size_t most, int& outputs, std::vector<Chunk>& chunks);
  bool wants_few(const std::vector<Chunk>& chunks);
  bool decode();
  void advance(const Chunk& chunk);
  void remember_prefix(Running& running);
  void end_running();
  void release(Running& running);
  void fail_running(const Error& error);
  void fail_waiting(const Error& error);
  void clear_sequence(int sequence);
  void copy_prefix(int from, int to, size_t tokens);
  void restore_prefix(const LlamaJob& job);
  void keep_prefix(const Running& running);

  struct Context;
  const LlamaVocab& vocab_;
  LlamaEngineOptions options_;
  std::unique_ptr<Context> context_;
  Sampler sampler_;
  WantedRows wanted_;
  Drafter drafter_;
  PrefixCache cache_;
  std::map<int, size_t> least_;  // of a sequence's tokens, that must be used for it to be whole
  std::optional<KeptPrefixes> kept_;
  int kept_now_ = 0;        // by this engine
  std::set<int> free_ids_;  // the lowest is taken first: neighbours are computed together
  std::list<LlamaJob> waiting_;
  std::list<Running> running_;

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<LlamaJob> queue_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace slipway::model
