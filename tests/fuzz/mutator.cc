#include "mutator.h"

#include <algorithm>

namespace slipway::fuzz {

std::string Mutator::mutate(std::string text, const std::vector<std::string>& corpus,
                            const std::vector<std::string>& dictionary) {
  // Mostly one or two: what is nearly right gets furthest into a reader.
  const size_t most = below(3) == 0 ? 8 : 2;
  for (auto changes = 1 + below(most); changes > 0; --changes) change(text, corpus, dictionary);
  if (text.size() > max_bytes) text.resize(max_bytes);
  return text;
}

void Mutator::change_bytes(std::string& text) {
  const auto at = below(text.size() + 1);
  switch (below(4)) {
    case 0:
      if (at < text.size()) text[at] = static_cast<char>(text[at] ^ (1 << below(8)));
      break;
    case 1: text.insert(at, 1, static_cast<char>(below(256))); break;
    case 2: text.erase(at, 1 + below(4)); break;
    default: {
      constexpr std::string_view signs = "'\"\\{}[]()<>,:;=|/*-+.eE0159 \n\t\r";
      text.insert(at, 1, signs[below(signs.size())]);
    }
  }
}

// A piece many times over, brackets most of all: depth and length meet their bounds.
void Mutator::repeat(std::string& text) {
  constexpr std::string_view openers[] = {
      "[", "{\"a\":", "(", "{'a': ", "<tool_call>", "\\u00", "9"};
  const auto at = below(text.size() + 1);
  std::string piece(openers[below(std::size(openers))]);
  if (below(2) == 0 && !text.empty()) piece = text.substr(below(text.size()), 1 + below(12));
  const size_t limit = below(50) == 0 ? max_bytes / piece.size() : 200;
  std::string many;
  for (auto times = 1 + below(limit); times > 0; --times) many += piece;
  text.insert(at, many);
}

void Mutator::change(std::string& text, const std::vector<std::string>& corpus,
                     const std::vector<std::string>& dictionary) {
  const auto at = below(text.size() + 1);
  switch (below(8)) {
    case 0:
    case 1:
    case 2: change_bytes(text); break;
    case 3:
    case 4:
      if (!dictionary.empty()) text.insert(at, dictionary[below(dictionary.size())]);
      break;
    case 5: {  // the head of one text and the tail of another
      const auto& other = corpus[below(corpus.size())];
      text = text.substr(0, at) + other.substr(below(other.size() + 1));
      break;
    }
    case 6: {
      const auto piece = text.substr(at, below(40));
      text.insert(below(text.size() + 1), piece);
      break;
    }
    default:
      if (below(4) == 0)
        repeat(text);
      else
        text.erase(at, below(30));
  }
}

}  // namespace slipway::fuzz
