// The words of a search filter (store/search.h), one after the other.
//
//     Tokens tokens("metrics.loss <= 0.5");
//     SLIPWAY_TRY(token, tokens.next());     // word "metrics.loss"
//
// Views into the text, which must live on. One thread. Errors: invalid_input with the column.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace slipway::store {

struct Token {
  enum class Kind { word, text, number, symbol, end };
  Kind kind = Kind::end;
  std::string_view raw;  // as written, with its quotes
  size_t offset = 0;
};

class Tokens {
 public:
  explicit Tokens(std::string_view text) : text_(text) {}
  Result<Token> next();
  Result<Token> peek();
  // "column 7: what"
  Error error_at(size_t offset, const std::string& what) const;

 private:
  Result<size_t> end_of_quoted(size_t from) const;
  Result<Token> word();
  Token number();

  std::string_view text_;
  size_t at_ = 0;
};

// 'it''s' -> it's; a text without quotes stays.
std::string unquoted(std::string_view raw);

}  // namespace slipway::store
