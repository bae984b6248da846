// A model answers requests: GGUF weights in this process, or an OpenAI-compatible endpoint.
// Switching is one name.
//
//     SLIPWAY_TRY(options, catalog.resolve("gemma-3-270m", models_dir));      // model/catalog.h
//     SLIPWAY_TRY(model, open_llama(options));
//     SLIPWAY_TRY(answer, model->complete({.messages = {{"user", "play baby shark"}}}));
//
// Thread-safe: calls from several threads are batched together by the engine.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/result.h"
#include "json/value.h"
#include "model/constraint.h"

namespace slipway::model {

struct Message {
  std::string role;  // system, user, assistant, tool
  std::string content;
};

struct Decoding {
  int max_tokens = 96;
  double temperature = 0;  // 0: greedy
  double top_p = 1;
  int top_k = 0;      // 0: off
  uint64_t seed = 0;  // with the request's own stream: results do not depend on the batch's order
  std::vector<std::string> stop;  // the answer ends before the first of these
  bool logprobs = false;
  // Added to the logits of the tokens that end an answer where its constraint could go on: below
  // zero, a model that stops after the first of several calls goes on more readily.
  double end_bias = 0;
  // Above 1, inside a constraint and without temperature: so many answers may be written to find
  // the most probable one (model/answer_search.h). Of GGUF weights; nothing is streamed before
  // it is found.
  int tries = 1;
  json::Value to_json() const;  // part of the candidate's identity
};

struct Request {
  // A chat is rendered by the model's own template; without one (base models) contents are joined
  // by blank lines.
  std::vector<Message> messages;
  std::shared_ptr<const Constraint> constraint;  // null: free text
  Decoding decoding;
  int timeout_ms = 0;  // 0: none
  CancelToken cancel;
  // Streaming: pieces as they are decided, whole characters, in the calling thread.
  std::function<void(std::string_view text)> on_text;
};

// A request cancelled before its first token is Error cancelled; later, a Completion with what
// there is.
enum class FinishReason { stop, length, cancelled };

struct TokenInfo {
  int32_t id = -1;  // -1: an endpoint does not tell
  std::string text;
  double logprob = 0;  // natural logarithm, before temperature and constraint
};

struct Completion {
  std::string text;
  std::vector<TokenInfo> tokens;  // logprobs only when asked for
  FinishReason finish = FinishReason::stop;
  int prompt_tokens = 0;
  int cached_prompt_tokens = 0;  // of these, decoded earlier (shared prefix)
  int completion_tokens = 0;
  int forced_tokens = 0;  // of these, decided by the constraint without the model
  int evaluations = 0;    // passes of the model that decided the others; fewer by right guesses
  double queue_ms = 0, prompt_ms = 0, decode_ms = 0, total_ms = 0;
};

struct ModelInfo {
  std::string name;
  std::string kind;            // "gguf" or "endpoint"
  std::string weights_sha256;  // empty: unpinned
  std::string engine_id;       // llama.cpp and ggml version, CPU level, flags; "endpoint" for those
  bool has_chat_template = false;
  int context_tokens = 0;
  json::Value to_json() const;
};

// What a model takes of the machine's memory, at most. Models on one file have the same weights.
struct Memory {
  std::shared_ptr<const void> weights;  // who holds this holds them; null: they are not here
  uint64_t weights_bytes = 0;           // the file's mapped part and what was packed of it
  uint64_t own_bytes = 0;               // contexts, buffers, adapters
};

class Model {
 public:
  using Done = std::function<void(size_t index, Result<Completion> completion)>;
  virtual ~Model() = default;
  virtual const ModelInfo& info() const = 0;
  virtual Memory memory() const { return {}; }  // nothing for an endpoint
  virtual Result<Completion> complete(const Request& request) = 0;
  // Answers all; `done` is called once per request, as each finishes, from one thread at a time.
  virtual Status complete_all(std::span<const Request> requests, const Done& done,
                              CancelToken cancel) = 0;
  // The text that the model will read for these messages. Errors: unsupported (endpoint).
  virtual Result<std::string> render(const std::vector<Message>& messages) const = 0;
  virtual Result<std::vector<int32_t>> tokenize(std::string_view text) const = 0;
  // What training needs to see the tokens of inference. Errors: unsupported (endpoint, and every
  // model that does not say otherwise).
  // The tokens that complete() reads for these messages.
  virtual Result<std::vector<int32_t>> prompt_tokens(const std::vector<Message>& messages) const;
  // The tokens of `text` as an answer, without the space that some tokenizers put before a text,
  // and after them the token that ends an answer.
  virtual Result<std::vector<int32_t>> answer_tokens(std::string_view text) const;
  // What decoding inside `constraint` would choose each of these tokens from, itself among them;
  // an empty list: from more than can be listed, or it would not choose it. For a model that cannot
  // tell, all lists are empty.
  virtual std::vector<std::vector<int32_t>> choices(const Constraint& constraint,
                                                    std::span<const int32_t> answer) const;
};

struct OpenOptions {
  // Of the catalog, a path to a GGUF, or an http(s) URL of an endpoint with "#model".
  std::string name;
  std::string path;            // resolved by the catalog; a GGUF file
  std::string weights_sha256;  // when known (the catalog remembers it); else the file is hashed
  std::vector<std::string> adapters;  // GGUF LoRA files, by path
  int threads = 0;                    // 0: the machine's cores
  int max_sequences = 16;             // answered side by side
  int context_tokens = 2048;          // of each sequence
  bool vocabulary_only = false;       // tokens and choices; no answers, and much less to load
  bool fast_forward = true;           // forced text is not asked of the model, guesses are checked
  std::string prefix_folder;          // keeps long prompts' states (kept_prefixes.h); empty: not
  std::string endpoint_url;           // https://host/v1
  std::string endpoint_model;
  std::string api_key;  // from the user's environment; never stored
};

// Opens GGUF weights with llama.cpp. Errors: not_found, corrupt (not a GGUF, truncated), exhausted
// (memory).
Result<std::shared_ptr<Model>> open_llama(const OpenOptions& options);
// Speaks to an OpenAI-compatible endpoint: streaming, time-outs, retries with backoff (429, 5xx,
// connection).
Result<std::shared_ptr<Model>> open_endpoint(const OpenOptions& options);

}  // namespace slipway::model
