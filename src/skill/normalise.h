// What people say, turned into what an API wants: "half an hour" into 1800, "next friday" into
// "2026-11-27". The model keeps the speaker's words; this runs when a call is dispatched.
//
//     auto clock = parse_clock("2026-11-24T18:00:00");
//     normalise("duration_seconds", "an hour and a half", {})    // 5400
//     normalise("date", "tomorrow", *clock)                      // "2026-11-25"
//
// English, deterministic, and never a guess: what cannot be read, or can be read in two ways, is
// invalid_input that says what was expected. docs/format/skill.md lists the names and their rules.
// Pure functions; thread-safe. A text may have 200 bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "json/value.h"

namespace slipway::skill {

// The wall clock where the words were said: no zone, no leap seconds.
struct LocalTime {
  int64_t day = 0;  // since 1970-01-01
  int second = 0;   // since midnight, 0 to 86399
  bool operator==(const LocalTime&) const = default;
};

// "2026-11-24T18:00:00", seconds optional; a fraction and a zone may follow and are dropped.
Result<LocalTime> parse_clock(std::string_view text);

std::string print_date(int64_t day);              // "2026-11-24"
std::string print_datetime(const LocalTime& at);  // "2026-11-24T18:00:00"
std::string print_duration(int64_t seconds);      // ISO 8601: "PT1H30M"

const std::vector<std::string>& normaliser_names();
bool is_normaliser(std::string_view name);

// `said` as the normaliser `name` wants it: texts and numbers, and each item of a list; null stays
// null. Errors: invalid_input.
Result<json::Value> normalise(std::string_view name, const json::Value& said,
                              const std::optional<LocalTime>& clock);

}  // namespace slipway::skill
