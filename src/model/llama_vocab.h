// A GGUF model's words: tokens, their bytes, its chat template.
//
//     LlamaVocab vocab(model);
//     SLIPWAY_TRY(tokens, vocab.prompt({{"user", "play baby shark"}}));
//
// A user's text never becomes a control token, even when it spells one (`<|im_end|>`). Immutable,
// thread-safe; the llama_model outlives it. Errors: invalid_input (the template refuses the
// messages), exhausted (template bounds).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/model.h"
#include "model/token_trie.h"

struct llama_model;
struct llama_vocab;

namespace slipway::model {

class LlamaVocab {
 public:
  explicit LlamaVocab(const llama_model* model);
  using Tokens = std::vector<int32_t>;

  Result<std::string> render(const std::vector<Message>& messages) const;
  Result<Tokens> prompt(const std::vector<Message>& messages) const;
  // The text and the end of an answer. Errors: unsupported (the model has no token for one of the
  // two).
  Result<Tokens> answer(std::string_view text) const;
  Tokens plain(std::string_view text) const { return tokens(text, false, false); }

  // What may come next inside a constraint, ends included, when that is a short list.
  std::optional<Tokens> few(const Constraint& constraint, Constraint::State state) const;

  bool has_chat_template() const { return !template_.empty(); }
  bool ends(int32_t token) const {
    return ends_[static_cast<size_t>(token)];
  }  // end of turn or text
  const std::vector<int32_t>& end_tokens() const { return end_tokens_; }
  const TokenTrie& trie() const { return trie_; }
  size_t size() const { return trie_.size(); }

 private:
  Result<std::vector<struct TemplatePart>> parts(const std::vector<Message>& messages) const;
  Tokens tokens(std::string_view text, bool add_special, bool parse_special) const;
  size_t controls(const Tokens& list) const;
  bool spells(const Tokens& list, std::string_view text) const;

  const llama_vocab* vocab_;
  std::string template_, bos_, eos_;
  int32_t end_ = -1;  // what the model writes when its answer is over
  std::vector<bool> ends_;
  std::vector<int32_t> end_tokens_;
  TokenTrie trie_;
};

}  // namespace slipway::model
