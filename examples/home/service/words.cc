#include "words.h"

#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <map>

#include "base/text.h"

namespace slipway::home {
namespace {

const std::map<std::string, double, std::less<>> numbers = {
    {"zero", 0},     {"one", 1},      {"two", 2},        {"three", 3},     {"four", 4},
    {"five", 5},     {"six", 6},      {"seven", 7},      {"eight", 8},     {"nine", 9},
    {"ten", 10},     {"eleven", 11},  {"twelve", 12},    {"thirteen", 13}, {"fourteen", 14},
    {"fifteen", 15}, {"sixteen", 16}, {"seventeen", 17}, {"eighteen", 18}, {"nineteen", 19},
    {"twenty", 20},  {"thirty", 30},  {"forty", 40},     {"fifty", 50},    {"sixty", 60},
    {"seventy", 70}, {"eighty", 80},  {"ninety", 90},    {"couple", 2},    {"few", 3}};

double unit_seconds(std::string_view word) {
  static const std::map<std::string_view, double> units = {
      {"s", 1},      {"sec", 1},     {"secs", 1},     {"second", 1},   {"seconds", 1}, {"m", 60},
      {"min", 60},   {"mins", 60},   {"minute", 60},  {"minutes", 60}, {"h", 3600},    {"hr", 3600},
      {"hrs", 3600}, {"hour", 3600}, {"hours", 3600}, {"day", 86400},  {"days", 86400}};
  auto found = units.find(word);
  return found == units.end() ? 0 : found->second;
}

// Runs of letters and runs of digits (with a point), lower-case: "1h30m" is "1" "h" "30" "m".
std::vector<std::string> tokens_of(std::string_view text) {
  std::vector<std::string> tokens;
  char before = ' ';
  for (char raw : text) {
    auto byte = static_cast<unsigned char>(raw);
    char kind = std::isdigit(byte) || (raw == '.' && before == '0') ? '0'
                : std::isalpha(byte)                                ? 'a'
                                                                    : ' ';
    if (kind != ' ') {
      if (kind != before) tokens.emplace_back();
      tokens.back() += static_cast<char>(std::tolower(byte));
    }
    before = kind;
  }
  return tokens;
}

class DurationParser {
 public:
  explicit DurationParser(std::string_view text) : text_(text), tokens_(tokens_of(text)) {}

  Result<int64_t> run() {
    for (at_ = 0; at_ < tokens_.size(); ++at_) {
      if (!take(tokens_[at_])) return wrong("is no duration");
    }
    if (value_ && last_unit_ == 0) return wrong("has no unit");
    if (value_) total_ += *value_ * (last_unit_ >= 3600 ? 60 : 1);  // "1 hour 30", "1 minute 30"
    if (total_ <= 0) return wrong("is no duration");
    if (total_ * 1000 > static_cast<double>(max_duration_ms)) return wrong("is longer than a week");
    return static_cast<int64_t>(std::llround(total_ * 1000));
  }

 private:
  Error wrong(std::string_view what) const {
    return Error::invalid_input("'" + std::string(text_) + "' " + std::string(what),
                                "say it like '10 minutes' or 'an hour and a half'");
  }

  bool take(const std::string& token) {
    if (std::isdigit(static_cast<unsigned char>(token[0]))) return take_digits(token);
    if (token == "of" || token == "for") return true;
    if (token == "and") return after_and_ = true;
    if (token == "a" || token == "an") return take_article();
    if (token == "half") return take_part(0.5);
    if (token == "quarter" || token == "quarters") return take_part(0.25);
    if (token == "hundred") return take_hundred();
    if (auto found = numbers.find(token); found != numbers.end()) return take_number(found->second);
    if (double unit = unit_seconds(token)) return take_unit(unit);
    return false;
  }

  bool take_digits(const std::string& token) {
    double number = 0;
    auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), number);
    if (error != std::errc{} || end != token.data() + token.size() || value_) return false;
    value_ = number;
    return true;
  }

  bool take_number(double number) {
    if (number == 2 && tokens_[at_] == "couple") value_.reset();  // the "a" of "a couple"
    if (number == 3 && tokens_[at_] == "few") value_.reset();
    bool tens = value_ && std::fmod(*value_, 10) == 0 && *value_ >= 20 && number < 10;
    if (value_ && !tens) return false;
    value_ = value_.value_or(0) + number;
    return true;
  }

  bool take_hundred() {
    value_ = value_.value_or(1) * 100;
    return true;
  }

  // "an hour" is one; the article of "half an hour" and "and a half" adds nothing.
  bool take_article() {
    const std::string next = at_ + 1 < tokens_.size() ? tokens_[at_ + 1] : "";
    if (!value_ && next != "half" && next != "quarter") value_ = 1;
    return true;
  }

  // "half an hour", "an hour and a half", "two and a half hours", "three quarters of an hour".
  bool take_part(double part) {
    if (value_ && after_and_)
      value_ = *value_ + part;
    else if (value_)
      value_ = *value_ * part;
    else if (last_unit_ > 0 && after_and_ && at_ + 1 == tokens_.size())
      total_ += part * last_unit_;
    else
      value_ = part;
    after_and_ = false;
    return true;
  }

  bool take_unit(double unit) {
    total_ += value_.value_or(1) * unit;
    value_.reset();
    last_unit_ = unit;
    after_and_ = false;
    return true;
  }

  std::string_view text_;
  std::vector<std::string> tokens_;
  size_t at_ = 0;
  std::optional<double> value_;  // the number said, waiting for its unit
  double last_unit_ = 0;
  double total_ = 0;  // seconds
  bool after_and_ = false;
};

// Lower-case words with one space between: "Frère-Jacques!" keeps its bytes beyond ASCII.
std::string plain(std::string_view text) {
  std::string result;
  for (char raw : text) {
    auto byte = static_cast<unsigned char>(raw);
    if (std::isalnum(byte) || byte >= 0x80)
      result += static_cast<char>(std::tolower(byte));
    else if (raw != '\'' && !result.empty() && result.back() != ' ')
      result += ' ';
  }
  while (!result.empty() && result.back() == ' ') result.pop_back();
  return result;
}

bool has_words(const std::string& text, const std::string& words) {
  return (" " + text + " ").find(" " + words + " ") != std::string::npos;
}

}  // namespace

Result<int64_t> parse_duration_ms(std::string_view text) { return DurationParser(text).run(); }

std::string speak_duration(int64_t duration_ms) {
  int64_t rest = (duration_ms + 500) / 1000;
  std::vector<std::string> parts;
  constexpr std::array<std::pair<int64_t, const char*>, 4> units = {
      {{86400, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"}}};
  for (auto [seconds, name] : units) {
    int64_t count = rest / seconds;
    rest %= seconds;
    if (count > 0) parts.push_back(std::to_string(count) + " " + name + (count == 1 ? "" : "s"));
  }
  return parts.empty() ? "0 seconds" : join(parts, " ");
}

std::optional<std::string> find_title(std::string_view said,
                                      const std::vector<std::string>& titles) {
  const std::string wanted = plain(said);
  if (wanted.empty()) return std::nullopt;
  std::vector<std::string> plain_titles;
  for (const auto& title : titles) plain_titles.push_back(plain(title));
  for (size_t i = 0; i < titles.size(); ++i) {
    if (plain_titles[i] == wanted) return titles[i];
  }
  for (size_t i = 0; i < titles.size(); ++i) {
    if (has_words(plain_titles[i], wanted) ||
        (!plain_titles[i].empty() && has_words(wanted, plain_titles[i]))) {
      return titles[i];
    }
  }
  auto near = nearest(wanted, plain_titles);
  for (size_t i = 0; near && i < titles.size(); ++i) {
    if (plain_titles[i] == *near) return titles[i];
  }
  return std::nullopt;
}

}  // namespace slipway::home
