// Days: absolute ones, and those told from the clock of the context.
#include <array>
#include <chrono>
#include <cmath>

#include "base/text.h"
#include "skill/normalise_kinds.h"

namespace slipway::skill {
namespace {

using std::chrono::day;
using std::chrono::days;
using std::chrono::month;
using std::chrono::sys_days;
using std::chrono::year;
using std::chrono::year_month_day;

constexpr std::array<std::string_view, 12> months = {
    "january", "february", "march",     "april",   "may",      "june",
    "july",    "august",   "september", "october", "november", "december"};
constexpr std::array<std::string_view, 7> weekdays = {"sunday",   "monday", "tuesday", "wednesday",
                                                      "thursday", "friday", "saturday"};

int64_t number_of(const year_month_day& date) { return sys_days(date).time_since_epoch().count(); }
year_month_day date_at(int64_t number) { return sys_days(days(number)); }

// 0 Sunday to 6; 1970-01-01 was a Thursday.
int weekday_at(int64_t number) { return static_cast<int>(((number % 7) + 7 + 4) % 7); }

template <size_t N>
std::optional<int> take_name(Words& words, const std::array<std::string_view, N>& names) {
  const auto& word = words.peek();
  for (size_t i = 0; i < N; ++i) {
    const bool is_short = word.size() >= 3 && word.size() <= 4 && names[i].starts_with(word);
    if (word == names[i] || is_short) return words.skip(), static_cast<int>(i);
  }
  return std::nullopt;
}

// "in the morning", "morning", "evening", "at night" after a day.
PartOfDay take_part_of_day(Words& words) {
  const auto start = words.mark();
  if (!words.take_all({"in", "the"})) words.take("at");
  if (words.take("morning")) return PartOfDay::morning;
  if (words.take("afternoon")) return PartOfDay::afternoon;
  if (words.take("evening")) return PartOfDay::evening;
  if (words.take("night")) return PartOfDay::night;
  words.back_to(start);
  return PartOfDay::none;
}

std::optional<int> take_year(Words& words) {
  if (!is_digits(words.peek()) || words.peek().size() != 4) return std::nullopt;
  const int value = std::stoi(words.peek());
  if (value < 1900 || value > 2200) return std::nullopt;
  words.skip();
  return value;
}

struct DayMonth {
  int number = 0;                                // of the day
  std::optional<int> month_number, year_number;  // 1 to 12
};

// "3rd of may", "may 3rd 2027", "3 may", "the 3rd".
std::optional<DayMonth> take_day_month(Words& words) {
  const auto start = words.mark();
  DayMonth found;
  if (const auto named = take_name(words, months)) {
    words.take("the");
    const auto number = take_ordinal(words, true);
    if (!number) return words.back_to(start), std::nullopt;
    found = {*number, *named + 1, take_year(words)};
    return found;
  }
  words.take("the");
  const auto before = words.mark();
  const auto number = take_ordinal(words, true);
  if (!number) return words.back_to(start), std::nullopt;
  found.number = *number;
  const auto after = words.mark();
  words.take("of");
  if (const auto named = take_name(words, months)) {
    found.month_number = *named + 1;
    found.year_number = take_year(words);
    return found;
  }
  // Without a month only "3rd" names a day, "3" does not.
  words.back_to(before);
  if (!take_ordinal(words, false)) return words.back_to(start), std::nullopt;
  words.back_to(after);
  return found;
}

// The day itself with a year, else the next one from `today` on.
std::optional<int64_t> resolve(const DayMonth& said, const std::optional<LocalTime>& clock) {
  const auto number = day(static_cast<unsigned>(said.number));
  if (said.year_number) {
    const year_month_day date{year(*said.year_number),
                              month(static_cast<unsigned>(*said.month_number)), number};
    return date.ok() ? std::optional(number_of(date)) : std::nullopt;
  }
  if (!clock) return std::nullopt;
  for (int ahead = 0; ahead <= 8 * 366; ++ahead) {  // 8: around 2100, which is no leap year
    const auto date = date_at(clock->day + ahead);
    if (date.day() != number) continue;
    if (said.month_number &&
        static_cast<unsigned>(date.month()) != static_cast<unsigned>(*said.month_number))
      continue;
    return clock->day + ahead;
  }
  return std::nullopt;
}

int64_t add_months(int64_t from, int count) {
  const auto date = date_at(from);
  const auto moved = date + std::chrono::months(count);
  if (moved.ok()) return number_of(moved);
  return sys_days(moved.year() / moved.month() / std::chrono::last).time_since_epoch().count();
}

// "two weeks", "3 days", "a month", from a day.
std::optional<int64_t> take_shift(Words& words, int64_t from, int sign) {
  const auto start = words.mark();
  auto number = take_number(words);
  if (!number && words.take_any({"a", "an", "one"})) number = 1;
  if (number && *number >= 0 && *number <= 5000 && *number == std::floor(*number)) {
    const int count = sign * static_cast<int>(*number);
    if (words.take_any({"day", "days"})) return from + count;
    if (words.take_any({"week", "weeks"})) return from + 7 * count;
    if (words.take_any({"fortnight", "fortnights"})) return from + 14 * count;
    if (words.take_any({"month", "months"})) return add_months(from, count);
    if (words.take_any({"year", "years"}) && *number <= 200) return add_months(from, 12 * count);
  }
  words.back_to(start);
  return std::nullopt;
}

// Days named by themselves: "today", "the day after tomorrow", "next friday".
std::optional<SaidDate> take_named_day(Words& words, int64_t today) {
  using Part = PartOfDay;
  if (words.take("tonight")) return SaidDate{today, Part::night};
  if (words.take_all({"last", "night"})) return SaidDate{today - 1, Part::night};
  const auto start = words.mark();
  if (words.take("today")) return SaidDate{today, take_part_of_day(words)};
  if (words.take_any({"tomorrow", "tmrw"})) return SaidDate{today + 1, take_part_of_day(words)};
  if (words.take("yesterday")) return SaidDate{today - 1, take_part_of_day(words)};
  if (words.take("this")) {
    const auto part = take_part_of_day(words);
    if (part != Part::none) return SaidDate{today, part};
    words.back_to(start);
  }
  words.take("the");
  if (words.take_all({"day", "after", "tomorrow"}))
    return SaidDate{today + 2, take_part_of_day(words)};
  if (words.take_all({"day", "before", "yesterday"}))
    return SaidDate{today - 2, take_part_of_day(words)};
  words.back_to(start);
  const bool last = words.take("last");
  const bool next = !last && words.take("next");
  if (!last && !next) words.take_any({"this", "coming"});
  if (const auto named = take_name(words, weekdays)) {
    const int ahead = (*named - weekday_at(today) + 7) % 7;
    const int shift = last ? (ahead == 0 ? -7 : ahead - 7) : next && ahead == 0 ? 7 : ahead;
    return SaidDate{today + shift, take_part_of_day(words)};
  }
  words.back_to(start);
  return std::nullopt;
}

std::optional<SaidDate> take_relative(Words& words, const LocalTime& clock) {
  const auto start = words.mark();
  if (words.take("in")) {
    if (const auto moved = take_shift(words, clock.day, 1)) return SaidDate{*moved};
    words.back_to(start);
  }
  if (const auto back = take_shift(words, clock.day, -1)) {
    if (words.take("ago")) return SaidDate{*back};
    words.back_to(start);
  }
  if (take_shift(words, clock.day, 1)) {
    const auto after_shift = words.mark();
    if (words.take("from")) {
      const bool now = words.take("now");
      const auto base = now ? SaidDate{clock.day} : take_named_day(words, clock.day);
      const auto end = words.mark();
      if (base) {
        words.back_to(start);
        const auto moved = take_shift(words, base->day, 1);
        words.back_to(end);
        return SaidDate{*moved};
      }
    }
    words.back_to(after_shift);
  }
  words.back_to(start);
  return std::nullopt;
}

// "2026-11-24".
std::optional<int64_t> iso_date(std::string_view text) {
  const auto digits = [&](size_t from, size_t count) {
    return is_digits(text.substr(from, count)) ? std::stoi(std::string(text.substr(from, count)))
                                               : -1;
  };
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const int y = digits(0, 4), m = digits(5, 2), d = digits(8, 2);
  if (y < 0 || m < 0 || d < 0) return std::nullopt;
  const year_month_day date{year(y), month(static_cast<unsigned>(m)),
                            day(static_cast<unsigned>(d))};
  return date.ok() ? std::optional(number_of(date)) : std::nullopt;
}

std::string padded(int64_t number, size_t width) {
  auto text = std::to_string(number);
  return text.size() < width ? std::string(width - text.size(), '0') + text : text;
}

}  // namespace

Result<SaidDate> date_of(Words words, std::string_view said,
                         const std::optional<LocalTime>& clock) {
  const auto wanted = [&] {
    return not_understood(said, clock ? "a day such as 'tomorrow', 'next friday' or '3rd of may'"
                                      : "a day with its year, or a context with a clock");
  };
  words.take("on");
  std::optional<int> named;
  if (clock) {
    const auto start = words.mark();
    auto found = take_named_day(words, clock->day);
    if (!found) found = take_relative(words, *clock);
    if (found && words.done()) return *found;
    words.back_to(start);
  }
  named = take_name(words, weekdays);  // "friday the 3rd of may"
  const auto day_month = take_day_month(words);
  if (!day_month) return wanted();
  const auto number = resolve(*day_month, clock);
  if (!number) return wanted();
  const auto part = take_part_of_day(words);
  if (!words.done()) return wanted();
  if (named && *named != weekday_at(*number)) {
    return not_understood(
        said, "a day that exists (" + print_date(*number) + " is a " +
                  std::string(weekdays[static_cast<size_t>(weekday_at(*number))]) + ")");
  }
  return SaidDate{*number, part};
}

Result<SaidDate> read_date(std::string_view said, const std::optional<LocalTime>& clock) {
  if (const auto exact = iso_date(trim(said))) return SaidDate{*exact};
  return date_of(Words(said), said, clock);
}

Result<LocalTime> parse_clock(std::string_view text) {
  const auto wrong = [] {
    return Error::invalid_input("a clock is written like 2026-11-24T18:00:00");
  };
  const auto date = text.size() >= 16 ? iso_date(text.substr(0, 10)) : std::nullopt;
  if (!date || (text[10] != 'T' && text[10] != ' ') || text[13] != ':') return wrong();
  const auto two = [&](size_t at) {
    return is_digits(text.substr(at, 2)) ? std::stoi(std::string(text.substr(at, 2))) : 99;
  };
  const int hour = two(11), minute = two(14);
  const bool seconds = text.size() >= 19 && text[16] == ':';
  const int second = seconds ? two(17) : 0;
  if (hour > 23 || minute > 59 || second > 59) return wrong();
  auto rest = text.substr(seconds ? 19 : 16);
  if (rest.starts_with('.')) {
    rest.remove_prefix(1);
    while (!rest.empty() && is_digits(rest.substr(0, 1))) rest.remove_prefix(1);
  }
  const bool zone = rest.size() == 6 && (rest[0] == '+' || rest[0] == '-') && rest[3] == ':' &&
                    is_digits(rest.substr(1, 2)) && is_digits(rest.substr(4, 2));
  if (!rest.empty() && rest != "Z" && !zone) return wrong();
  return LocalTime{*date, hour * 3600 + minute * 60 + second};
}

std::string print_date(int64_t number) {
  const auto date = date_at(number);
  return padded(static_cast<int>(date.year()), 4) + "-" +
         padded(static_cast<unsigned>(date.month()), 2) + "-" +
         padded(static_cast<unsigned>(date.day()), 2);
}

std::string print_datetime(const LocalTime& at) {
  return print_date(at.day) + "T" + padded(at.second / 3600, 2) + ":" +
         padded(at.second / 60 % 60, 2) + ":" + padded(at.second % 60, 2);
}

}  // namespace slipway::skill
