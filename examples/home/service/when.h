// Dates and times of day as people say them, turned into what a calendar and an alarm need.
//
//     SLIPWAY_TRY(time, parse_time("half past six"));            // 6:30, said without am or pm
//     SLIPWAY_TRY(day, parse_date("5th of may", today));          // the next one
//     SLIPWAY_TRY(span, parse_span("this weekend", today));       // saturday and sunday
//
// Dates are days since 1970-01-01, times minutes after midnight, both local. Pure functions but for
// local_now(); thread-safe. Errors: invalid_input.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "weather.h"

namespace slipway::home {

struct TimeOfDay {
  int minutes = 0;          // after midnight
  bool half_known = false;  // am or pm was said, or follows: "18:45", "noon"
};

struct Span {
  Day first;
  int days = 1;
};

struct LocalTime {
  int64_t date = 0;  // days since 1970-01-01
  int minutes = 0;   // after midnight
};

// "7 pm", "7:30", "half past six", "half six", "quarter to eight", "seven in the morning", "noon",
// "18:45". Morning or evening may have been said with the date: "tomorrow evening".
Result<TimeOfDay> parse_time(std::string_view text, std::string_view date = {});
// Everything parse_day() reads, and "5th of may", "may 2nd", "8 july", "the 14th": the next such
// day, today included.
Result<Day> parse_date(std::string_view text, int64_t today);
// A day, or "this weekend", "this week", "next week", "next month".
Result<Span> parse_span(std::string_view text, int64_t today);

// Minutes meant: when neither am nor pm was said, the next of both that lies after `now_minutes`
// on this day, or else the one at which people are awake. `now_minutes` -1: another day.
int settle_minutes(const TimeOfDay& time, int now_minutes);

LocalTime local_now();
int64_t unix_ms_of(int64_t date, int minutes);  // of a local date and time
std::string speak_time(int minutes);            // "7:05 am"
std::string speak_date(int64_t date);           // "tuesday, 24 november 2026"

}  // namespace slipway::home
