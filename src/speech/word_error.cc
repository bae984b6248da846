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

bool is_number(const std::string& word) {
  return std::all_of(word.begin(), word.end(),
                     [](char c) { return std::isdigit(static_cast<unsigned char>(c)); });
}

// "4 and a half" is 4.5.
std::vector<std::string> with_halves(std::vector<std::string> words) {
  for (size_t i = 0; i + 3 < words.size(); ++i) {
    if (!is_number(words[i]) || words[i + 1] != "and" || words[i + 2] != "a" ||
        words[i + 3] != "half")
      continue;
    words[i] += ".5";
    const auto at = words.begin() + static_cast<ptrdiff_t>(i);
    words.erase(at + 1, at + 4);
  }
  return words;
}

}  // namespace

std::vector<std::string> spoken_words(std::string_view text) {
  std::string plain;
  const auto lower = to_lower(text);
  for (size_t i = 0; i < lower.size(); ++i) {
    const char c = lower[i];
    const bool point = c == '.' && i > 0 && i + 1 < lower.size() &&
                       std::isdigit(static_cast<unsigned char>(lower[i - 1])) &&
                       std::isdigit(static_cast<unsigned char>(lower[i + 1]));
    if (point) {
      plain += c;
    } else if (c == '%') {
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
  return with_halves(std::move(words));
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
