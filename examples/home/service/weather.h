// The weather of any place on any day, made up but steady: the same place and day always give the
// same report. Some forty cities have the climate one expects; for any other name the climate
// follows from the name. Pure functions; thread-safe.
//
//     SLIPWAY_TRY(day, parse_day("saturday", today_days()));
//     weather_at("boston", day.date).temperature     // degrees Celsius
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace slipway::home {

struct Day {
  int in_days = 0;     // 0: today
  int64_t date = 0;    // days since 1970-01-01
  std::string spoken;  // "today", "tomorrow", "on saturday", "in 3 days"
};

struct Weather {
  int temperature = 0;       // degrees Celsius
  std::string conditions;    // "sunny"
  bool known_place = false;  // one of the cities of the table
};

int64_t today_days();
// Accepts "today", "tonight", "this evening", "tomorrow morning", "saturday", "next monday", "this
// weekend", "in 3 days". Errors: invalid_input.
Result<Day> parse_day(std::string_view when, int64_t today);
Weather weather_at(std::string_view location, int64_t date);

}  // namespace slipway::home
