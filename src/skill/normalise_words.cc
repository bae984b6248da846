#include "skill/normalise_words.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/text.h"

namespace slipway::skill {
namespace {

constexpr std::array<std::string_view, 20> small_names = {
    "zero",     "one",     "two",     "three",     "four",     "five",    "six",
    "seven",    "eight",   "nine",    "ten",       "eleven",   "twelve",  "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"};
constexpr std::array<std::string_view, 10> tens_names = {
    "", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"};
constexpr std::array<std::string_view, 20> ordinal_names = {
    "",           "first",     "second",    "third",       "fourth",     "fifth",     "sixth",
    "seventh",    "eighth",    "ninth",     "tenth",       "eleventh",   "twelfth",   "thirteenth",
    "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth"};

struct Part {
  std::string_view one, many;
  double value;
};
constexpr std::array<Part, 7> parts = {{{"half", "halves", 1 / 2.0},
                                        {"third", "thirds", 1 / 3.0},
                                        {"quarter", "quarters", 1 / 4.0},
                                        {"fifth", "fifths", 1 / 5.0},
                                        {"sixth", "sixths", 1 / 6.0},
                                        {"eighth", "eighths", 1 / 8.0},
                                        {"tenth", "tenths", 1 / 10.0}}};

template <size_t N>
std::optional<int> index_of(const std::array<std::string_view, N>& names, std::string_view word) {
  for (size_t i = 0; i < N; ++i) {
    if (!names[i].empty() && names[i] == word) return static_cast<int>(i);
  }
  return std::nullopt;
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::optional<double> double_of(const std::string& word) {
  double value = 0;
  const char* stop = word.data() + word.size();
  const auto read = std::from_chars(word.data(), stop, value);
  if (word.empty() || !is_digit(word[0]) || read.ec != std::errc{} || read.ptr != stop)
    return std::nullopt;
  return value;
}

// Digits, with "," only before groups of three and "." only before a digit.
std::string digits_at(std::string_view text, size_t& at) {
  std::string word;
  const auto digit = [&](size_t i) { return i < text.size() && is_digit(text[i]); };
  bool point = false;
  while (at < text.size()) {
    if (is_digit(text[at])) {
      word += text[at++];
    } else if (text[at] == ',' && !point && digit(at + 1) && digit(at + 2) && digit(at + 3) &&
               !digit(at + 4)) {
      ++at;
    } else if (text[at] == '.' && !point && digit(at + 1)) {
      point = true;
      word += text[at++];
    } else {
      break;
    }
  }
  return word;
}

// Letters, through "o'clock", "o’clock" and "p.m.".
std::string letters_at(std::string_view text, size_t& at) {
  std::string word;
  const auto letter = [&](size_t i) { return i < text.size() && is_letter(text[i]); };
  while (at < text.size()) {
    if (is_letter(text[at])) {
      word += text[at++];
    } else if ((text[at] == '\'' || text[at] == '.') && letter(at + 1)) {
      ++at;
    } else if (text.substr(at).starts_with("\u2019") && letter(at + 3)) {
      at += 3;
    } else {
      break;
    }
  }
  return to_lower(word);
}

std::vector<std::string> split_words(std::string_view text) {
  std::vector<std::string> words;
  for (size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (is_digit(c)) {
      words.push_back(digits_at(text, at));
    } else if (is_letter(c)) {
      words.push_back(letters_at(text, at));
    } else if (text.substr(at).starts_with("\u00bd")) {
      words.emplace_back("\u00bd"), at += 2;
    } else if (text.substr(at).starts_with("\u00bc")) {
      words.emplace_back("\u00bc"), at += 2;
    } else if (text.substr(at).starts_with("\u00be")) {
      words.emplace_back("\u00be"), at += 2;
    } else if (text.substr(at).starts_with("\u00b0")) {
      words.emplace_back("degrees"), at += 2;
    } else {
      const bool joins = c == '-' && at > 0 && is_letter(text[at - 1]) && at + 1 < text.size() &&
                         is_letter(text[at + 1]);
      const bool space = c == ' ' || c == '\t' || c == ',' || c == '\n' || joins ||
                         (c == '.' && !words.empty()) || (c == '!' && !words.empty());
      if (!space) words.emplace_back(1, c);
      ++at;
    }
  }
  return words;
}

bool is_fraction_sign(std::string_view word) {
  return word == "\u00bd" || word == "\u00bc" || word == "\u00be";
}

std::optional<double> part_of(std::string_view word, bool many) {
  if (word == "\u00bd") return 0.5;
  if (word == "\u00bc") return 0.25;
  if (word == "\u00be") return 0.75;
  for (const auto& part : parts) {
    if (word == part.one || (many && word == part.many)) return part.value;
  }
  return std::nullopt;
}

// 0 to 999, or whatever digits say.
std::optional<double> take_group(Words& words) {
  const auto start = words.mark();
  std::optional<double> value;
  if (words.peek() == "a" && words.peek(1) == "hundred") {
    words.skip();
    value = 1;
  } else if (const auto digits = double_of(words.peek())) {
    words.skip();
    value = digits;
  } else if (const auto number = take_below_100(words)) {
    value = *number;
  }
  if (!value || !words.take("hundred")) return value;
  if (*value > 99) return words.back_to(start), std::nullopt;
  value = *value * 100;
  const auto before_and = words.mark();
  words.take("and");
  if (const auto rest = take_below_100(words)) return *value + *rest;
  words.back_to(before_and);
  return value;
}

std::optional<double> take_scale(Words& words) {
  if (words.take("thousand")) return 1e3;
  if (words.take("million")) return 1e6;
  if (words.take("billion")) return 1e9;
  return std::nullopt;
}

// "a dozen", "half a dozen", "two dozen", "a couple of".
std::optional<double> take_count(Words& words) {
  const auto start = words.mark();
  double times = 1;
  if (words.take("half"))
    times = 0.5;
  else if (const auto number = take_below_100(words))
    times = *number;
  if (times == 1 || times == 0.5) words.take("a");
  if (words.take("dozen")) return times * 12;
  if (times == 1 && words.take("couple")) return words.take("of"), 2;
  words.back_to(start);
  return std::nullopt;
}

// After "three": the digits of "point one four".
std::string take_decimals(Words& words) {
  std::string digits;
  if (!words.take("point")) return digits;
  while (digits.size() < 9) {
    const auto& word = words.peek();
    const auto named = index_of(small_names, word);
    if (is_digits(word) && word.size() == 1)
      digits += word;
    else if (named && *named < 10)
      digits += static_cast<char>('0' + *named);
    else
      break;
    words.skip();
  }
  return digits;
}

}  // namespace

Words::Words(std::string_view text)
    : words_(text.size() > max_said_bytes ? std::vector<std::string>{"\u2026"}
                                          : split_words(text)) {}

const std::string& Words::peek(size_t ahead) const {
  static const std::string none;
  return at_ + ahead < words_.size() ? words_[at_ + ahead] : none;
}

bool Words::take(std::string_view word) {
  if (done() || peek() != word) return false;
  ++at_;
  return true;
}

bool Words::take_all(std::initializer_list<std::string_view> words) {
  size_t ahead = 0;
  for (const auto word : words) {
    if (peek(ahead++) != word) return false;
  }
  at_ += ahead;
  return true;
}

bool Words::take_any(std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(), [&](auto word) { return take(word); });
}

Words Words::part(size_t from, size_t to) const {
  return Words(std::vector<std::string>(words_.begin() + static_cast<std::ptrdiff_t>(from),
                                        words_.begin() + static_cast<std::ptrdiff_t>(to)));
}

bool is_digits(std::string_view word) {
  return !word.empty() && std::all_of(word.begin(), word.end(), is_digit);
}

std::optional<int> take_below_100(Words& words) {
  const auto& word = words.peek();
  if (is_digits(word)) {
    if (word.size() > 2) return std::nullopt;
    const int value = static_cast<int>(*double_of(word));
    return words.skip(), value;
  }
  if (const auto small = index_of(small_names, word)) return words.skip(), small;
  const auto tens = index_of(tens_names, word);
  if (!tens) return std::nullopt;
  words.skip();
  const auto ones = index_of(small_names, words.peek());
  if (!ones || *ones < 1 || *ones > 9) return *tens * 10;
  words.skip();
  return *tens * 10 + *ones;
}

std::optional<double> take_cardinal(Words& words) {
  double total = 0, last_scale = 1e12;
  bool any = false;
  for (;;) {
    const auto start = words.mark();
    if (any) words.take("and");
    auto group = take_group(words);
    if (!group && !any && words.peek() == "a" &&
        (words.peek(1) == "thousand" || words.peek(1) == "million")) {
      words.skip();
      group = 1;
    }
    const auto scale = group ? take_scale(words) : std::nullopt;
    if (!group || (any && *group >= 1000) || scale.value_or(1) >= last_scale) {
      words.back_to(start);
      return any ? std::optional(total) : std::nullopt;
    }
    total += *group * scale.value_or(1);
    any = true;
    if (!scale) return total;
    last_scale = *scale;
  }
}

std::optional<double> take_fraction(Words& words) {
  const auto start = words.mark();
  double count = 1;
  bool counted = words.take("a") || words.take("one"), many = false;
  if (const auto number = counted ? std::nullopt : take_below_100(words)) {
    count = *number;
    counted = many = true;
    if (words.take("/") && is_digits(words.peek())) {
      const auto below = *double_of(words.peek());
      words.skip();
      if (below > count && count > 0) return count / below;
      return words.back_to(start), std::nullopt;
    }
  }
  const bool sign = is_fraction_sign(words.peek());  // "1½" is no half
  const auto part = counted && sign ? std::nullopt : part_of(words.peek(), many);
  // "third" alone is an ordinal.
  const bool sure = counted || sign || part == 0.5 || part == 0.25;
  if (!part || !sure || count * *part <= 0 || count * *part >= 1)
    return words.back_to(start), std::nullopt;
  words.skip();
  return count * *part;
}

std::optional<double> take_number(Words& words) {
  const auto start = words.mark();
  const double sign = words.take_any({"minus", "negative", "-"}) ? -1 : 1;
  if (const auto count = take_count(words)) return sign * *count;
  if (const auto fraction = take_fraction(words)) return sign * *fraction;
  auto whole = take_cardinal(words);
  if (!whole && words.peek() == "point") whole = 0;
  if (!whole) return words.back_to(start), std::nullopt;
  const auto after = words.mark();
  const bool is_whole = std::floor(*whole) == *whole && *whole < 1e15;
  const auto decimals = take_decimals(words);
  if (is_whole && !decimals.empty()) {
    const auto text = std::to_string(static_cast<int64_t>(*whole)) + "." + decimals;
    return sign * double_of(text).value_or(0);
  }
  words.back_to(after);
  const bool glued = words.take("and") || is_digits(words.peek()) || is_fraction_sign(words.peek());
  if (glued && is_whole) {
    if (const auto fraction = take_fraction(words)) return sign * (*whole + *fraction);
  }
  words.back_to(after);
  return sign * *whole;
}

std::optional<int> take_ordinal(Words& words, bool bare) {
  const auto start = words.mark();
  std::optional<int> day;
  if (is_digits(words.peek())) {
    day = take_below_100(words);
    if (day && !words.take_any({"st", "nd", "rd", "th"}) && !bare) day.reset();
  } else if (const auto named = index_of(ordinal_names, words.peek())) {
    words.skip();
    day = named;
  } else if (words.take("twentieth")) {
    day = 20;
  } else if (words.take("thirtieth")) {
    day = 30;
  } else if (const auto tens = index_of(tens_names, words.peek())) {
    words.skip();
    const auto ones = index_of(ordinal_names, words.peek());
    if (ones && *ones < 10) words.skip(), day = *tens * 10 + *ones;
  }
  if (!day && bare) {
    words.back_to(start);
    day = take_below_100(words);
  }
  if (!day || *day < 1 || *day > 31) return words.back_to(start), std::nullopt;
  return day;
}

Error not_understood(std::string_view said, std::string_view what) {
  std::string shown;
  for (const char c : said.substr(0, 60)) {
    const auto byte = static_cast<unsigned char>(c);
    shown += byte < 0x20 || byte == 0x7f ? ' ' : c;
  }
  while (!is_valid_utf8(shown)) shown.pop_back();
  return Error::invalid_input("expected " + std::string(what) + ", got '" + shown +
                              (said.size() > 60 ? "...'" : "'"));
}

}  // namespace slipway::skill
