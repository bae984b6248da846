#include "words.h"

#include <doctest/doctest.h>

#include <random>

#include "weather.h"

namespace slipway::home {
namespace {

constexpr int64_t minute = 60'000;
constexpr int64_t hour = 60 * minute;

TEST_CASE("durations as people say them") {
  struct Case {
    std::string said;
    int64_t ms;
  };
  for (const auto& [said, ms] : std::initializer_list<Case>{
           {"10 minutes", 10 * minute},
           {"ten minutes", 10 * minute},
           {"Ten Minutes", 10 * minute},
           {"5 minute", 5 * minute},
           {"20-minute", 20 * minute},
           {"10min", 10 * minute},
           {"1h30m", 90 * minute},
           {"90 seconds", 90'000},
           {"1 hour 30 minutes", 90 * minute},
           {"1 hour 30", 90 * minute},
           {"one hour and fifteen minutes", 75 * minute},
           {"an hour and a half", 90 * minute},
           {"an hour and a quarter", 75 * minute},
           {"two and a half hours", 150 * minute},
           {"2.5 hours", 150 * minute},
           {"half an hour", 30 * minute},
           {"half a minute", 30'000},
           {"a quarter of an hour", 15 * minute},
           {"three quarters of an hour", 45 * minute},
           {"a minute", minute},
           {"a minute and a half", 90'000},
           {"an hour and ten minutes", 70 * minute},
           {"twenty five minutes", 25 * minute},
           {"forty-five minutes", 45 * minute},
           {"a couple of minutes", 2 * minute},
           {"a few minutes", 3 * minute},
           {"one hundred seconds", 100'000},
           {"two hours", 2 * hour},
           {"a day", 24 * hour},
       }) {
    CAPTURE(said);
    auto duration = parse_duration_ms(said);
    REQUIRE(duration.ok());
    CHECK(*duration == ms);
  }
}

TEST_CASE("what is no duration is refused") {
  for (const std::string said : {"", "soon", "ten", "10", "0 minutes", "ten five minutes", "8 days",
                                 "1.2.3 hours", "-", "10 parsecs"}) {
    CAPTURE(said);
    auto duration = parse_duration_ms(said);
    REQUIRE_FALSE(duration.ok());
    CHECK(duration.error().code() == ErrorCode::invalid_input);
  }
}

TEST_CASE("property: a spoken duration is read back, and any words are read or refused") {
  std::mt19937 random(20261124);
  for (int i = 0; i < 2000; ++i) {
    int64_t ms = 1000 * static_cast<int64_t>(1 + random() % (7 * 24 * 3600));
    CAPTURE(ms);
    CHECK(parse_duration_ms(speak_duration(ms)).value_or(-1) == ms);
  }
  const std::vector<std::string> words = {"a",       "half", "and",  "10",      "ten", "hour",
                                          "quarter", ".",    "\xFF", "hundred", "of",  "couple"};
  for (int i = 0; i < 5000; ++i) {
    std::string said;
    for (size_t n = random() % 8; n > 0; --n) said += words[random() % words.size()] + " ";
    auto duration = parse_duration_ms(said);
    if (duration.ok()) CHECK((*duration > 0 && *duration <= max_duration_ms));
  }
}

TEST_CASE("spoken durations") {
  CHECK(speak_duration(0) == "0 seconds");
  CHECK(speak_duration(1000) == "1 second");
  CHECK(speak_duration(90 * minute) == "1 hour 30 minutes");
}

TEST_CASE("titles") {
  const std::vector<std::string> titles = {"Baby Shark", "frere jacques",
                                           "twinkle twinkle little star", "Don't Stop"};
  CHECK(find_title("baby shark", titles) == "Baby Shark");
  CHECK(find_title("BABY  SHARK!", titles) == "Baby Shark");
  CHECK(find_title("twinkle twinkle", titles) == "twinkle twinkle little star");
  CHECK(find_title("the baby shark song", titles) == "Baby Shark");
  CHECK(find_title("babby shark", titles) == "Baby Shark");
  CHECK(find_title("dont stop", titles) == "Don't Stop");
  CHECK_FALSE(find_title("bohemian rhapsody", titles));
  CHECK_FALSE(find_title("bab", titles));
  CHECK_FALSE(find_title(" ", titles));
  CHECK_FALSE(find_title("baby shark", {}));
}

TEST_CASE("days") {
  const int64_t tuesday = 20781;  // 2026-11-24
  struct Case {
    std::string said;
    int in_days;
    const char* spoken;
  };
  for (const auto& [said, in_days, spoken] :
       std::initializer_list<Case>{{"today", 0, "today"},
                                   {"Tonight", 0, "today"},
                                   {"this evening", 0, "today"},
                                   {"tomorrow", 1, "tomorrow"},
                                   {"tomorrow morning", 1, "tomorrow"},
                                   {"the day after tomorrow", 2, "the day after tomorrow"},
                                   {"on saturday", 4, "on saturday"},
                                   {"tuesday", 0, "today"},
                                   {"next tuesday", 7, "on tuesday"},
                                   {"monday", 6, "on monday"},
                                   {"this weekend", 4, "at the weekend"},
                                   {"in 3 days", 3, "in 3 days"}}) {
    CAPTURE(said);
    auto day = parse_day(said, tuesday);
    REQUIRE(day.ok());
    CHECK(day->in_days == in_days);
    CHECK(day->date == tuesday + in_days);
    CHECK(day->spoken == spoken);
  }
  CHECK_FALSE(parse_day("someday", tuesday).ok());
}

TEST_CASE("weather is steady, and what one expects of a place") {
  const int64_t january = 20468, july = 20650;
  CHECK(weather_at("Boston, MA", january).temperature == weather_at("boston", january).temperature);
  CHECK(weather_at("boston", january).temperature < weather_at("boston", july).temperature);
  CHECK(weather_at("sydney", january).temperature > weather_at("sydney", july).temperature);
  CHECK(weather_at("boston", july).known_place);
  CHECK_FALSE(weather_at("atlantis", july).known_place);
  CHECK_FALSE(weather_at("atlantis", july).conditions.empty());
}

}  // namespace
}  // namespace slipway::home
