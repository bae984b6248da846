// What the tests of the engine share: the real weights, where they are at hand, and a Constraint of
// some words.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/files.h"
#include "model/model.h"

namespace slipway::model::testing {

inline std::string models_folder() {
  if (const char* folder = std::getenv("SLIPWAY_MODELS")) return folder;
  const char* home = std::getenv("HOME");
  return std::string(home ? home : "") + "/.cache/slipway/models";
}

inline std::string gemma_path() { return files::join(models_folder(), "gemma-3-270m-q4_k_m.gguf"); }

inline Result<std::shared_ptr<Model>> open(const std::string& path, int sequences = 8) {
  OpenOptions options;
  options.path = path;
  options.weights_sha256 = "known";
  options.max_sequences = sequences;
  options.context_tokens = 1024;
  options.threads = 1;  // ggml spins at its barriers: two threads crawl on a busy machine
  return open_llama(options);
}

// Null, loudly, where the weights are not at hand.
inline std::shared_ptr<Model> gemma() {
  static const auto model = [] {
    if (!files::exists(gemma_path())) return std::shared_ptr<Model>();
    auto opened = open(gemma_path());
    REQUIRE_MESSAGE(opened.ok(), (opened.ok() ? "" : opened.error().to_string()));
    return *opened;
  }();
  if (!model) MESSAGE("SKIPPED: no " << gemma_path());
  return model;
}

inline Request ask(std::string text, int max_tokens = 12) {
  Request request;
  request.messages = {{"user", std::move(text)}};
  request.decoding.max_tokens = max_tokens;
  request.decoding.logprobs = true;
  return request;
}

inline std::vector<int32_t> ids(const Completion& completion) {
  std::vector<int32_t> list;
  for (const auto& token : completion.tokens) list.push_back(token.id);
  return list;
}

// Exactly the given words.
class Words : public Constraint {
 public:
  explicit Words(std::set<std::string> words) : words_(std::move(words)), states_{""} {
    for (const auto& word : words_) {
      for (size_t i = 0; i <= word.size(); ++i) states_.insert(word.substr(0, i));
    }
  }
  State start() const override { return 0; }
  State next(State state, unsigned char byte) const override {
    auto found = states_.find(*std::next(states_.begin(), state) + static_cast<char>(byte));
    return found == states_.end() ? dead
                                  : static_cast<State>(std::distance(states_.begin(), found));
  }
  bool accepts(State state) const override {
    return words_.count(*std::next(states_.begin(), state)) > 0;
  }
  std::string fingerprint() const override { return "words"; }

 private:
  std::set<std::string> words_, states_;
};

// To the bit: an answer does not depend on its company.
inline void check_same(const Completion& a, const Completion& b) {
  CHECK(ids(a) == ids(b));
  REQUIRE(a.tokens.size() == b.tokens.size());
  for (size_t i = 0; i < a.tokens.size(); ++i) CHECK(a.tokens[i].logprob == b.tokens[i].logprob);
}

inline const std::vector<std::string> kPrompts = {
    "The capital of France is", "One, two, three, four,", "My favourite colour is",
    "In the beginning there was", "The opposite of hot is", "Water boils at",
    "A dog is an animal that", "The sun rises in the"};

}  // namespace slipway::model::testing
