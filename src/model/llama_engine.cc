#include "model/llama_engine.h"

#include <llama.h>

#include <algorithm>

#include "base/clock.h"

namespace slipway::model {
namespace {

constexpr size_t kMaxQueued = 256;
constexpr size_t kMaxWaiting = 256;
constexpr size_t kLookedAt = 64;      // waiting jobs considered for admission in one step
constexpr size_t kWorthWaiting = 16;  // shared tokens that are worth a moment's wait
constexpr size_t kWorthKeeping = 32;  // new tokens that are worth a resident prefix
constexpr size_t kOwnWords = 64;      // at a prompt's end, which the next request does not share
constexpr size_t kStride = 64;        // windows and SIMD lanes divide it, or it them
constexpr int kMostKept = 4;          // prefixes of one engine: later prompts are hardly shared
constexpr size_t kAlone = 2;          // answers beside which a guessed token costs next to nothing

size_t shared_tokens(const std::vector<int32_t>& a, const std::vector<int32_t>& b) {
  return static_cast<size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first -
                             a.begin());
}

// All but the last token: that one is decoded again for its logits.
std::span<const int32_t> reusable(const std::vector<int32_t>& prompt) {
  return std::span(prompt).first(prompt.size() - 1);
}

}  // namespace

struct LlamaEngine::Context {
  explicit Context(llama_context* given)
      : context(given), memory(llama_get_memory(given)), batch(llama_batch_init(kBatch, 0, 1)) {}
  ~Context() {
    llama_batch_free(batch);
    llama_free(context);
  }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  llama_context* context;
  llama_memory_t memory;
  llama_batch batch;
};

LlamaEngine::LlamaEngine(llama_context* context, const LlamaVocab& vocab,
                         const LlamaEngineOptions& options)
    : vocab_(vocab),
      options_(options),
      context_(std::make_unique<Context>(context)),
      sampler_(vocab),
      wanted_(static_cast<int64_t>(vocab.size())),
      drafter_(vocab),
      cache_(kPrefixes, kPrefixes * static_cast<size_t>(options.context_tokens),
             options.max_sequences) {
  for (int id = 0; id < options.max_sequences; ++id) free_ids_.insert(id);
  if (!options.prefix_folder.empty()) kept_.emplace(options.prefix_folder, options.prefix_key);
  thread_ = std::jthread([this](std::stop_token stop) { run(stop); });
}

LlamaEngine::~LlamaEngine() = default;

void LlamaEngine::submit(std::vector<LlamaJob> jobs) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return queue_.size() < kMaxQueued; });
  for (auto& job : jobs) queue_.push_back(std::move(job));
  lock.unlock();
  changed_.notify_all();
}

void LlamaEngine::run(std::stop_token stop) {
  while (take(stop)) {
    end_waiting();
    end_running();
    admit();
    if (!running_.empty()) step();
  }
  fail_running(Error::cancelled("the model was closed"));
  fail_waiting(Error::cancelled("the model was closed"));
}

// Moves queued jobs to this thread; sleeps when there is nothing to do. False: stop.
bool LlamaEngine::take(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  if (running_.empty() && waiting_.empty())
    changed_.wait(lock, stop, [&] { return !queue_.empty(); });
  if (stop.stop_requested()) return false;
  while (!queue_.empty() && waiting_.size() < kMaxWaiting) {
    waiting_.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  lock.unlock();
  changed_.notify_all();
  return true;
}

void LlamaEngine::end_waiting() {
  auto now = steady_ms();
  waiting_.remove_if([&](LlamaJob& job) {
    if (!job.cancelled() && !job.late(now)) return false;
    job.done(job.cancelled() ? Error::cancelled() : job.late_error());
    return true;
  });
}

void LlamaEngine::end_running() {
  auto now = steady_ms();
  running_.remove_if([&](Running& running) {
    auto& sequence = running.sequence;
    if (!sequence.finished()) {
      if (sequence.job().late(now)) {
        sequence.fail(sequence.job().late_error());
        release(running);
        return true;
      }
      if (!sequence.job().cancelled()) return false;
      sequence.cancel();
    }
    if (sequence.job().cancelled() && !sequence.started()) {
      sequence.fail(Error::cancelled());
    } else {
      const bool read = !sequence.prefilling();  // forced text may be all of an answer
      sequence.teach(drafter_);
      sequence.finish();
      if (read) keep_prefix(running);  // the answer is out: nobody waits for the disk
    }
    release(running);
    return true;
  });
}

void LlamaEngine::admit() {
  size_t looked_at = 0;
  std::list<LlamaJob> admitted;
  for (auto job = waiting_.begin();
       job != waiting_.end() && ++looked_at <= kLookedAt && admitted.size() < free_ids_.size();) {
    if (must_wait(*job, admitted)) {
      ++job;
      continue;
    }
    admitted.splice(admitted.end(), waiting_, job++);
  }
  // llama.cpp reads prompts together as long as their streams follow each other, so the longest
  // come first: when the shorter ones end, those that are left are still neighbours.
  const auto left = [&](const LlamaJob& job) {
    return job.prompt.size() - cache_.peek(reusable(job.prompt)).length;
  };
  admitted.sort([&](const LlamaJob& a, const LlamaJob& b) { return left(a) > left(b); });
  for (auto& job : admitted) start(job);
}

// Another sequence is reading (or is about to) a beginning that this prompt shares and that is not
// resident yet.
bool LlamaEngine::must_wait(const LlamaJob& job, const std::list<LlamaJob>& admitted) const {
  const size_t resident = cache_.peek(reusable(job.prompt)).length;
  const auto reads_it = [&](const LlamaJob& other) {
    return shared_tokens(other.prompt, job.prompt) >= resident + kWorthWaiting;
  };
  return std::any_of(running_.begin(), running_.end(),
                     [&](const Running& running) {
                       return running.sequence.prefilling() && reads_it(running.sequence.job());
                     }) ||
         std::any_of(admitted.begin(), admitted.end(), reads_it);
}

void LlamaEngine::start(LlamaJob& job) {
  restore_prefix(job);
  auto match = cache_.find(reusable(job.prompt));
  const auto least = least_.find(match.sequence);
  if (least != least_.end() && match.length < least->second) match.length = 0;
  cache_.pin(match.sequence);
  const int id = *free_ids_.begin();
  free_ids_.erase(free_ids_.begin());
  clear_sequence(id);
  if (match.length > 0) copy_prefix(match.sequence, id, match.length);
  running_.push_back({LlamaSequence(std::move(job), id, match.length, vocab_), match.sequence});
}

// What a file holds of this prompt becomes resident, when that is much more than what is.
void LlamaEngine::restore_prefix(const LlamaJob& job) {
  if (!kept_) return;
  const auto match = kept_->longest(reusable(job.prompt));
  if (match.length < cache_.peek(reusable(job.prompt)).length + KeptPrefixes::kWorthKeeping) return;
  const auto tokens = kept_->tokens(match.file);
  const auto state = kept_->load(match.file);
  if (!state.ok()) return;
  const auto slot = cache_.insert(tokens);
  if (!slot) return;
  for (int evicted : slot->evicted) clear_sequence(evicted);
  if (slot->sequence < 0) return;
  const auto* bytes = reinterpret_cast<const uint8_t*>(state->data());
  if (llama_state_seq_set_data(context_->context, bytes, state->size(), slot->sequence) == 0) {
    clear_sequence(slot->sequence);
    cache_.remove(slot->sequence);
  } else {
    least_[slot->sequence] = tokens.size();
  }
}

// Only when nobody waits for the disk. A failure to keep is no failure of the answer: the prompt is
// read again next time. Of layers with
// a sliding window a state holds the window before its end and no more, moved to the front: it ends
// where it will be used, and by whole strides, so that sums keep their order.
void LlamaEngine::keep_prefix(const Running& running) {
  const auto& whole = running.sequence.job().prompt;
  const auto shared = whole.size() - std::min(whole.size(), kOwnWords);
  const auto prompt = std::span(whole).first(shared / kStride * kStride);
  const bool idle = running_.size() == 1 && waiting_.empty();
  if (!kept_ || !idle || kept_now_ == kMostKept) return;
  if (prompt.size() < kept_->longest(whole).length + KeptPrefixes::kWorthKeeping) return;
  const auto id = static_cast<llama_seq_id>(running.sequence.id());
  llama_memory_seq_rm(context_->memory, id, static_cast<llama_pos>(prompt.size()), -1);
  std::string state(llama_state_seq_get_size(context_->context, id), '\0');
  state.resize(llama_state_seq_get_data(context_->context, reinterpret_cast<uint8_t*>(state.data()),
                                        state.size(), id));
  if (!state.empty()) kept_now_ += kept_->keep(prompt, state).ok();
}

// Between streams llama.cpp copies whole sequences, at the next decode and in the order asked for.
void LlamaEngine::copy_prefix(int from, int to, size_t tokens) {
  llama_memory_seq_cp(context_->memory, from, to, -1, -1);
  llama_memory_seq_rm(context_->memory, to, static_cast<llama_pos>(tokens), -1);
  least_[to] = least_[from];
}

void LlamaEngine::clear_sequence(int sequence) {
  llama_memory_seq_rm(context_->memory, sequence, -1, -1);
  least_.erase(sequence);
}

void LlamaEngine::release(Running& running) {
  clear_sequence(running.sequence.id());
  cache_.unpin(running.pinned);
  free_ids_.insert(running.sequence.id());
}

void LlamaEngine::add_chunk(Running& running, size_t most, int& outputs,
                            std::vector<Chunk>& chunks) {
  auto& batch = context_->batch;
  auto& sequence = running.sequence;
  Chunk chunk{&running, batch.n_tokens, 0};
  for (size_t i = sequence.decoded(); i < sequence.decoded() + most; ++i) {
    bool row = sequence.needs_row(i);
    if (batch.n_tokens == kBatch || (row && outputs == max_outputs(options_.max_sequences))) break;
    outputs += row;
    batch.token[batch.n_tokens] = sequence.token(i);
    batch.pos[batch.n_tokens] = static_cast<llama_pos>(i);
    batch.n_seq_id[batch.n_tokens] = 1;
    batch.seq_id[batch.n_tokens][0] = sequence.id();
    batch.logits[batch.n_tokens++] = row;
    ++chunk.count;
  }
  if (chunk.count > 0) chunks.push_back(chunk);
}

// Running answers first, so that a long prompt never makes them wait more than one batch, then the
// prompts that have waited longest; each kind by ascending stream, since llama.cpp computes
// together only streams that follow each other.
std::vector<LlamaEngine::Chunk> LlamaEngine::fill_batch() {
  context_->batch.n_tokens = 0;
  int outputs = 0;
  std::vector<Chunk> chunks;
  running_.sort(
      [](const Running& a, const Running& b) { return a.sequence.id() < b.sequence.id(); });
  std::vector<Running*> reading;
  for (auto& running : running_) {
    auto& sequence = running.sequence;
    if (sequence.finished()) continue;
    if (running_.size() <= kAlone) sequence.guess(drafter_);
    if (sequence.prefilling()) {
      reading.push_back(&running);
    } else {
      add_chunk(running, sequence.chunk(), outputs, chunks);
    }
  }
  const auto shares = shares_of(reading);
  for (auto* running : reading)
    if (const auto share = shares.at(running)) add_chunk(*running, share, outputs, chunks);
  return chunks;
}

// What is left of the batch, by age.
std::map<const LlamaEngine::Running*, size_t> LlamaEngine::shares_of(
    std::vector<Running*> reading) const {
  std::stable_sort(reading.begin(), reading.end(), [](const Running* a, const Running* b) {
    return a->sequence.job().submitted_ms < b->sequence.job().submitted_ms;
  });
  std::map<const Running*, size_t> shares;
  auto left = static_cast<size_t>(kBatch - context_->batch.n_tokens);
  for (const auto* running : reading) {
    shares[running] = std::min(running->sequence.chunk(), left);
    left -= shares[running];
  }
  return shares;
}

// Lists what may follow this batch, in wanted_; false: nearly anything may.
bool LlamaEngine::wants_few(const std::vector<Chunk>& chunks) {
  wanted_.clear();
  return std::all_of(chunks.begin(), chunks.end(), [&](const Chunk& chunk) {
    return chunk.running->sequence.want(static_cast<size_t>(chunk.count), sampler_, wanted_);
  });
}

// A full KV cache gives resident prefixes up and is tried again.
bool LlamaEngine::decode() {
  for (;;) {
    int result = llama_decode(context_->context, context_->batch);
    if (result == 0) return true;
    auto evicted = result == 1 ? cache_.evict() : std::nullopt;
    if (!evicted) {
      fail_running(
          result == 1
              ? Error::exhausted("the KV cache is full", "open the model with more context_tokens")
              : Error::internal("llama_decode failed with " + std::to_string(result)));
      llama_memory_clear(context_->memory, true);
      cache_.clear();
      return false;
    }
    clear_sequence(*evicted);
  }
}

void LlamaEngine::step() {
  auto chunks = fill_batch();
  if (chunks.empty()) return;
  std::optional<OnlyRows> only;
  if (wants_few(chunks)) only.emplace(wanted_);
  if (!decode()) return;
  for (const auto& chunk : chunks) advance(chunk);
}

void LlamaEngine::advance(const Chunk& chunk) {
  auto& sequence = chunk.running->sequence;
  const size_t read = sequence.decoded() + static_cast<size_t>(chunk.count);
  std::vector<const float*> rows(static_cast<size_t>(chunk.count), nullptr);
  for (int i = 0; i < chunk.count; ++i) {
    int at = chunk.first + i;
    if (context_->batch.logits[at])
      rows[static_cast<size_t>(i)] = llama_get_logits_ith(context_->context, at);
  }
  auto status = sequence.advance(rows, sampler_);
  if (!status.ok()) {
    sequence.fail(status.error());
    release(*chunk.running);
    running_.remove_if([&](const Running& running) { return &running == chunk.running; });
    return;
  }
  if (sequence.decoded() < read) {  // guesses that were wrong
    llama_memory_seq_rm(context_->memory, sequence.id(), static_cast<llama_pos>(sequence.decoded()),
                        -1);
  }
  if (!sequence.prefilling() && !chunk.running->remembered) {
    sequence.teach_prompt(drafter_);
    remember_prefix(*chunk.running);
  }
}

// Keeps what waiting requests share with this prompt, or, when none does, all of it for requests to
// come.
void LlamaEngine::remember_prefix(Running& running) {
  running.remembered = true;
  const auto& prompt = running.sequence.job().prompt;
  size_t keep = 0;
  for (const auto& job : waiting_)
    keep = std::max(keep, std::min(shared_tokens(prompt, job.prompt), job.prompt.size() - 1));
  size_t resident = cache_.peek(prompt).length;
  if (keep < resident + kWorthWaiting) {
    bool others = keep >= kWorthWaiting;
    if (others || prompt.size() < resident + kWorthKeeping) return;
    keep = prompt.size();
  }
  auto slot = cache_.insert(std::span(prompt).first(keep));
  if (!slot) return;
  for (int evicted : slot->evicted) clear_sequence(evicted);
  if (slot->sequence < 0) return;
  copy_prefix(running.sequence.id(), slot->sequence, keep);
  cache_.pin(slot->sequence);
  cache_.unpin(running.pinned);
  running.pinned = slot->sequence;
}

void LlamaEngine::fail_running(const Error& error) {
  for (auto& running : running_) {
    release(running);
    running.sequence.fail(error);
  }
  running_.clear();
}

void LlamaEngine::fail_waiting(const Error& error) {
  std::unique_lock lock(mutex_);
  std::deque<LlamaJob> queued;
  queued.swap(queue_);
  lock.unlock();
  for (auto& job : waiting_) job.done(error);
  for (auto& job : queued) job.done(error);
  waiting_.clear();
}

}  // namespace slipway::model
