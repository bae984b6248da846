#include "when.h"

#include <doctest/doctest.h>

#include <random>

#include "facts.h"
#include "units.h"

namespace slipway::home {
namespace {

constexpr int64_t tuesday = 20781;  // 2026-11-24

TEST_CASE("times of day as people say them") {
  struct Case {
    std::string said;
    int minutes;
    bool half_known;
  };
  for (const auto& [said, minutes, half_known] : std::initializer_list<Case>{
           {"7 pm", 19 * 60, true},
           {"7 a.m.", 7 * 60, true},
           {"7:30", 7 * 60 + 30, false},
           {"18:45", 18 * 60 + 45, true},
           {"5:05 am", 5 * 60 + 5, true},
           {"4 30 pm", 16 * 60 + 30, true},
           {"half past six", 6 * 60 + 30, false},
           {"half seven", 7 * 60 + 30, false},
           {"quarter past seven", 7 * 60 + 15, false},
           {"quarter to eight", 7 * 60 + 45, false},
           {"a quarter to eight in the evening", 19 * 60 + 45, true},
           {"ten past five", 5 * 60 + 10, false},
           {"twenty five past six", 6 * 60 + 25, false},
           {"twenty to one", 40, false},
           {"8 o'clock", 8 * 60, false},
           {"eight thirty", 8 * 60 + 30, false},
           {"seven forty five", 7 * 60 + 45, false},
           {"seven in the morning", 7 * 60, true},
           {"3 in the afternoon", 15 * 60, true},
           {"noon", 12 * 60, true},
           {"midnight", 0, true},
           {"12 am", 0, true},
           {"12 pm", 12 * 60, true},
           {"0:10", 10, true},
       }) {
    CAPTURE(said);
    auto time = parse_time(said);
    REQUIRE(time.ok());
    CHECK(time->minutes == minutes);
    CHECK(time->half_known == half_known);
  }
}

TEST_CASE("morning or evening may be said with the date") {
  CHECK(parse_time("7", "tomorrow evening")->minutes == 19 * 60);
  CHECK(parse_time("7", "tomorrow morning")->minutes == 7 * 60);
  CHECK(parse_time("ten", "tonight")->minutes == 22 * 60);
  CHECK_FALSE(parse_time("2", "friday night")->half_known);
  CHECK(parse_time("7 am", "tomorrow evening")->minutes == 7 * 60);  // the time's own word wins
  CHECK_FALSE(parse_time("7", "tomorrow")->half_known);
}

TEST_CASE("what is no time of day is refused") {
  for (const std::string said : {"", "soon", "25:00", "13 pm", "7:61", "half", "half past", "at",
                                 "noon 7", "1 2 3", "quarter to", "quarter seven"}) {
    CAPTURE(said);
    auto time = parse_time(said);
    REQUIRE_FALSE(time.ok());
    CHECK(time.error().code() == ErrorCode::invalid_input);
  }
}

TEST_CASE("property: a spoken time is read back, and any words are read or refused") {
  for (int minutes = 0; minutes < 24 * 60; ++minutes) {
    auto time = parse_time(speak_time(minutes));
    REQUIRE(time.ok());
    CHECK(time->minutes == minutes);
    CHECK(time->half_known);
  }
  std::mt19937 random(20261124);
  const std::vector<std::string> words = {"half", "past", "to",      "7", "pm",   "noon", "twenty",
                                          "five", ":",    "quarter", "a", "\xFF", "45",   "night"};
  for (int i = 0; i < 5000; ++i) {
    std::string said;
    for (size_t n = random() % 6; n > 0; --n) said += words[random() % words.size()] + " ";
    auto time = parse_time(said);
    if (time.ok()) CHECK((time->minutes >= 0 && time->minutes < 24 * 60));
  }
}

TEST_CASE("a time without am or pm is the next of both, or when people are awake") {
  CHECK(settle_minutes({7 * 60, false}, 6 * 60) == 7 * 60);
  CHECK(settle_minutes({7 * 60, false}, 8 * 60) == 19 * 60);
  CHECK(settle_minutes({7 * 60, false}, 20 * 60) == 7 * 60);
  CHECK(settle_minutes({3 * 60, false}, -1) == 15 * 60);
  CHECK(settle_minutes({9 * 60, false}, -1) == 9 * 60);
  CHECK(settle_minutes({12 * 60 + 15, false}, 10 * 60) == 12 * 60 + 15);
  CHECK(settle_minutes({3 * 60, true}, -1) == 3 * 60);
}

TEST_CASE("dates") {
  struct Case {
    std::string said;
    int in_days;
  };
  for (const auto& [said, in_days] : std::initializer_list<Case>{{"24th", 0},
                                                                 {"the 25th", 1},
                                                                 {"14th", 20},
                                                                 {"december 24th", 30},
                                                                 {"8 july", 226},
                                                                 {"first of december", 7},
                                                                 {"dec 1st", 7},
                                                                 {"tomorrow", 1},
                                                                 {"tuesday afternoon", 0},
                                                                 {"next friday", 3}}) {
    CAPTURE(said);
    auto day = parse_date(said, tuesday);
    REQUIRE(day.ok());
    CHECK(day->in_days == in_days);
    CHECK(day->date == tuesday + in_days);
  }
  CHECK(parse_date("29th of february", tuesday)->spoken == "on 29 february");
  for (const std::string said : {"someday", "31st of june", "45 july", ""}) {
    CAPTURE(said);
    CHECK_FALSE(parse_date(said, tuesday).ok());
  }
}

TEST_CASE("spans") {
  CHECK(parse_span("this weekend", tuesday)->first.in_days == 4);
  CHECK(parse_span("this weekend", tuesday)->days == 2);
  CHECK(parse_span("next week", tuesday)->days == 7);
  CHECK(parse_span("", tuesday)->first.in_days == 0);
  CHECK(parse_span("thursday", tuesday)->days == 1);
  CHECK_FALSE(parse_span("whenever", tuesday).ok());
}

TEST_CASE("what is spoken") {
  CHECK(speak_time(5) == "12:05 am");
  CHECK(speak_time(12 * 60) == "12:00 pm");
  CHECK(speak_date(tuesday) == "tuesday, 24 november 2026");
  const int64_t morning = unix_ms_of(tuesday, 8 * 60);
  CHECK(unix_ms_of(tuesday, 9 * 60 + 30) - morning == 90 * 60'000);
}

TEST_CASE("units") {
  struct Case {
    double amount;
    const char* from;
    const char* to;
    const char* spoken;
  };
  for (const auto& [amount, from, to, spoken] : std::initializer_list<Case>{
           {2, "miles", "kilometers", "3.219"},
           {1, "mile", "feet", "5280"},
           {6, "inches", "cm", "15.24"},
           {12, "kilos", "pounds", "26.46"},
           {9, "stone", "kilograms", "57.15"},
           {0.5, "gallon", "cups", "8"},
           {2, "tablespoons", "teaspoons", "6"},
           {350, "fahrenheit", "celsius", "176.7"},
           {-40, "degrees celsius", "Fahrenheit", "-40"},
           {1, "week", "seconds", "604800"},
           {36, "kilometers per hour", "miles per hour", "22.37"},
       }) {
    CAPTURE(from);
    auto converted = convert_units(amount, from, to);
    REQUIRE(converted.ok());
    CHECK(speak_number(*converted) == spoken);
  }
  CHECK_FALSE(convert_units(1, "miles", "pounds").ok());
  CHECK_FALSE(convert_units(1, "parsnips", "pounds").ok());
  CHECK_FALSE(convert_units(1e308 * 10, "miles", "feet").ok());
  CHECK_FALSE(convert_units(1, "", "feet").ok());
}

TEST_CASE("facts") {
  CHECK(find_fact("What's the capital of France?")->find("Paris") != std::string::npos);
  CHECK(find_fact("who wrote hamlet")->find("Shakespeare") != std::string::npos);
  CHECK(find_fact("who was the first man on the moon")->find("Armstrong") != std::string::npos);
  CHECK_FALSE(find_fact("who am i"));
  CHECK_FALSE(find_fact(""));
}

}  // namespace
}  // namespace slipway::home
