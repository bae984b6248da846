// The normalisers one by one, each over the text as it was said; internal to this layer.
//
//     read_duration("1h30")         // 5400 seconds
//     read_time("quarter to 9 pm")  // 20:45
//
// Pure; thread-safe. Errors: invalid_input "expected ..., got '...'".
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "skill/normalise.h"
#include "skill/normalise_words.h"

namespace slipway::skill {

Result<double> read_number(std::string_view said);
// "half", "fifty percent", "30": 50, 50, 30.
Result<double> read_percent(std::string_view said);

Result<double> read_duration(std::string_view said);  // seconds, 0 to 10 years
std::optional<double> take_duration(Words& words);    // the rest of the words is left

struct TimeOfDay {
  int second = 0;       // since midnight
  bool settled = true;  // false: an hour from 1 to 12, and neither half of the day was said
};
Result<TimeOfDay> read_time(std::string_view said);
std::optional<TimeOfDay> time_of(Words words);  // of all of them
// The next moment after `clock` at which it is that time.
LocalTime next_time(const TimeOfDay& time, const LocalTime& clock);

// "morning", "evening" and their kind settle a time said beside them.
enum class PartOfDay { none, morning, afternoon, evening, night };
bool settle(TimeOfDay& time, PartOfDay part);  // false when it contradicts the time

struct SaidDate {
  int64_t day = 0;  // since 1970-01-01
  PartOfDay part = PartOfDay::none;
};
Result<SaidDate> read_date(std::string_view said, const std::optional<LocalTime>& clock);
Result<SaidDate> date_of(Words words, std::string_view said, const std::optional<LocalTime>& clock);
Result<LocalTime> read_datetime(std::string_view said, const std::optional<LocalTime>& clock);

Result<std::string> read_unit(std::string_view said);         // its symbol: "km"
std::optional<uint32_t> colour_named(std::string_view name);  // 0xrrggbb; lower case, no spaces
Result<uint32_t> read_colour(std::string_view said);          // 0xrrggbb

}  // namespace slipway::skill
