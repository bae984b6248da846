// Times of day, and a date with a time.
#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "skill/normalise_kinds.h"

namespace slipway::skill {
namespace {

constexpr int half_day = 12 * 3600, whole_day = 24 * 3600;

struct Clock {
  int hour = 0, minute = 0, second = 0;
  bool settled = false;  // written as on a 24-hour clock
};

// "past" or "to" an hour: 30, 15 or the number of minutes, with its sign.
std::optional<int> take_offset(Words& words) {
  const auto start = words.mark();
  int minutes = 0;
  if (words.take("half")) {
    if (words.take("past")) return 30;
    return words.back_to(start), std::nullopt;
  }
  words.take("a");
  if (words.take("quarter")) {
    minutes = 15;
  } else if (const auto number = take_below_100(words); number && *number >= 1 && *number <= 59) {
    // "seven to nine" is two hours, "ten to nine" one time.
    const bool said = words.take_any({"minutes", "minute", "min"});
    if (said || *number % 5 == 0) minutes = *number;
  }
  if (minutes > 0 && words.take_any({"past", "after"})) return minutes;
  if (minutes > 0 && words.take_any({"to", "before", "of", "til", "till"})) return -minutes;
  words.back_to(start);
  return std::nullopt;
}

// The minutes after an hour: ":30", "h30", "thirty", "oh five", "5" never.
bool take_minutes(Words& words, Clock& clock) {
  const auto two_digits = [&] {
    const bool two = is_digits(words.peek()) && words.peek().size() == 2;
    return two ? take_below_100(words) : std::nullopt;
  };
  if (words.take(":") || words.take("h")) {
    const auto minute = two_digits();
    if (!minute || *minute > 59) return false;
    clock.minute = *minute;
    if (!words.take(":")) return true;
    const auto second = two_digits();
    clock.second = second.value_or(0);
    return second && *second <= 59;
  }
  std::optional<int> minute;
  if (is_digits(words.peek())) {
    minute = two_digits();
  } else if (words.take_any({"oh", "o"})) {
    minute = take_below_100(words);
    if (!minute || *minute > 9) return false;
  } else {
    minute = take_below_100(words);
    if (minute && *minute < 10) return false;
  }
  clock.minute = minute.value_or(0);
  return clock.minute <= 59;
}

// "7.30" came as one number.
std::optional<Clock> take_dotted(Words& words) {
  const auto& word = words.peek();
  const auto point = word.find('.');
  if (point == std::string::npos || point > 2 || word.size() - point != 3) return std::nullopt;
  const int hour = std::stoi(word.substr(0, point)), minute = std::stoi(word.substr(point + 1));
  if (hour > 23 || minute > 59) return std::nullopt;
  words.skip();
  return Clock{hour, minute, 0, hour > 12 || hour == 0 || word[0] == '0'};
}

std::optional<Clock> take_hour(Words& words) {
  if (auto dotted = take_dotted(words)) return dotted;
  const auto& word = words.peek();
  if (is_digits(word) && word.size() == 4) {  // "0730", "1845 hours"
    const int number = std::stoi(word);
    if (number / 100 > 23 || number % 100 > 59) return std::nullopt;
    words.skip();
    words.take("hours");
    return Clock{number / 100, number % 100, 0, true};
  }
  const bool zero = word.size() == 2 && word[0] == '0';
  const auto hour = take_below_100(words);
  if (!hour || *hour > 23) return std::nullopt;
  Clock clock{*hour, 0, 0, *hour > 12 || *hour == 0 || zero};
  if (words.take("oclock")) return clock;
  if (!take_minutes(words, clock)) return std::nullopt;
  words.take("oclock");
  return clock;
}

// am, pm and parts of the day at the end of the words.
std::optional<PartOfDay> take_part(Words& words) {
  if (words.take_all({"at", "night"}) || words.take("tonight")) return PartOfDay::night;
  const auto start = words.mark();
  if (!words.take_all({"in", "the"})) words.take("this");
  if (words.take("morning")) return PartOfDay::morning;
  if (words.take("afternoon")) return PartOfDay::afternoon;
  if (words.take("evening")) return PartOfDay::evening;
  words.back_to(start);
  return std::nullopt;
}

std::optional<TimeOfDay> named_time(Words& words) {
  const auto start = words.mark();
  const bool twelve = words.take_any({"12", "twelve"});
  if (words.take_any({"noon", "midday"})) return TimeOfDay{half_day, true};
  if (words.take("midnight")) return TimeOfDay{0, true};
  if (twelve) words.back_to(start);
  return std::nullopt;
}

bool apply_half(Clock& clock, bool after_noon) {
  if (clock.hour < 1 || clock.hour > 12) return false;
  clock.hour = clock.hour % 12 + (after_noon ? 12 : 0);
  return clock.settled = true;
}

}  // namespace

bool settle(TimeOfDay& time, PartOfDay part) {
  if (part == PartOfDay::none) return true;
  const int early = time.second % half_day, late = early + half_day;
  const auto within = [&](int second) {
    const int hour = second / 3600;
    switch (part) {
      case PartOfDay::morning: return hour >= 1 && hour < 12;
      case PartOfDay::afternoon: return hour >= 12 && hour < 19;
      case PartOfDay::evening: return hour >= 16;
      case PartOfDay::night: return hour >= 18 || hour < 6;
      case PartOfDay::none: return true;
    }
    return false;
  };
  if (time.settled) return within(time.second);
  if (within(early) == within(late)) return false;
  time = {within(early) ? early : late, true};
  return true;
}

std::optional<TimeOfDay> time_of(Words words) {
  words.take("at");
  if (const auto named = named_time(words)) {
    words.take_all({"at", "night"});
    return words.done() ? named : std::nullopt;
  }
  const auto offset = take_offset(words);
  std::optional<Clock> clock;
  std::optional<TimeOfDay> base = offset ? named_time(words) : std::nullopt;
  if (!base) clock = take_hour(words);
  if (!base && (!clock || (offset && (clock->minute != 0 || clock->second != 0))))
    return std::nullopt;
  if (clock && words.take("am") && !apply_half(*clock, false)) return std::nullopt;
  if (clock && words.take("pm") && !apply_half(*clock, true)) return std::nullopt;
  if (clock)
    base = TimeOfDay{clock->hour * 3600 + clock->minute * 60 + clock->second, clock->settled};
  if (const auto part = take_part(words); part && !settle(*base, *part)) return std::nullopt;
  if (!words.done()) return std::nullopt;
  base->second = (base->second + offset.value_or(0) * 60 + whole_day) % whole_day;
  return base;
}

Result<TimeOfDay> read_time(std::string_view said) {
  if (const auto time = time_of(Words(said))) return *time;
  return not_understood(said, "a time of day such as '7 pm', '18:30' or 'half past six'");
}

LocalTime next_time(const TimeOfDay& time, const LocalTime& clock) {
  const int step = time.settled ? whole_day : half_day;
  int second = time.second % step;
  if (time.settled) second = time.second;
  while (second <= clock.second) second += step;
  return {clock.day + second / whole_day, second % whole_day};
}

namespace {

std::optional<LocalTime> relative_moment(Words words, const LocalTime& clock) {
  if (words.take("now")) return words.done() ? std::optional(clock) : std::nullopt;
  const bool in = words.take("in");
  const auto seconds = take_duration(words);
  if (!seconds || *seconds != std::floor(*seconds)) return std::nullopt;
  if (!in && !words.take_all({"from", "now"})) return std::nullopt;
  if (!words.done()) return std::nullopt;
  const auto total = clock.second + static_cast<int64_t>(*seconds);
  return LocalTime{clock.day + total / whole_day, static_cast<int>(total % whole_day)};
}

// A date, then a time; the date may say which half of the day it is.
Result<std::optional<LocalTime>> joined(const Words& date_words, const Words& time_words,
                                        std::string_view said, const LocalTime& clock) {
  using Joined = std::optional<LocalTime>;
  auto time = time_of(time_words);
  if (!time) return Joined();
  auto stripped = date_words;
  stripped.take_any({"on"});
  if (stripped.done()) return Joined();
  const auto date = date_of(stripped, said, clock);
  if (!date.ok() || !settle(*time, date->part)) return Joined();
  if (!time->settled) {
    if (date->day != clock.day)
      return not_understood(said, "am or pm, or a 24-hour time, beside the day");
    const auto next = next_time(*time, clock);
    return next.day == date->day ? Joined(next) : Joined();
  }
  // One o'clock "tonight" is tomorrow's date to some and today's to others.
  if (date->part == PartOfDay::night && time->second < half_day) return Joined();
  return Joined(LocalTime{date->day, time->second});
}

}  // namespace

Result<LocalTime> read_datetime(std::string_view said, const std::optional<LocalTime>& clock) {
  constexpr std::string_view wanted = "a day and a time such as 'tomorrow at 7 pm'";
  if (const auto exact = parse_clock(trim(said)); exact.ok()) return *exact;
  if (!clock) return not_understood(said, "a context with a clock, to tell the day from");
  const Words words(said);
  if (const auto moment = relative_moment(words, *clock)) return *moment;
  for (size_t cut = 1; cut < words.left(); ++cut) {
    const auto first = words.part(0, cut), second = words.part(cut, words.left());
    SLIPWAY_TRY(date_first, joined(first, second, said, *clock));
    if (date_first) return *date_first;
    SLIPWAY_TRY(time_first, joined(second, first, said, *clock));
    if (time_first) return *time_first;
  }
  if (const auto time = time_of(words)) return next_time(*time, *clock);
  return not_understood(said, wanted);
}

}  // namespace slipway::skill
