#include "model/llama_sequence.h"

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "base/text.h"

namespace slipway::model {
namespace {

constexpr size_t kRequestTokens = 64;  // of a prompt's end, where the speaker's words are

// Two requests of the same prompt and seed answer the same, in whatever batch.
uint64_t stream_of(const std::vector<int32_t>& tokens) {
  uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  for (auto token : tokens) hash = (hash ^ static_cast<uint32_t>(token)) * 0x100000001b3;
  return hash;
}

// Bytes at the end that begin a character which is not whole yet.
size_t partial_character(std::string_view text) {
  for (size_t back = 1; back <= std::min<size_t>(3, text.size()); ++back) {
    auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) {
      size_t length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return length > back ? back : 0;
    }
  }
  return 0;
}

// Bytes at the end that might grow into a stop string.
size_t partial_stop(std::string_view text, const std::vector<std::string>& stops) {
  size_t most = 0;
  for (const auto& stop : stops) {
    for (size_t n = std::min(stop.size(), text.size()); n > most; --n) {
      if (text.substr(text.size() - n) == std::string_view(stop).substr(0, n)) {
        most = n;
        break;
      }
    }
  }
  return most;
}

}  // namespace

Error LlamaJob::late_error() const {
  return Error::timeout("no answer within " + std::to_string(timeout_ms) + " ms",
                        "allow more time or fewer tokens");
}

LlamaSequence::LlamaSequence(LlamaJob job, int id, size_t cached_tokens, const LlamaVocab& vocab)
    : job_(std::move(job)),
      id_(id),
      vocab_(vocab),
      tokens_(job_.prompt),
      decoded_(cached_tokens),
      stream_(stream_of(job_.prompt)),
      admitted_ms_(steady_ms()) {
  completion_.prompt_tokens = static_cast<int>(job_.prompt.size());
  completion_.cached_prompt_tokens = static_cast<int>(cached_tokens);
  completion_.queue_ms = admitted_ms_ - job_.submitted_ms;
  if (job_.constraint) {
    state_ = job_.constraint->start();
    if (job_.decoding.tries > 1 && job_.decoding.temperature <= 0)
      search_.emplace(job_.decoding.tries);
    fast_forward();
  }
}

bool LlamaSequence::needs_row(size_t index) const {
  if (index + 1 >= tokens_.size()) return true;
  return job_.decoding.logprobs && index + 1 >= job_.prompt.size();
}

bool LlamaSequence::want(size_t count, Sampler& sampler, WantedRows& wanted) const {
  const size_t end = decoded_ + count;
  if (end < tokens_.size()) return !needs_row(end - 1);
  if (!job_.constraint || job_.decoding.logprobs) return false;
  auto state = state_;
  for (size_t i = tokens_.size(); i <= end && state != Constraint::dead; ++i) {
    const auto* tokens = may_stop(state) ? nullptr : sampler.few(choosing(state));
    if (!tokens) return false;
    for (const auto token : *tokens) wanted.add(token);
    if (i < end) state = vocab_.trie().after(*job_.constraint, state, token(i));
  }
  return true;
}

void LlamaSequence::guess(const Drafter& drafter) {
  if (!job_.fast_forward || job_.decoding.logprobs || !started()) return;
  draft_ = job_.constraint ? guess_call(drafter) : drafter.guess(std::span<const int32_t>(tokens_));
  // Behind the answer's last token the context may be full.
  const auto left = std::max(job_.decoding.max_tokens - completion_.completion_tokens - 1, 0);
  draft_.resize(std::min(draft_.size(), static_cast<size_t>(left)));
}

std::vector<int32_t> LlamaSequence::guess_call(const Drafter& drafter) {
  if (request_.empty()) {
    const auto from = job_.prompt.size() - std::min(job_.prompt.size(), kRequestTokens);
    for (size_t i = from; i < job_.prompt.size(); ++i)
      request_ += vocab_.trie().piece(job_.prompt[i]);
    request_ = to_lower(request_);
  }
  return drafter.guess({*job_.constraint, state_, answer(), completion_.text, request_});
}

void LlamaSequence::teach_prompt(Drafter& drafter) const {
  const auto cached = static_cast<size_t>(completion_.cached_prompt_tokens);
  if (!job_.constraint) drafter.learn_text(job_.prompt, std::max<size_t>(cached, 1));
}

void LlamaSequence::teach(Drafter& drafter) const {
  if (job_.constraint) {
    drafter.learn_call(answer());
  } else {
    drafter.learn_text(tokens_, job_.prompt.size());
  }
}

void LlamaSequence::note_logprobs(std::span<const float* const> rows, const Sampler& sampler) {
  if (!job_.decoding.logprobs) return;
  for (size_t i = 0; i < rows.size(); ++i) {
    size_t next = decoded_ + i + 1;
    if (next < job_.prompt.size() || next >= tokens_.size()) continue;
    size_t answered = next - job_.prompt.size();
    if (answered >= completion_.tokens.size()) continue;  // behind a stop string
    completion_.tokens[answered].logprob = sampler.logprob(rows[i], tokens_[next]);
  }
}

Status LlamaSequence::advance(std::span<const float* const> rows, Sampler& sampler) {
  note_logprobs(rows, sampler);
  const size_t begin = decoded_, end = decoded_ + rows.size(), known = tokens_.size();
  const auto draft = std::exchange(draft_, {});
  decoded_ = std::min(end, known);
  if (pending() == 0 && first_row_ms_ == 0) first_row_ms_ = steady_ms();
  if (pending() == 0 && !finished_) {
    ++completion_.evaluations;
    do {
      SLIPWAY_CHECK(choose(rows[decoded_ - 1 - begin], sampler));
      while (decoded_ < std::min(end, tokens_.size()) &&
             tokens_[decoded_] == draft[decoded_ - known]) {
        ++decoded_;
      }
    } while (!finished_ && pending() == 0);
  }
  if (search_ && finished()) reconsider();
  return {};
}

// What was not chosen here stays on the list.
void LlamaSequence::weigh(const float* row, int32_t chosen, Sampler& sampler) {
  double of_chosen = 0;
  for (const auto& [token, logprob] : sampler.weigh(row, choosing(state_))) {
    if (token == chosen) {
      of_chosen = logprob;
    } else if (search_->promises(logprob_ + logprob)) {
      search_->passed_by(path(), token, logprob_ + logprob);
    }
  }
  logprob_ += of_chosen;
}

void LlamaSequence::go_back(const AnswerPath& path) {
  const auto same = std::mismatch(tokens_.begin(), tokens_.end(), path.tokens.begin(),
                                  path.tokens.end());
  decoded_ = std::min(decoded_, static_cast<size_t>(same.first - tokens_.begin()));
  decoded_ -= job_.decoding.logprobs;  // that of the next token comes from this one's logits
  const int evaluations = completion_.evaluations;
  tokens_ = path.tokens;
  starts_ = path.starts;
  completion_ = path.completion;
  completion_.evaluations = evaluations;
  state_ = path.state;
  logprob_ = path.logprob;
}

// The answer is whole: goes on from where a more probable one may begin, or settles for the best.
void LlamaSequence::reconsider() {
  if (finished_ == FinishReason::stop) search_->complete(path());
  while (search_->found() && finished_ && finished_ != FinishReason::cancelled) {
    const auto branch = search_->next();
    if (!branch) {
      go_back(search_->best());
      finished_ = FinishReason::stop;
      search_.reset();
      return;
    }
    go_back(branch->path);
    logprob_ = branch->logprob;
    finished_.reset();
    take(branch->token);
    if (finished_ == FinishReason::stop) search_->complete(path());
  }
}

// A base model seldom writes its end token: where the text may end and the model's own wish begins
// with a stop string, that wish is granted instead of being bent into the constraint.
bool LlamaSequence::ends_by_stop(const float* row, const Sampler& sampler) const {
  if (!may_stop(state_)) return false;
  const auto& piece = vocab_.trie().piece(sampler.best(row));
  return std::any_of(job_.decoding.stop.begin(), job_.decoding.stop.end(),
                     [&](const auto& stop) { return !stop.empty() && starts_with(piece, stop); });
}

bool LlamaSequence::may_stop(Constraint::State state) const {
  return job_.constraint && !job_.decoding.stop.empty() && job_.constraint->accepts(state);
}

Choosing LlamaSequence::choosing(Constraint::State state) const {
  return {&job_.decoding, job_.constraint, state, stream_, tokens_.size() - job_.prompt.size()};
}

Status LlamaSequence::choose(const float* row, Sampler& sampler) {
  if (ends_by_stop(row, sampler)) {
    finished_ = FinishReason::stop;
    return {};
  }
  SLIPWAY_TRY(token, sampler.choose(row, choosing(state_)));
  if (search_) weigh(row, token, sampler);
  const size_t before = completion_.tokens.size();
  take(token);
  if (job_.decoding.logprobs && completion_.tokens.size() > before)
    completion_.tokens[before].logprob = sampler.logprob(row, token);
  stream(false);
  return {};
}

void LlamaSequence::take(int32_t token) {
  if (vocab_.ends(token)) {
    ++completion_.completion_tokens;
    finished_ = FinishReason::stop;
    return;
  }
  append(token, false);
  if (job_.constraint && !finished_) fast_forward();
}

bool LlamaSequence::at_end(Constraint::State state) const {
  if (!job_.constraint->accepts(state)) return false;
  for (int byte = 0; byte < 256; ++byte) {
    if (job_.constraint->next(state, static_cast<unsigned char>(byte)) != Constraint::dead)
      return false;
  }
  return true;
}

void LlamaSequence::append(int32_t token, bool forced) {
  const auto& piece = vocab_.trie().piece(token);
  if (job_.constraint) state_ = vocab_.trie().after(*job_.constraint, state_, token);
  tokens_.push_back(token);
  starts_.push_back(completion_.text.size());
  completion_.text += piece;
  completion_.tokens.push_back({token, piece, 0});
  ++completion_.completion_tokens;
  completion_.forced_tokens += forced;
  cut_at_stop(starts_.back());
  if (finished_) return;
  if (job_.constraint && at_end(state_)) {
    finished_ = FinishReason::stop;
  } else if (completion_.completion_tokens >= job_.decoding.max_tokens) {
    finished_ = FinishReason::length;
  }
}

void LlamaSequence::fast_forward() {
  if (!job_.fast_forward) return;
  auto text = forced_text(*job_.constraint, state_);
  if (text.empty()) return;
  auto forced = vocab_.plain(text);
  std::string spelled;
  auto state = state_;
  for (auto token : forced) {
    spelled += vocab_.trie().piece(token);
    state = vocab_.trie().after(*job_.constraint, state, token);
    if (state == Constraint::dead) return;
  }
  if (spelled != text) return;  // a tokenizer that adds a space
  if (!at_end(state)) forced.pop_back();
  for (auto token : forced) {
    if (finished_) break;
    append(token, true);
  }
}

void LlamaSequence::cut_at_stop(size_t from) {
  size_t cut = std::string::npos;
  for (const auto& stop : job_.decoding.stop) {
    if (stop.empty()) continue;
    cut = std::min(cut,
                   completion_.text.find(stop, from >= stop.size() ? from - stop.size() + 1 : 0));
  }
  if (cut == std::string::npos) return;
  completion_.text.resize(cut);
  while (!starts_.empty() && starts_.back() >= cut) {
    starts_.pop_back();
    completion_.tokens.pop_back();
  }
  finished_ = FinishReason::stop;
}

void LlamaSequence::stream(bool all) {
  if (!job_.on_text || (search_ && !all)) return;
  std::string_view text = completion_.text;
  size_t held = all ? 0 : std::max(partial_character(text), partial_stop(text, job_.decoding.stop));
  if (text.size() - held <= streamed_) return;
  job_.on_text(text.substr(streamed_, text.size() - held - streamed_));
  streamed_ = text.size() - held;
}

void LlamaSequence::finish() {
  auto now = steady_ms();
  auto& text = completion_.text;
  text.resize(text.size() - partial_character(text));
  completion_.finish = *finished_;
  double first = first_row_ms_ > 0 ? first_row_ms_ : now;
  completion_.prompt_ms = first - admitted_ms_;
  completion_.decode_ms = now - first;
  completion_.total_ms = now - job_.submitted_ms;
  stream(true);
  job_.done(std::move(completion_));
}

}  // namespace slipway::model
