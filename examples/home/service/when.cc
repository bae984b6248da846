#include "when.h"

#include <array>
#include <cctype>
#include <charconv>
#include <chrono>
#include <ctime>
#include <optional>
#include <vector>

#include "base/text.h"

namespace slipway::home {
namespace {

constexpr int day_minutes = 24 * 60;
constexpr std::array<std::string_view, 12> months = {
    "january", "february", "march",     "april",   "may",      "june",
    "july",    "august",   "september", "october", "november", "december"};
constexpr std::array<std::string_view, 7> weekdays = {"sunday",   "monday", "tuesday", "wednesday",
                                                      "thursday", "friday", "saturday"};

// Runs of letters and runs of digits, lower-case: "7:30pm" is "7" "30" "pm", "o'clock" "o" "clock".
std::vector<std::string> tokens_of(std::string_view text) {
  std::vector<std::string> tokens;
  char before = ' ';
  for (char raw : text) {
    auto byte = static_cast<unsigned char>(raw);
    const char kind = std::isdigit(byte) ? '0' : std::isalpha(byte) ? 'a' : ' ';
    if (kind != ' ') {
      if (kind != before) tokens.emplace_back();
      tokens.back() += static_cast<char>(std::tolower(byte));
    }
    before = kind;
  }
  return tokens;
}

// 0 to 59, in digits or words of one token.
std::optional<int> number_of(const std::string& token) {
  constexpr std::array<std::string_view, 20> small = {
      "zero",     "one",     "two",     "three",     "four",     "five",    "six",
      "seven",    "eight",   "nine",    "ten",       "eleven",   "twelve",  "thirteen",
      "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"};
  constexpr std::array<std::string_view, 4> tens = {"twenty", "thirty", "forty", "fifty"};
  for (size_t i = 0; i < small.size(); ++i) {
    if (token == small[i]) return static_cast<int>(i);
  }
  for (size_t i = 0; i < tens.size(); ++i) {
    if (token == tens[i]) return 20 + 10 * static_cast<int>(i);
  }
  int number = 0;
  auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), number);
  const bool whole = error == std::errc{} && end == token.data() + token.size();
  return whole && number >= 0 && number < 60 ? std::optional<int>(number) : std::nullopt;
}

class TimeParser {
 public:
  explicit TimeParser(std::string_view text) : text_(text) {}

  Result<TimeOfDay> run() {
    for (const auto& token : tokens_of(text_)) {
      if (!take(token)) return wrong();
    }
    if (fixed_ >= 0 && numbers_.empty()) return TimeOfDay{fixed_, true};
    if (numbers_.empty() || numbers_.size() > 2 || fixed_ >= 0) return wrong();
    int hour = numbers_[0];
    int minute = numbers_.size() == 2 ? numbers_[1] : 0;
    if (relation_ != 0) {  // "ten past five", "quarter to eight"
      if (numbers_.size() == 1 && before_relation_ < 0) return wrong();
      minute = relation_ * (before_relation_ < 0 ? numbers_[0] : before_relation_);
      hour = numbers_.back();
    } else if (before_relation_ == 30 && numbers_.size() == 1) {
      minute = 30;  // "half seven", as the British say half past seven
    } else if (before_relation_ >= 0) {
      return wrong();
    }
    if (hour > 23 || minute > 59 || (half_ != ' ' && hour > 12)) return wrong();
    const bool known = half_ != ' ' || hour > 12 || hour == 0;
    if (half_ == 'a' && hour == 12) hour = 0;
    if (half_ == 'p' && hour < 12) hour += 12;
    return TimeOfDay{(hour * 60 + minute + day_minutes) % day_minutes, known};
  }

 private:
  Error wrong() const {
    return Error::invalid_input("'" + std::string(text_) + "' is no time of day",
                                "say it like '7 pm' or 'half past six'");
  }

  bool take(const std::string& token) {
    if (token == "noon" || token == "midday") return fixed_ = 12 * 60, true;
    if (token == "midnight") return fixed_ = 0, true;
    if (token == "am" || token == "a" || token == "morning") return half_ = 'a', true;
    if (token == "pm" || token == "p" || token == "afternoon" || token == "evening" ||
        token == "night") {
      return half_ = 'p', true;
    }
    if (token == "half") return before_relation_ = 30, true;
    if (token == "quarter") return before_relation_ = 15, true;
    if (token == "past" || token == "after") return relate(1);
    if (token == "to" || token == "before") return relate(-1);
    for (std::string_view filler : {"at", "in", "the", "o", "clock", "m", "minutes", "this"}) {
      if (token == filler) return true;
    }
    auto number = number_of(token);
    // "seven forty five", "twenty five past six": tens wait for their ones.
    const bool ones = number && relation_ == 0 && !numbers_.empty() && numbers_.back() % 10 == 0 &&
                      numbers_.back() >= 20 && *number > 0 && *number < 10 &&
                      std::isalpha(static_cast<unsigned char>(token[0]));
    if (ones) return numbers_.back() += *number, true;
    if (number) numbers_.push_back(*number);
    return number.has_value();
  }

  bool relate(int sign) {
    relation_ = sign;
    return true;
  }

  std::string_view text_;
  std::vector<int> numbers_;
  int before_relation_ = -1;  // minutes named by a word: half, quarter
  int relation_ = 0;          // 1: past, -1: to
  int fixed_ = -1;            // noon or midnight
  char half_ = ' ';           // 'a' or 'p'
};

// "5th of may", "may 2nd", "8 july", "the 14th", "first of august"; -1 for what was not said.
std::pair<int, int> day_and_month(std::string_view text) {
  constexpr std::array<std::string_view, 6> ordinals = {"",      "first",  "second",
                                                        "third", "fourth", "fifth"};
  int day = -1;
  int month = -1;
  bool ordinal = false;
  for (const auto& token : tokens_of(text)) {
    for (size_t i = 0; i < months.size(); ++i) {
      if (token == months[i] || (token.size() == 3 && months[i].substr(0, 3) == token)) {
        month = static_cast<int>(i) + 1;
      }
    }
    for (size_t i = 1; i < ordinals.size(); ++i) {
      if (token == ordinals[i]) day = static_cast<int>(i), ordinal = true;
    }
    for (std::string_view suffix : {"st", "nd", "rd", "th"}) ordinal = ordinal || token == suffix;
    if (std::isdigit(static_cast<unsigned char>(token[0]))) day = number_of(token).value_or(-1);
  }
  return month > 0 || ordinal ? std::pair(day, month) : std::pair(-1, -1);
}

int64_t days_of(std::chrono::year_month_day date) {
  return std::chrono::sys_days(date).time_since_epoch().count();
}

std::chrono::year_month_day date_of(int64_t days) {
  return std::chrono::sys_days(std::chrono::days(days));
}

std::string day_name(const std::chrono::year_month_day& date) {
  return std::to_string(static_cast<unsigned>(date.day())) + " " +
         std::string(months[static_cast<unsigned>(date.month()) - 1]);
}

}  // namespace

Result<TimeOfDay> parse_time(std::string_view text, std::string_view date) {
  SLIPWAY_TRY(time, TimeParser(text).run());
  const int early = time.minutes % (12 * 60);
  const bool small_hours = early < 5 * 60;  // of the night before or after: not settled here
  for (const auto& token : tokens_of(date)) {
    if (time.half_known) break;
    const bool night = token == "night" || token == "tonight";
    const bool late = token == "afternoon" || token == "evening" || (night && !small_hours);
    if (late) time = {early + 12 * 60, true};
    if (token == "morning") time = {early, true};
  }
  return time;
}

Result<Day> parse_date(std::string_view text, int64_t today) {
  auto [day, month] = day_and_month(text);
  if (day < 1 || day > 31) return parse_day(text, today);
  // Four years, so that the 29th of february is found.
  for (int64_t ahead = 0; ahead < 4 * 366; ++ahead) {
    const auto date = date_of(today + ahead);
    if (static_cast<unsigned>(date.day()) != static_cast<unsigned>(day)) continue;
    if (month > 0 && static_cast<unsigned>(date.month()) != static_cast<unsigned>(month)) continue;
    return Day{static_cast<int>(ahead), today + ahead, "on " + day_name(date)};
  }
  return Error::invalid_input("no day '" + std::string(trim(text)) + "'");
}

Result<Span> parse_span(std::string_view text, int64_t today) {
  const std::string words = to_lower(trim(text));
  if (words == "this week") return Span{{0, today, "this week"}, 7};
  if (words == "next month") return Span{{1, today + 1, "in the next month"}, 31};
  SLIPWAY_TRY(day, parse_date(words.empty() ? "today" : words, today));
  const int days = day.spoken == "at the weekend" ? 2 : day.spoken == "next week" ? 7 : 1;
  return Span{day, days};
}

int settle_minutes(const TimeOfDay& time, int now_minutes) {
  if (time.half_known) return time.minutes;
  const int early = time.minutes % (12 * 60);
  const int late = early + 12 * 60;
  if (now_minutes >= 0 && early > now_minutes) return early;
  if (now_minutes >= 0 && late > now_minutes) return late;
  return early >= 5 * 60 ? early : late;
}

LocalTime local_now() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  const auto date = std::chrono::year(local.tm_year + 1900) /
                    std::chrono::month(static_cast<unsigned>(local.tm_mon) + 1) /
                    std::chrono::day(static_cast<unsigned>(local.tm_mday));
  return {days_of(date), local.tm_hour * 60 + local.tm_min};
}

int64_t unix_ms_of(int64_t date, int minutes) {
  const auto calendar = date_of(date);
  std::tm local{};
  local.tm_year = static_cast<int>(calendar.year()) - 1900;
  local.tm_mon = static_cast<int>(static_cast<unsigned>(calendar.month())) - 1;
  local.tm_mday = static_cast<int>(static_cast<unsigned>(calendar.day()));
  local.tm_hour = minutes / 60;
  local.tm_min = minutes % 60;
  local.tm_isdst = -1;
  return static_cast<int64_t>(std::mktime(&local)) * 1000;
}

std::string speak_time(int minutes) {
  const int hour = minutes / 60 % 12 == 0 ? 12 : minutes / 60 % 12;
  const std::string rest = std::to_string(minutes % 60);
  return std::to_string(hour) + ":" + (rest.size() == 1 ? "0" + rest : rest) +
         (minutes < 12 * 60 ? " am" : " pm");
}

std::string speak_date(int64_t date) {
  const auto calendar = date_of(date);
  const std::chrono::weekday day{std::chrono::sys_days(calendar)};
  return std::string(weekdays[day.c_encoding()]) + ", " + day_name(calendar) + " " +
         std::to_string(static_cast<int>(calendar.year()));
}

}  // namespace slipway::home
