#include "store/search_tokens.h"

#include "base/text.h"

namespace slipway::store {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_quote(char c) { return c == '\'' || c == '"' || c == '`'; }

bool in_word(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.' ||
         c == '-' || c == '/' || c == ':' || static_cast<unsigned char>(c) >= 0x80;
}

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

}  // namespace

Error Tokens::error_at(size_t offset, const std::string& what) const {
  return Error::invalid_input(
      "column " + std::to_string(position_at(text_, offset).column) + " of the search: " + what,
      "an example: metrics.loss < 0.5 AND params.lr = '0.1'");
}

// Just after the quote that closes the one at `from`; a doubled one does not.
Result<size_t> Tokens::end_of_quoted(size_t from) const {
  for (size_t at = from + 1; at < text_.size(); ++at) {
    if (text_[at] != text_[from]) continue;
    if (at + 1 == text_.size() || text_[at + 1] != text_[from]) return at + 1;
    ++at;
  }
  return error_at(from, "the quote is not closed");
}

// tags.`a b`, metrics."x", tags.mlflow.user: quoted parts belong to the word they follow.
Result<Token> Tokens::word() {
  size_t end = at_;
  while (end < text_.size()) {
    const bool opens =
        (text_[end] == '`' || text_[end] == '"') && (end == at_ || text_[end - 1] == '.');
    if (opens) {
      SLIPWAY_TRY(closed, end_of_quoted(end));
      end = closed;
    } else if (in_word(text_[end])) {
      ++end;
    } else {
      break;
    }
  }
  return Token{Token::Kind::word, text_.substr(at_, end - at_), at_};
}

Token Tokens::number() {
  size_t end = at_ + (text_[at_] == '-' ? 1 : 0);
  while (end < text_.size() && (is_digit(text_[end]) || text_[end] == '.')) ++end;
  if (end < text_.size() && (text_[end] == 'e' || text_[end] == 'E')) {
    size_t digits = end + 1;
    if (digits < text_.size() && (text_[digits] == '-' || text_[digits] == '+')) ++digits;
    if (digits < text_.size() && is_digit(text_[digits])) end = digits;
    while (end < text_.size() && is_digit(text_[end])) ++end;
  }
  return {Token::Kind::number, text_.substr(at_, end - at_), at_};
}

Result<Token> Tokens::peek() {
  while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  if (at_ == text_.size()) return Token{Token::Kind::end, {}, at_};
  const char c = text_[at_];
  const char after = at_ + 1 < text_.size() ? text_[at_ + 1] : ' ';
  if (c == '\'') {
    SLIPWAY_TRY(end, end_of_quoted(at_));
    return Token{Token::Kind::text, text_.substr(at_, end - at_), at_};
  }
  const bool signed_number = (c == '-' || c == '.') && (is_digit(after) || after == '.');
  if (is_digit(c) || signed_number) return number();
  if (in_word(c) || is_quote(c)) return word();
  const std::string_view two = text_.substr(at_, 2);
  const bool pair = two == "!=" || two == "<=" || two == ">=" || two == "<>" || two == "==";
  if (pair) return Token{Token::Kind::symbol, two, at_};
  if (std::string_view("=<>(),").find(c) != std::string_view::npos)
    return Token{Token::Kind::symbol, text_.substr(at_, 1), at_};
  return error_at(at_, "unexpected character");
}

Result<Token> Tokens::next() {
  SLIPWAY_TRY(token, peek());
  at_ = token.offset + token.raw.size();
  return token;
}

std::string unquoted(std::string_view raw) {
  if (raw.size() < 2 || !is_quote(raw.front()) || raw.back() != raw.front())
    return std::string(raw);
  std::string text;
  for (size_t i = 1; i + 1 < raw.size(); ++i) {
    text += raw[i];
    if (raw[i] == raw.front() && raw[i + 1] == raw.front()) ++i;
  }
  return text;
}

}  // namespace slipway::store
