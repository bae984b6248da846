// Words and numbers of spoken English, for the normalisers; internal to this layer.
//
//     Words words("Twenty-five p.m.");      // "twenty" "five" "pm"
//     auto number = take_cardinal(words);   // 25, and `words` stands at "pm"
//
// A cursor over the words of one text: whoever cannot read on puts it back to where it was. Values;
// each belongs to one thread.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace slipway::skill {

inline constexpr size_t max_said_bytes = 200;

// Runs of ASCII letters and runs of digits ("1,200", "7.30"), lower case; signs of their own;
// anything else beyond ASCII is a word that nothing knows. Longer texts than `max_said_bytes` are
// one such word.
class Words {
 public:
  explicit Words(std::string_view text);
  Words(std::vector<std::string> words) : words_(std::move(words)) {}

  bool done() const { return at_ >= words_.size(); }
  size_t left() const { return words_.size() - at_; }
  const std::string& peek(size_t ahead = 0) const;  // "" beyond the end
  void skip(size_t count = 1) { at_ += count; }
  size_t mark() const { return at_; }
  void back_to(size_t mark) { at_ = mark; }

  bool take(std::string_view word);
  bool take_all(std::initializer_list<std::string_view> words);  // in this order, or none
  bool take_any(std::initializer_list<std::string_view> words);
  Words part(size_t from, size_t to) const;  // of all words, a cursor of its own

 private:
  std::vector<std::string> words_;
  size_t at_ = 0;
};

bool is_digits(std::string_view word);  // of digits alone

// 0 to 99, in whole digits or in words: "twenty five".
std::optional<int> take_below_100(Words& words);
// "two hundred and five", "1,200", "3.5 million", "a hundred"; no sign, no fraction in words.
std::optional<double> take_cardinal(Words& words);
// "half", "a quarter", "two thirds", "1/2": between 0 and 1.
std::optional<double> take_fraction(Words& words);
// Everything above, with "minus", "two and a half", "three point one", "a dozen", "a couple of".
std::optional<double> take_number(Words& words);
// 1 to 31: "3rd", "third", "twenty first", "31st"; with `bare`, "3" as well.
std::optional<int> take_ordinal(Words& words, bool bare);

// "expected <what>, got '<said>'"; `said` is cut to a line.
Error not_understood(std::string_view said, std::string_view what);

}  // namespace slipway::skill
