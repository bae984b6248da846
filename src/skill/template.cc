#include "skill/template.h"

#include <algorithm>

namespace slipway::skill {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_name_byte(char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '-'; }

void add_literal(std::vector<TemplatePiece>& pieces, std::string_view text) {
  if (text.empty()) return;
  if (pieces.empty() || pieces.back().kind != TemplatePiece::Kind::literal) pieces.emplace_back();
  pieces.back().text += text;
}

}  // namespace

bool is_identifier(std::string_view text) {
  return !text.empty() && text.size() <= 64 && is_letter(text[0]) &&
         std::all_of(text.begin(), text.end(), is_name_byte);
}

std::vector<TemplatePiece> parse_template(std::string_view text) {
  std::vector<TemplatePiece> pieces;
  size_t at = 0;
  while (at < text.size()) {
    const auto open = text.find('{', at);
    const auto close = open == std::string_view::npos ? open : text.find('}', open);
    if (close == std::string_view::npos) break;
    const auto name = text.substr(open + 1, close - open - 1);
    if (!is_identifier(name)) {
      add_literal(pieces, text.substr(at, open + 1 - at));
      at = open + 1;
      continue;
    }
    const bool secret = open > at && text[open - 1] == '$';
    add_literal(pieces, text.substr(at, open - at - (secret ? 1 : 0)));
    pieces.push_back(
        {secret ? TemplatePiece::Kind::secret : TemplatePiece::Kind::argument, std::string(name)});
    at = close + 1;
  }
  add_literal(pieces, text.substr(at));
  return pieces;
}

}  // namespace slipway::skill
