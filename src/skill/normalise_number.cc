// Numbers, percentages and durations.
#include <array>
#include <charconv>
#include <cmath>

#include "base/text.h"
#include "skill/normalise_kinds.h"

namespace slipway::skill {
namespace {

constexpr double max_seconds = 10 * 366 * 86400.0;

struct TimeUnit {
  std::string_view name;
  int seconds;
};
constexpr std::array<TimeUnit, 22> time_units = {{{"second", 1},
                                                  {"seconds", 1},
                                                  {"sec", 1},
                                                  {"secs", 1},
                                                  {"s", 1},
                                                  {"minute", 60},
                                                  {"minutes", 60},
                                                  {"min", 60},
                                                  {"mins", 60},
                                                  {"m", 60},
                                                  {"hour", 3600},
                                                  {"hours", 3600},
                                                  {"hr", 3600},
                                                  {"hrs", 3600},
                                                  {"h", 3600},
                                                  {"day", 86400},
                                                  {"days", 86400},
                                                  {"d", 86400},
                                                  {"week", 604800},
                                                  {"weeks", 604800},
                                                  {"fortnight", 1209600},
                                                  {"fortnights", 1209600}}};

int take_time_unit(Words& words) {
  for (const auto& unit : time_units) {
    if (words.take(unit.name)) return unit.seconds;
  }
  return 0;
}

// "half an hour", "three quarters of an hour", "a quarter hour".
int take_unit_after_fraction(Words& words) {
  words.take("of");
  words.take_any({"an", "a", "one"});
  return take_time_unit(words);
}

// The amount and unit that come next, as seconds; `unit` becomes its unit.
std::optional<double> take_item(Words& words, bool first, int& unit) {
  const auto start = words.mark();
  if (const auto fraction = take_fraction(words)) {
    unit = take_unit_after_fraction(words);
    if (unit > 0) return *fraction * unit;
  }
  words.back_to(start);
  auto amount = take_number(words);
  if (!amount && words.take_any({"a", "an"})) amount = 1;
  if (!amount && first && words.peek() == "hour" && words.peek(1) == "and") amount = 1;
  if (!amount || *amount < 0) return words.back_to(start), std::nullopt;
  unit = take_time_unit(words);
  if (unit == 0) return words.back_to(start), std::nullopt;
  return *amount * unit;
}

// What may follow "an hour": "and a half", or a bare "30" (minutes).
std::optional<double> take_tail(Words& words, int unit) {
  const auto start = words.mark();
  const bool joined = words.take("and");
  if (const auto fraction = joined ? take_fraction(words) : std::nullopt) {
    const auto after = words.mark();
    if (take_unit_after_fraction(words) == 0 && words.mark() == after) return *fraction * unit;
  }
  words.back_to(start);
  if (unit != 3600 && unit != 60) return std::nullopt;
  const auto number = take_below_100(words);
  if (number && *number < 60 && words.done()) return *number * (unit / 60);
  words.back_to(start);
  return std::nullopt;
}

// "PT1H30M", "P1DT12H", "P2W"; years and months have no length of their own.
std::optional<double> iso_duration(std::string_view text) {
  if (text.size() < 3 || text[0] != 'P') return std::nullopt;
  double total = 0;
  int last = 1 << 30;
  bool time = false, any = false;
  for (size_t at = 1; at < text.size(); any = true) {
    if (text[at] == 'T' && !time) {
      time = true;
      if (++at == text.size()) return std::nullopt;
    }
    double amount = 0;
    const auto read = std::from_chars(text.data() + at, text.data() + text.size(), amount,
                                      std::chars_format::fixed);
    at = static_cast<size_t>(read.ptr - text.data());
    if (read.ec != std::errc{} || amount < 0 || at >= text.size()) return std::nullopt;
    const char unit = text[at++];
    const int seconds = time          ? unit == 'H'   ? 3600
                                        : unit == 'M' ? 60
                                        : unit == 'S' ? 1
                                                      : 0
                        : unit == 'W' ? 604800
                        : unit == 'D' ? 86400
                                      : 0;
    if (seconds == 0 || seconds >= last) return std::nullopt;
    last = seconds;
    total += amount * seconds;
  }
  return any ? std::optional(total) : std::nullopt;
}

// "01:30:00"; two numbers alone could be hours or minutes.
std::optional<double> clock_duration(Words words) {
  double total = 0;
  for (int i = 0; i < 3; ++i) {
    const bool last = i == 2;
    const auto number = take_below_100(words);
    if (!number || (i > 0 && *number > 59) || (!last && !words.take(":"))) return std::nullopt;
    total = total * 60 + *number;
  }
  return words.done() ? std::optional(total) : std::nullopt;
}

bool says_percent(Words& words) {
  return words.take_any({"percent", "%", "pct"}) || words.take_all({"per", "cent"});
}

}  // namespace

Result<double> read_number(std::string_view said) {
  Words words(said);
  const auto number = take_number(words);
  if (number && words.done()) return *number;
  return not_understood(said, "a number such as '12' or 'two and a half'");
}

Result<double> read_percent(std::string_view said) {
  Words words(said);
  constexpr std::string_view wanted = "a percentage such as '50 percent' or 'half'";
  if (words.take_any({"full", "max", "maximum", "fully"}) || words.take_all({"all", "the", "way"}))
    return words.done() ? Result<double>(100.0) : not_understood(said, wanted);
  const auto start = words.mark();
  if (const auto fraction = take_fraction(words)) {
    if (words.done()) return *fraction * 100;
  }
  words.back_to(start);
  const auto number = take_number(words);
  const bool signed_so = number && says_percent(words);
  if (!number || !words.done()) return not_understood(said, wanted);
  // 0.5 alone may be a half or half a percent.
  if (!signed_so && std::floor(*number) != *number && std::abs(*number) < 1)
    return not_understood(said, wanted);
  return *number;
}

std::optional<double> take_duration(Words& words) {
  double total = 0;
  int last = 1 << 30;
  bool any = false;
  for (;;) {
    const auto start = words.mark();
    if (any) words.take("and");
    int unit = 0;
    const auto item = take_item(words, !any, unit);
    if (!item || unit >= last) {
      words.back_to(start);
      break;
    }
    total += *item;
    last = unit;
    any = true;
    if (const auto tail = take_tail(words, unit)) {
      total += *tail;
      break;
    }
  }
  return any && total <= max_seconds ? std::optional(total) : std::nullopt;
}

Result<double> read_duration(std::string_view said) {
  Words words(said);
  if (const auto seconds = clock_duration(words)) return *seconds;
  words.take("for");
  const auto seconds = take_duration(words);
  if (seconds && words.done()) return *seconds;
  const auto text = trim(said);
  if (text.size() <= max_said_bytes) {
    const auto iso = iso_duration(text);
    if (iso && *iso <= max_seconds) return *iso;
  }
  return not_understood(said, "a duration such as '10 minutes' or 'an hour and a half'");
}

}  // namespace slipway::skill
