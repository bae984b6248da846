#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>

#include <llama.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/hash.h"
#include "model/llama_engine.h"
#include "model/llama_load.h"
#include "model/llama_vocab.h"
#include "model/model.h"

namespace slipway::model {
namespace {

constexpr size_t kGroup = 256;   // requests of one call in the engine at a time
constexpr size_t kBlock = 4096;  // requests tokenized and sorted at a time

struct Event {
  size_t index = 0;
  std::string text;
  std::optional<Result<Completion>> done;
};

// From the engine's thread to the caller's. At most kGroup requests put into it.
class Mailbox {
 public:
  void put(Event event) {
    std::lock_guard lock(mutex_);
    events_.push_back(std::move(event));
    changed_.notify_one();
  }
  Event take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !events_.empty(); });
    auto event = std::move(events_.front());
    events_.pop_front();
    return event;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Event> events_;
};

struct Prepared {
  size_t index;
  std::vector<int32_t> prompt;
};

// What the file says without its tensors.
class LlamaVocabulary : public Model {
 public:
  LlamaVocabulary(LoadedLlama loaded, ModelInfo info)
      : loaded_(std::move(loaded)), vocab_(loaded_.weights->vocab), info_(std::move(info)) {}

  const ModelInfo& info() const override { return info_; }
  Result<Completion> complete(const Request&) override { return no_answers(); }
  Status complete_all(std::span<const Request>, const Done&, CancelToken) override {
    return no_answers();
  }
  Result<std::string> render(const std::vector<Message>& messages) const override {
    return vocab_.render(messages);
  }
  Result<std::vector<int32_t>> tokenize(std::string_view text) const override {
    return vocab_.plain(text);
  }
  Result<std::vector<int32_t>> prompt_tokens(const std::vector<Message>& messages) const override {
    return vocab_.prompt(messages);
  }
  Result<std::vector<int32_t>> answer_tokens(std::string_view text) const override {
    return vocab_.answer(text);
  }
  std::vector<std::vector<int32_t>> choices(const Constraint& constraint,
                                            std::span<const int32_t> answer) const override {
    std::vector<std::vector<int32_t>> lists;
    auto state = constraint.start();
    for (const auto token : answer) {
      auto list = state == Constraint::dead ? std::nullopt : vocab_.few(constraint, state);
      const bool listed = list && std::find(list->begin(), list->end(), token) != list->end();
      lists.push_back(listed ? std::move(*list) : std::vector<int32_t>());
      state = vocab_.trie().after(constraint, state, token);
    }
    return lists;
  }

 private:
  static Error no_answers() { return Error::unsupported("only the vocabulary was opened"); }

 protected:
  LoadedLlama loaded_;
  const LlamaVocab& vocab_;
  ModelInfo info_;
};

class LlamaModel : public LlamaVocabulary {
 public:
  LlamaModel(LoadedLlama loaded, llama_context* context, ModelInfo info, Memory memory,
             const LlamaEngineOptions& options, bool fast_forward)
      : LlamaVocabulary(std::move(loaded), std::move(info)),
        memory_(std::move(memory)),
        fast_forward_(fast_forward),
        engine_(context, vocab_, options) {}

  Memory memory() const override { return memory_; }

  Result<Completion> complete(const Request& request) override {
    std::optional<Result<Completion>> answer;
    auto keep = [&](size_t, Result<Completion> completion) { answer = std::move(completion); };
    SLIPWAY_CHECK(answer_all(std::span(&request, 1), keep, {}));
    return std::move(*answer);
  }

  Status complete_all(std::span<const Request> requests, const Done& done,
                      CancelToken cancel) override {
    SLIPWAY_CHECK(answer_all(requests, done, cancel));
    return cancel.cancelled() ? Status(Error::cancelled()) : Status();
  }

 private:
  Status answer_all(std::span<const Request> requests, const Done& done, CancelToken cancel) {
    for (size_t begin = 0; begin < requests.size(); begin += kBlock) {
      auto block = requests.subspan(begin, std::min(kBlock, requests.size() - begin));
      answer_block(requests, prepare(block, begin, done), done, cancel);
    }
    return {};
  }

  // Sorted by tokens: prompts that begin alike are neighbours, and their beginning is decoded once.
  std::vector<Prepared> prepare(std::span<const Request> block, size_t offset,
                                const Done& done) const {
    std::vector<Prepared> prepared;
    for (size_t i = 0; i < block.size(); ++i) {
      auto prompt = checked_prompt(block[i]);
      if (prompt.ok()) {
        prepared.push_back({offset + i, std::move(*prompt)});
      } else {
        done(offset + i, prompt.error());
      }
    }
    std::stable_sort(prepared.begin(), prepared.end(),
                     [](const auto& a, const auto& b) { return a.prompt < b.prompt; });
    return prepared;
  }

  Result<std::vector<int32_t>> checked_prompt(const Request& request) const {
    const auto& decoding = request.decoding;
    if (decoding.max_tokens < 1) return Error::invalid_input("max_tokens must be at least 1");
    if (!(decoding.temperature >= 0 && decoding.temperature <= 100) ||
        !(decoding.top_p > 0 && decoding.top_p <= 1)) {
      return Error::invalid_input("temperature must be 0 to 100 and top_p above 0 and at most 1");
    }
    SLIPWAY_TRY(prompt, vocab_.prompt(request.messages));
    if (prompt.empty()) return Error::invalid_input("the prompt is empty");
    size_t wanted = prompt.size() + static_cast<size_t>(decoding.max_tokens);
    if (wanted > static_cast<size_t>(info_.context_tokens)) {
      return Error::exhausted(
          "the prompt has " + std::to_string(prompt.size()) + " tokens and max_tokens is " +
              std::to_string(decoding.max_tokens) + ", but the context holds " +
              std::to_string(info_.context_tokens),
          "shorten the prompt, lower max_tokens or open the model with more context_tokens");
    }
    return prompt;
  }

  void answer_block(std::span<const Request> requests, std::vector<Prepared> prepared,
                    const Done& done, const CancelToken& cancel) {
    for (size_t begin = 0; begin < prepared.size(); begin += kGroup) {
      answer_group(requests,
                   std::span(prepared).subspan(begin, std::min(kGroup, prepared.size() - begin)),
                   done, cancel);
    }
  }

  // A group enters the engine at once and is finished before the next: the batches, and so every
  // bit of the answers, do not depend on how fast the caller is.
  void answer_group(std::span<const Request> requests, std::span<Prepared> group, const Done& done,
                    const CancelToken& cancel) {
    Mailbox mailbox;
    std::vector<LlamaJob> jobs;
    for (auto& item : group)
      jobs.push_back(job(requests[item.index], std::move(item), cancel, mailbox));
    size_t outstanding = jobs.size();
    engine_.submit(std::move(jobs));
    while (outstanding > 0) {
      auto event = mailbox.take();
      if (event.done) {
        --outstanding;
        done(event.index, std::move(*event.done));
      } else {
        requests[event.index].on_text(event.text);
      }
    }
  }

  LlamaJob job(const Request& request, Prepared item, const CancelToken& cancel,
               Mailbox& mailbox) const {
    LlamaJob job{std::move(item.prompt),
                 request.decoding,
                 request.constraint,
                 request.timeout_ms,
                 fast_forward_,
                 request.cancel,
                 cancel,
                 steady_ms(),
                 {},
                 {}};
    auto index = item.index;
    if (request.on_text) {
      job.on_text = [&mailbox, index](std::string_view text) {
        mailbox.put({index, std::string(text), {}});
      };
    }
    job.done = [&mailbox, index](Result<Completion> completion) {
      mailbox.put({index, {}, std::move(completion)});
    };
    return job;
  }

  Memory memory_;
  bool fast_forward_;
  LlamaEngine engine_;  // last: its thread uses the others
};

Status check_options(const OpenOptions& options) {
  if (options.max_sequences < 1 || options.max_sequences > 128) {
    return Error::invalid_input("max_sequences must be 1 to 128");
  }
  if (options.context_tokens < 256 || options.context_tokens > (1 << 20)) {
    return Error::invalid_input("context_tokens must be 256 to 1048576");
  }
  return {};
}

// Whatever decides a bit of a sequence's state.
Result<std::string> state_key(const OpenOptions& options, const ModelInfo& info) {
  std::string key =
      info.weights_sha256 + "\n" + info.engine_id + "\n" +
      std::to_string(options.context_tokens) + "\n" + std::to_string(options.max_sequences);
  if (options.prefix_folder.empty()) return key;
  for (const auto& adapter : options.adapters) {
    SLIPWAY_TRY(hash, sha256_file(adapter));
    key += "\n" + hash;
  }
  return key;
}

}  // namespace

Result<std::shared_ptr<Model>> open_llama(const OpenOptions& options) {
  SLIPWAY_CHECK(check_options(options));
  SLIPWAY_TRY(loaded, load_llama(options));
  ModelInfo info;
  info.name = options.name.empty() ? files::filename(options.path) : options.name;
  info.kind = "gguf";
  info.engine_id = llama_engine_id() + (options.fast_forward ? "" : " forward=off");
  info.context_tokens =
      std::min(options.context_tokens, llama_model_n_ctx_train(loaded.weights->model.get()));
  info.has_chat_template = loaded.weights->vocab.has_chat_template();
  info.weights_sha256 = options.weights_sha256;
  if (info.weights_sha256.empty()) {
    SLIPWAY_TRY(hash, sha256_file(options.path));
    info.weights_sha256 = hash;
  }
  if (options.vocabulary_only) {
    info.context_tokens = options.context_tokens;
    return std::shared_ptr<Model>(
        std::make_shared<LlamaVocabulary>(std::move(loaded), std::move(info)));
  }
  SLIPWAY_TRY(prefix_key, state_key(options, info));
  SLIPWAY_TRY(context, make_context(loaded, options));
  const LlamaEngineOptions engine{options.max_sequences, options.context_tokens,
                                  options.prefix_folder, prefix_key};
  auto memory = memory_of(loaded, context, options);
  return std::shared_ptr<Model>(std::make_shared<LlamaModel>(std::move(loaded), context,
                                                             std::move(info), std::move(memory),
                                                             engine, options.fast_forward));
}

}  // namespace slipway::model
