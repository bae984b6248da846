// One request on its way through the engine: its tokens, its automaton's state, its text and when
// it ends.
//
//     LlamaSequence s(std::move(job), sequence_id, vocab);   // may append forced tokens at once
//     s.token(i) for i in [s.decoded(), s.decoded() + s.chunk())   // what to decode next
//     s.advance(rows, sampler);                              // chooses the next tokens
//     if (s.finished()) s.finish();
//
// Forced text: where the constraint leaves one choice of bytes, their canonical tokens are appended
// without asking the model, except the last, which might merge with what follows. Guessed tokens
// (model/drafter.h) are decoded behind the known ones; those that the model would not have written
// are forgotten, and decoded() says up to where. A finished answer goes back to where a more
// probable one may begin (model/answer_search.h). Not thread-safe: one engine thread.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "model/answer_search.h"
#include "model/drafter.h"
#include "model/llama_sampler.h"
#include "model/packed_buffer.h"

namespace slipway::model {

struct LlamaJob {
  std::vector<int32_t> prompt;
  Decoding decoding;
  std::shared_ptr<const Constraint> constraint;
  int timeout_ms = 0;
  bool fast_forward = true;
  CancelToken cancel, cancel_all;
  double submitted_ms = 0;
  std::function<void(std::string_view)> on_text;  // called in the engine's thread; may be empty
  std::function<void(Result<Completion>)> done;   // the same; exactly once

  bool cancelled() const { return cancel.cancelled() || cancel_all.cancelled(); }
  bool late(double now_ms) const { return timeout_ms > 0 && now_ms - submitted_ms > timeout_ms; }
  Error late_error() const;
};

class LlamaSequence {
 public:
  LlamaSequence(LlamaJob job, int id, size_t cached_tokens, const LlamaVocab& vocab);

  const LlamaJob& job() const { return job_; }
  int id() const { return id_; }
  size_t decoded() const { return decoded_; }
  size_t pending() const { return tokens_.size() - decoded_; }
  bool prefilling() const { return decoded_ < job_.prompt.size(); }
  size_t chunk() const { return pending() + draft_.size(); }
  int32_t token(size_t index) const {
    return index < tokens_.size() ? tokens_[index] : draft_[index - tokens_.size()];
  }
  bool needs_row(size_t index) const;  // the logits after token `index`
  // Adds the tokens that may follow the next `count` ones; false: too many to list.
  bool want(size_t count, Sampler& sampler, WantedRows& wanted) const;
  void guess(const Drafter& drafter);  // how the answer goes on, into the next chunk
  void teach_prompt(Drafter& drafter) const;  // once it was read
  void teach(Drafter& drafter) const;         // the answer

  // `rows[i]` are the logits after the i-th token of the chunk just decoded; null where needs_row
  // was false.
  Status advance(std::span<const float* const> rows, Sampler& sampler);
  // Forced tokens at the end are decoded only when their log probabilities are wanted.
  bool finished() const {
    return finished_ &&
           (!job_.decoding.logprobs || finished_ == FinishReason::cancelled || pending() <= 1);
  }
  void cancel() { finished_ = FinishReason::cancelled; }
  bool started() const { return tokens_.size() > job_.prompt.size(); }
  void finish();  // reports the completion
  void fail(const Error& error) { job_.done(error); }

 private:
  Choosing choosing(Constraint::State state) const;
  bool may_stop(Constraint::State state) const;
  Status choose(const float* row, Sampler& sampler);
  void take(int32_t token);  // and what it forces
  void weigh(const float* row, int32_t chosen, Sampler& sampler);
  AnswerPath path() const { return {tokens_, starts_, completion_, state_, logprob_}; }
  void go_back(const AnswerPath& path);
  void reconsider();
  bool ends_by_stop(const float* row, const Sampler& sampler) const;
  std::span<const int32_t> answer() const { return std::span(tokens_).subspan(job_.prompt.size()); }
  void note_logprobs(std::span<const float* const> rows, const Sampler& sampler);
  void append(int32_t token, bool forced);
  std::vector<int32_t> guess_call(const Drafter& drafter);
  void fast_forward();
  bool at_end(Constraint::State state) const;
  void cut_at_stop(size_t from);
  void stream(bool all);

  LlamaJob job_;
  int id_;
  const LlamaVocab& vocab_;
  std::vector<int32_t> tokens_;  // prompt and answer
  std::vector<int32_t> draft_;   // what may follow them
  std::string request_;          // the prompt's end, in small letters
  size_t decoded_;
  Constraint::State state_ = 0;
  uint64_t stream_ = 0;  // of random numbers
  Completion completion_;
  std::vector<size_t> starts_;  // of each answer token in the text
  size_t streamed_ = 0;
  std::optional<FinishReason> finished_;
  double logprob_ = 0;  // of the choices so far, while there is a search
  std::optional<AnswerSearch> search_;
  double admitted_ms_, first_row_ms_ = 0;
};

}  // namespace slipway::model
