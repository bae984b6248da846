#include "speech/word_error.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/text.h"

namespace slipway::speech {
namespace {

constexpr std::array<std::string_view, 20> small = {
    "zero",     "one",     "two",     "three",     "four",     "five",    "six",
    "seven",    "eight",   "nine",    "ten",       "eleven",   "twelve",  "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"};
constexpr std::array<std::string_view, 8> tens = {"twenty", "thirty",  "forty",  "fifty",
                                                  "sixty",  "seventy", "eighty", "ninety"};

int place(const auto& names, std::string_view word) {
  const auto at = std::find(names.begin(), names.end(), word);
  return at == names.end() ? -1 : static_cast<int>(at - names.begin());
}

}  // namespace

std::vector<std::string> spoken_words(std::string_view text) {
  std::string plain;
  for (const char c : to_lower(text)) {
    if (c == '%') {
      plain += " percent ";
    } else if (std::isalnum(static_cast<unsigned char>(c)) ||
               static_cast<unsigned char>(c) >= 0x80) {
      plain += c;
    } else if (c != '\'') {
      plain += ' ';
    }
  }
  std::vector<std::string> words;
  int waiting = 0;  // "twenty", for what may follow
  const auto flush = [&] {
    if (waiting) words.push_back(std::to_string(waiting));
    waiting = 0;
  };
  for (const auto& word : split(plain, ' ')) {
    if (word.empty()) continue;
    const int unit = place(small, word), ten = place(tens, word);
    if (ten >= 0) {
      flush();
      waiting = (ten + 2) * 10;
    } else if (unit > 0 && unit < 10 && waiting) {
      words.push_back(std::to_string(waiting + unit));
      waiting = 0;
    } else {
      flush();
      words.push_back(unit >= 0 ? std::to_string(unit) : word);
    }
  }
  flush();
  return words;
}

int word_edits(const std::vector<std::string>& reference, const std::vector<std::string>& heard) {
  std::vector<int> row(heard.size() + 1);
  for (size_t j = 0; j < row.size(); ++j) row[j] = static_cast<int>(j);
  for (size_t i = 1; i <= reference.size(); ++i) {
    int diagonal = row[0];
    row[0] = static_cast<int>(i);
    for (size_t j = 1; j < row.size(); ++j) {
      const int change = diagonal + (reference[i - 1] != heard[j - 1] ? 1 : 0);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, change});
    }
  }
  return row.back();
}

}  // namespace slipway::speech
