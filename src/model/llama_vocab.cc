#include "model/llama_vocab.h"

#include <llama.h>

#include "model/template.h"

namespace slipway::model {
namespace {

constexpr size_t kFew = 1024;  // tokens whose rows of the head are a small part of it

std::string piece_of(const llama_vocab* vocab, int32_t token, bool special) {
  std::string piece(64, '\0');
  int n =
      llama_token_to_piece(vocab, token, piece.data(), static_cast<int>(piece.size()), 0, special);
  if (n < 0) {
    piece.resize(static_cast<size_t>(-n));
    n = llama_token_to_piece(vocab, token, piece.data(), static_cast<int>(piece.size()), 0,
                             special);
  }
  piece.resize(static_cast<size_t>(std::max(n, 0)));
  return piece;
}

// Byte-fallback tokens give their byte; control, unknown and ending tokens nothing.
std::vector<std::string> pieces_of(const llama_vocab* vocab) {
  std::vector<std::string> pieces(static_cast<size_t>(llama_vocab_n_tokens(vocab)));
  for (size_t i = 0; i < pieces.size(); ++i) {
    auto token = static_cast<int32_t>(i);
    if (!llama_vocab_is_eog(vocab, token)) pieces[i] = piece_of(vocab, token, false);
  }
  return pieces;
}

}  // namespace

LlamaVocab::LlamaVocab(const llama_model* model)
    : vocab_(llama_model_get_vocab(model)),
      ends_(static_cast<size_t>(llama_vocab_n_tokens(vocab_))),
      trie_(pieces_of(vocab_)) {
  for (size_t i = 0; i < ends_.size(); ++i) {
    ends_[i] = llama_vocab_is_eog(vocab_, static_cast<int32_t>(i));
    if (ends_[i]) end_tokens_.push_back(static_cast<int32_t>(i));
  }
  if (const char* source = llama_model_chat_template(model, nullptr)) template_ = source;
  if (auto bos = llama_vocab_bos(vocab_); bos >= 0) bos_ = piece_of(vocab_, bos, true);
  end_ = llama_vocab_eos(vocab_);
  if (end_ >= 0) eos_ = piece_of(vocab_, end_, true);
  // A chat ends its turn, a base model its text.
  if (auto eot = llama_vocab_eot(vocab_); eot >= 0 && !template_.empty()) end_ = eot;
}

LlamaVocab::Tokens LlamaVocab::tokens(std::string_view text, bool add_special,
                                      bool parse_special) const {
  Tokens list(text.size() + 4);
  auto size = static_cast<int32_t>(text.size());
  int n = llama_tokenize(vocab_, text.data(), size, list.data(), static_cast<int>(list.size()),
                         add_special, parse_special);
  if (n < 0 && n != INT32_MIN) {
    list.resize(static_cast<size_t>(-n));
    n = llama_tokenize(vocab_, text.data(), size, list.data(), static_cast<int>(list.size()),
                       add_special, parse_special);
  }
  list.resize(static_cast<size_t>(std::max(n, 0)));
  return list;
}

bool LlamaVocab::spells(const Tokens& list, std::string_view text) const {
  for (auto token : list) {
    const auto& piece = trie_.piece(token);
    if (piece.empty() || !text.starts_with(piece)) return false;
    text.remove_prefix(piece.size());
  }
  return text.empty();
}

Result<LlamaVocab::Tokens> LlamaVocab::answer(std::string_view text) const {
  if (end_ < 0 || !ends(end_)) {
    return Error::unsupported("the model has no token that ends an answer",
                              "use weights whose metadata names one");
  }
  // Some tokenizers put a space before a text; behind a line feed they put it there.
  for (const std::string_view before : {"", "\n"}) {
    auto list = plain(std::string(before) + std::string(text));
    while (!list.empty() && !spells(list, text) && !before.empty()) list.erase(list.begin());
    if (!spells(list, text)) continue;
    list.push_back(end_);
    return list;
  }
  return Error::unsupported("the model's tokens cannot spell '" + std::string(text) + "'");
}

std::optional<LlamaVocab::Tokens> LlamaVocab::few(const Constraint& constraint,
                                                  Constraint::State state) const {
  auto list = trie_.few(constraint, state, kFew);
  if (list && constraint.accepts(state))
    list->insert(list->end(), end_tokens_.begin(), end_tokens_.end());
  return list;
}

size_t LlamaVocab::controls(const Tokens& list) const {
  size_t count = 0;
  for (auto token : list) count += llama_vocab_is_control(vocab_, token);
  return count;
}

Result<std::vector<TemplatePart>> LlamaVocab::parts(const std::vector<Message>& messages) const {
  if (messages.empty()) return Error::invalid_input("a request without messages");
  std::vector<TemplatePart> parts;
  if (template_.empty()) {
    for (const auto& message : messages)
      parts.push_back({(parts.empty() ? "" : "\n\n") + message.content, true});
    return parts;
  }
  auto list = json::Value::array();
  for (const auto& message : messages) {
    auto entry = json::Value::object();
    entry.set("role", message.role).set("content", message.content);
    list.push_back(std::move(entry));
  }
  auto trusted = json::Value::object();
  trusted.set("bos_token", bos_).set("eos_token", eos_).set("add_generation_prompt", true);
  auto untrusted = json::Value::object();
  untrusted.set("messages", std::move(list));
  auto rendered = render_template_parts(template_, trusted, untrusted);
  if (!rendered.ok()) return rendered.error().in("the model's chat template");
  return rendered;
}

Result<std::string> LlamaVocab::render(const std::vector<Message>& messages) const {
  SLIPWAY_TRY(list, parts(messages));
  std::string text;
  for (const auto& part : list) text += part.text;
  return text;
}

// The whole text is tokenized at once, as the model was trained, unless that makes control tokens
// which the template itself did not write: then part by part, the untrusted ones as plain text.
Result<LlamaVocab::Tokens> LlamaVocab::prompt(const std::vector<Message>& messages) const {
  SLIPWAY_TRY(list, parts(messages));
  std::string text;
  Tokens split;
  size_t allowed = 0;
  for (const auto& part : list) {
    text += part.text;
    auto some = tokens(part.text, split.empty(), !part.untrusted);
    allowed += controls(some);
    split.insert(split.end(), some.begin(), some.end());
  }
  auto whole = tokens(text, true, !template_.empty());
  if (template_.empty()) return whole;
  auto& chosen = controls(whole) == allowed ? whole : split;
  auto bos = llama_vocab_bos(vocab_);
  if (chosen.size() > 1 && bos >= 0 && chosen[0] == bos && chosen[1] == bos)
    chosen.erase(chosen.begin());
  return std::move(chosen);
}

}  // namespace slipway::model
