#include "weather.h"

#include <array>
#include <cmath>
#include <numbers>

#include "base/clock.h"
#include "base/text.h"

namespace slipway::home {
namespace {

struct Climate {
  std::string_view city;
  double mean;   // of the year, degrees Celsius
  double swing;  // July minus the mean: negative south of the equator
  double wet;    // share of days with rain or snow
};

constexpr Climate climates[] = {
    {"amsterdam", 11, 7, .50},     {"athens", 18, 10, .20},         {"austin", 21, 10, .25},
    {"bangkok", 29, 1, .40},       {"barcelona", 17, 8, .25},       {"berlin", 10, 10, .40},
    {"boston", 11, 12, .35},       {"buenos aires", 18, -7, .30},   {"cairo", 22, 8, .03},
    {"cape town", 17, -5, .25},    {"chicago", 10, 14, .35},        {"copenhagen", 9, 8, .45},
    {"delhi", 25, 9, .20},         {"denver", 10, 12, .25},         {"dublin", 10, 5, .50},
    {"edinburgh", 9, 6, .50},      {"helsinki", 6, 12, .45},        {"hong kong", 23, 6, .40},
    {"istanbul", 15, 9, .35},      {"lima", 19, -4, .05},           {"lisbon", 17, 6, .25},
    {"london", 11, 6, .45},        {"los angeles", 18, 4, .10},     {"madrid", 15, 11, .20},
    {"melbourne", 15, -6, .40},    {"mexico city", 17, 2, .35},     {"miami", 25, 4, .35},
    {"montreal", 7, 15, .45},      {"moscow", 6, 13, .45},          {"mumbai", 27, 1, .35},
    {"munich", 9, 9, .45},         {"nairobi", 19, -2, .30},        {"new york", 13, 12, .35},
    {"oslo", 7, 11, .45},          {"paris", 12, 7, .45},           {"prague", 9, 10, .40},
    {"reykjavik", 5, 6, .55},      {"rio de janeiro", 24, -3, .35}, {"rome", 16, 9, .25},
    {"san francisco", 14, 2, .20}, {"seattle", 12, 7, .45},         {"singapore", 28, 0, .50},
    {"sydney", 18, -5, .35},       {"tokyo", 16, 10, .35},          {"toronto", 9, 13, .40},
    {"vienna", 11, 10, .40},       {"zurich", 10, 9, .45}};

// FNV-1a, so that the weather does not depend on the machine.
uint64_t steady_hash(std::string_view text, uint64_t seed) {
  uint64_t hash = 14695981039346656037ull ^ (seed * 0x9E3779B97F4A7C15ull);
  for (unsigned char byte : text) hash = (hash ^ byte) * 1099511628211ull;
  hash ^= hash >> 29;
  return hash * 0xBF58476D1CE4E5B9ull;
}

double chance(std::string_view text, uint64_t seed) {
  return static_cast<double>(steady_hash(text, seed) >> 11) /
         static_cast<double>(uint64_t{1} << 53);
}

// "Boston, MA" and "boston" are one place.
std::string place_of(std::string_view location) {
  return to_lower(trim(location.substr(0, location.find(','))));
}

std::pair<Climate, bool> climate_of(std::string_view place) {
  for (const auto& climate : climates) {
    if (climate.city == place) return {climate, true};
  }
  return {
      Climate{place, 5 + 20 * chance(place, 1), 10 * chance(place, 2), .1 + .4 * chance(place, 3)},
      false};
}

constexpr std::array<std::string_view, 7> weekdays = {"monday", "tuesday",  "wednesday", "thursday",
                                                      "friday", "saturday", "sunday"};

// 1970-01-01 was a Thursday.
int weekday_of(int64_t date) { return static_cast<int>((date % 7 + 10) % 7); }

// Days until the next such weekday; today counts as today.
int days_until(int weekday, int64_t today) { return (weekday - weekday_of(today) + 7) % 7; }

Day day_in(int days, int64_t today, std::string spoken) {
  return {days, today + days, std::move(spoken)};
}

}  // namespace

int64_t today_days() { return now_unix_ms() / 86'400'000; }

Result<Day> parse_day(std::string_view when, int64_t today) {
  const std::string words = " " + to_lower(trim(when)) + " ";
  auto says = [&](std::string_view word) { return words.find(word) != std::string::npos; };
  if (says(" day after tomorrow ")) return day_in(2, today, "the day after tomorrow");
  if (says(" tomorrow ") || says(" tmrw ") || says(" tomorow "))
    return day_in(1, today, "tomorrow");
  for (int i = 0; i < 7; ++i) {
    std::string name(weekdays[static_cast<size_t>(i)]);
    if (!says(" " + name + " ")) continue;
    int days = days_until(i, today);
    return days == 0 && !says(" next ") ? day_in(0, today, "today")
                                        : day_in(days == 0 ? 7 : days, today, "on " + name);
  }
  if (says(" weekend ")) return day_in(days_until(5, today), today, "at the weekend");
  if (says(" next week ")) return day_in(7, today, "next week");
  for (int days = 1; days <= 14; ++days) {
    if (says(" in " + std::to_string(days) + " day")) {
      return day_in(days, today, "in " + std::to_string(days) + (days == 1 ? " day" : " days"));
    }
  }
  for (std::string_view now : {"today", "now", "tonight", "this", "right now", "current"}) {
    if (says(" " + std::string(now) + " ")) return day_in(0, today, "today");
  }
  return Error::invalid_input("no day in '" + std::string(trim(when)) + "'",
                              "say 'today', 'tomorrow' or a weekday");
}

Weather weather_at(std::string_view location, int64_t date) {
  const std::string place = place_of(location);
  auto [climate, known] = climate_of(place);
  const auto seed = static_cast<uint64_t>(date) * 8;
  const double year =
      std::cos(2 * std::numbers::pi * (static_cast<double>(date % 365) - 200) / 365);
  const double degrees = climate.mean + climate.swing * year + 8 * (chance(place, seed + 1) - .5);
  Weather weather;
  weather.known_place = known;
  weather.temperature = static_cast<int>(std::lround(degrees));
  const double sky = chance(place, seed + 2);
  if (sky < climate.wet)
    weather.conditions = weather.temperature <= 0 ? "snowy"
                         : sky < climate.wet / 6  ? "stormy"
                                                  : "rainy";
  else if (sky < climate.wet + .2)
    weather.conditions = "cloudy";
  else if (sky < climate.wet + .25)
    weather.conditions = "foggy";
  else
    weather.conditions = "sunny";
  return weather;
}

}  // namespace slipway::home
