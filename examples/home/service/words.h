// What people say, turned into what a service needs: durations and song titles. Pure functions;
// thread-safe.
//
//     *parse_duration_ms("an hour and a half") == 5'400'000
//     speak_duration(5'400'000) == "1 hour 30 minutes"
//     find_title("twinkle twinkle", titles)        // "twinkle twinkle little star"
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace slipway::home {

inline constexpr int64_t max_duration_ms = int64_t{7} * 24 * 3600 * 1000;

// "10 minutes", "ten min", "1h30m", "20-minute", "half an hour", "two and a half hours", "an hour
// and a quarter", "1 hour 30". Errors: invalid_input (no duration, no unit, nothing or over a
// week).
Result<int64_t> parse_duration_ms(std::string_view text);

// In whole seconds: "1 hour 30 minutes"; "0 seconds".
std::string speak_duration(int64_t duration_ms);

// The title meant: by case and punctuation, then by its words, then by a typing error.
std::optional<std::string> find_title(std::string_view said,
                                      const std::vector<std::string>& titles);

}  // namespace slipway::home
