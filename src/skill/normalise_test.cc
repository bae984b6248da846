#include "skill/normalise.h"

#include <doctest/doctest.h>

#include <random>

#include "base/text.h"
#include "skill/dispatch.h"

namespace slipway::skill {
namespace {

// A Tuesday, 18:00.
const std::optional<LocalTime> evening = *parse_clock("2026-11-24T18:00:00");

struct Row {
  std::string said;
  std::optional<json::Value> wanted;  // nothing: an error
};

// "said = wanted", "|" or a new line between; "!" is an error, what is no JSON is a text.
std::vector<Row> rows_of(const std::string& table) {
  std::vector<Row> rows;
  for (const auto& line : split(table, '\n')) {
    for (const auto& entry : split(line, '|')) {
      if (trim(entry).empty()) continue;
      const auto mark = entry.rfind('=');
      REQUIRE(mark != std::string::npos);
      const std::string wanted(trim(entry.substr(mark + 1)));
      Row row{std::string(trim(entry.substr(0, mark))), std::nullopt};
      if (wanted != "!") row.wanted = json::parse(wanted).value_or(json::Value(wanted));
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

void check_table(std::string_view name, const std::string& table,
                 const std::optional<LocalTime>& clock = evening) {
  for (const auto& row : rows_of(table)) {
    CAPTURE(name);
    CAPTURE(row.said);
    const auto got = normalise(name, json::Value(row.said), clock);
    if (row.wanted) {
      REQUIRE_MESSAGE(got.ok(), got.error().to_string());
      CHECK(got->dump() == row.wanted->dump());
      continue;
    }
    REQUIRE_MESSAGE(!got.ok(), got->dump());
    CHECK(got.error().code() == ErrorCode::invalid_input);
    CHECK(got.error().message().starts_with("expected "));
  }
}

TEST_CASE("numbers in words") {
  check_table("number", R"(
12 = 12 | 1,200 = 1200 | 3.5 = 3.5 | -4 = -4 | minus three = -3 | zero = 0 | nineteen = 19
twenty five = 25 | Twenty-Five = 25 | a hundred = 100 | one hundred and five = 105
two hundred fifty = 250 | fifteen hundred = 1500 | two thousand three hundred and one = 2301
a thousand = 1000 | 3 million = 3000000 | 1.5 million = 1500000 | half = 0.5 | a half = 0.5
a quarter = 0.25 | three quarters = 0.75 | 1/2 = 0.5 | 1 1/2 = 1.5 | two and a half = 2.5
2½ = 2.5 | ½ = 0.5 | three point one four = 3.14 | point five = 0.5 | a dozen = 12
half a dozen = 6 | two dozen = 24 | a couple = 2 | one = 1 | one half = 0.5
one and a quarter = 1.25 | nine hundred thousand = 900000 | = ! | a = ! | few = ! | a few = !
third = ! | twenty twenty = ! | five six = ! | 5 apples = ! | hundred = ! | 1/0 = ! | minus = !
three point = ! | 1.2.3 = ! | 0x10 = ! | half half = ! | two and = ! | million = !
ninety eleven = ! | .. = ! | 1e5 = !)");
  check_table("integer", R"(
twelve = 12 | 7 = 7 | 2.0 = 2 | 2.5 = ! | half = !)");
}

TEST_CASE("percentages") {
  check_table("percent", R"(
half = 50 | fifty percent = 50 | 50% = 50 | 50 % = 50 | 30 = 30 | a quarter = 25
three quarters = 75 | twenty per cent = 20 | full = 100 | all the way = 100 | maximum = 100
zero = 0 | 12.5 percent = 12.5 | 0.5% = 0.5 | half a percent = ! | 0.5 = ! | percent = !
bright = ! | fifty fifty = ! | full moon = ! | = !)");
  check_table("fraction", R"(
half = 0.5 | 50% = 0.5 | full = 1 | 25 = 0.25)");
}

TEST_CASE("durations") {
  check_table("duration_seconds", R"(
10 minutes = 600 | ten minutes = 600 | 16 mins = 960 | 33 min = 1980 | 45 second = 45
90 seconds = 90 | an hour = 3600 | a minute = 60 | one hour = 3600 | half an hour = 1800
half a minute = 30 | a half hour = 1800 | an hour and a half = 5400 | hour and a half = 5400
one and a half hours = 5400 | two and a half minutes = 150 | two hours and a half = 9000
1.5 hours = 5400 | 1h30 = 5400 | 1h30m = 5400 | 1h 30m 5s = 5405 | 1 hour 30 = 5400
1 hour and 20 minutes = 4800 | an hour and twenty minutes = 4800 | a quarter of an hour = 900
three quarters of an hour = 2700 | an hour and a quarter = 4500 | forty five minutes = 2700
ninety minutes = 5400 | a couple of minutes = 120 | a couple of hours = 7200 | 2 days = 172800
a week = 604800 | a fortnight = 1209600 | for 5 minutes = 300 | 01:30:00 = 5400 | 0:05:30 = 330
PT10M = 600 | PT1H30M = 5400 | P1DT12H = 129600 | PT0.5S = 0.5 | half a dozen minutes = 360
a hundred seconds = 100 | 1 hour, 2 minutes and 3 seconds = 3723 | 5   MINUTES  = 300
1 minute 30 = 90 | 0 seconds = 0 | ½ hour = 1800 | 1½ hours = 5400 | 10 = ! | = !
a few minutes = ! | a while = ! | 1:30 = ! | a month = ! | minutes 10 = !
10 minutes 1 hour = ! | minus 5 minutes = ! | 5 minutes 5 minutes = ! | ten = ! | and a half = !
P1Y = ! | PT = ! | PT5M3H = ! | an = ! | 10 minutes ago = ! | 100 years = ! | 1 hour 90 = !
9999999999999 weeks = ! | soon = !)");
  check_table("duration_ms", R"(
1.5 seconds = 1500 | two minutes = 120000)");
  check_table("duration_iso8601", R"(
an hour and a half = PT1H30M | 90 seconds = PT1M30S | 2 days = PT48H | 0 seconds = PT0S
PT0.5S = !)");
  CHECK(!normalise("duration_seconds", json::Value(10), evening).ok());
}

TEST_CASE("clock times") {
  check_table("time_24h", R"(
7 pm = 19:00 | 7pm = 19:00 | 7 p.m. = 19:00 | at 7 am = 07:00 | 7:40 pm = 19:40
seven thirty pm = 19:30 | 4 30 pm = 16:30 | 7.30 pm = 19:30 | 18:30 = 18:30 | 18.30 = 18:30
18h30 = 18:30 | 1830 = 18:30 | 0730 hours = 07:30 | 07:05 = 07:05 | 00:15 = 00:15 | noon = 12:00
12 noon = 12:00 | midday = 12:00 | midnight = 00:00 | 12 am = 00:00 | 12 pm = 12:00
12:30 am = 00:30 | half past six in the evening = 18:30 | quarter to 9 pm = 20:45
a quarter past seven in the morning = 07:15 | ten to five am = 04:50
twenty five past six pm = 18:25 | 3 in the afternoon = 15:00 | 9 in the evening = 21:00
eleven at night = 23:00 | 2 at night = 02:00 | eight o'clock in the morning = 08:00
8 o’clock pm = 20:00 | seven oh five am = 07:05 | ten to midnight = 23:50
quarter past noon = 12:15 | 18:30:15 = 18:30:15 | quarter to 13 = 12:45
twenty one thirty = 21:30 | 7 this evening = 19:00 | 7 = ! | seven thirty = !
half past six = ! | 25:00 = ! | 18:60 = ! | 13 am = ! | 18:30 am = ! | half six = !
seven to nine = ! | = ! | 12 in the morning = ! | 9 in the afternoon = ! | soon = !
7 pm tomorrow = ! | pm = ! | 7 7 = ! | quarter = ! | half past = ! | seven five = ! | 7:5 = !
0 pm = ! | 7 pm pm = !)");
  check_table("next_time_24h", R"(
7 = 19:00 | 6 = 06:00 | half past six = 18:30 | quarter to six = 05:45 | twelve fifteen = 00:15
eight o'clock = 20:00 | 7 am = 07:00 | 18:45 = 18:45 | 5 = 05:00 | 6:01 = 18:01)");
  check_table("next_time_24h", R"(
7 am = 07:00 | 7 = !)",
              std::nullopt);
}

TEST_CASE("dates") {
  check_table("date", R"(
today = 2026-11-24 | tonight = 2026-11-24 | this evening = 2026-11-24 | tomorrow = 2026-11-25
tomorrow evening = 2026-11-25 | yesterday = 2026-11-23 | day after tomorrow = 2026-11-26
the day after tomorrow = 2026-11-26 | friday = 2026-11-27 | on friday = 2026-11-27
this friday = 2026-11-27 | fri = 2026-11-27 | next friday = 2026-11-27 | tuesday = 2026-11-24
next tuesday = 2026-12-01 | last friday = 2026-11-20 | last tuesday = 2026-11-17
friday morning = 2026-11-27 | in two weeks = 2026-12-08 | in 3 days = 2026-11-27
in a week = 2026-12-01 | in a month = 2026-12-24 | in a year = 2027-11-24
two days ago = 2026-11-22 | 3 days from now = 2026-11-27 | a week from friday = 2026-12-04
two weeks from tomorrow = 2026-12-09 | the 3rd of may = 2027-05-03 | 3rd of may = 2027-05-03
may 3rd = 2027-05-03 | may 3 = 2027-05-03 | 3 may = 2027-05-03 | May 3, 2028 = 2028-05-03
3 may 2028 = 2028-05-03 | first of august = 2027-08-01 | the twenty first of june = 2027-06-21
24th of november = 2026-11-24 | november 24th = 2026-11-24 | the 14th = 2026-12-14
14th = 2026-12-14 | the 31st = 2026-12-31 | 29th of february = 2028-02-29
dec 24th = 2026-12-24 | 2027-05-03 = 2027-05-03 | friday the 27th of november = 2026-11-27 | = !
next week = ! | this weekend = ! | soon = ! | may = ! | 31st of june = ! | 2027-02-29 = !
24/11/2026 = ! | the 32nd = ! | thursday the 27th of november = ! | friday saturday = ! | 14 = !
in two = ! | in 2.5 days = ! | tomorrow tomorrow = ! | may 2027 = !)");
  check_table("date", R"(
2027-05-03 = 2027-05-03 | 3 may 2028 = 2028-05-03 | today = ! | 3rd of may = !)",
              std::nullopt);
}

TEST_CASE("dates with a time") {
  check_table("datetime", R"(
tomorrow at 7 pm = 2026-11-25T19:00:00 | 7 pm tomorrow = 2026-11-25T19:00:00
tonight at 8 = 2026-11-24T20:00:00 | at 8 tonight = 2026-11-24T20:00:00
tomorrow morning at 7 = 2026-11-25T07:00:00 | friday 18:30 = 2026-11-27T18:30:00
in 20 minutes = 2026-11-24T18:20:00 | in ten hours = 2026-11-25T04:00:00
an hour from now = 2026-11-24T19:00:00 | now = 2026-11-24T18:00:00 | 7 pm = 2026-11-24T19:00:00
5 pm = 2026-11-25T17:00:00 | half past six = 2026-11-24T18:30:00
noon on friday = 2026-11-27T12:00:00 | today at 7 = 2026-11-24T19:00:00
3rd of may at 9 am = 2027-05-03T09:00:00 | half past six tomorrow evening = 2026-11-25T18:30:00
2027-05-03T09:00:00 = 2027-05-03T09:00:00 | tomorrow at 7 = ! | tomorrow = ! | tonight at 1 = !
= ! | tomorrow morning at 7 pm = ! | sometime = !)");
  check_table("datetime", R"(
2027-05-03T09:00 = 2027-05-03T09:00:00 | now = !)",
              std::nullopt);
}

TEST_CASE("units and colours") {
  check_table("unit", R"(
miles = mi | Kilometres = km | km = km | feet = ft | foot = ft | inches = in | pounds = lb
fluid ounces = fl oz | degrees celsius = °C | celsius = °C | °F = °F | fahrenheit = °F
miles per hour = mph | km/h = km/h | kilometers per hour = km/h | minutes = min | percent = %
cups = cup | ms = ms | degrees = ! | ton = ! | smoots = ! | = ! | miles miles = !)");
  check_table("colour_hex", R"(
red = #ff0000 | Light Blue = #add8e6 | grey = #808080 | dark grey = #a9a9a9
lightgrey = #d3d3d3 | #f80 = #ff8800 | #A0B1C2 = #a0b1c2 | yellowgreen = #9acd32 | bluish = !
#ff = ! | = ! | #gggggg = !)");
  CHECK(normalise("colour_rgb", "orange", {})->dump() == "[255,165,0]");
}

TEST_CASE("lists, null and other kinds of values") {
  auto list = json::Value::array();
  list.push_back("ten");
  list.push_back(20);
  CHECK(normalise("number", list, {})->dump() == "[10,20]");
  CHECK(normalise("number", json::Value(), {})->is_null());
  CHECK(!normalise("number", json::Value(true), {}).ok());
  CHECK(!normalise("number", json::Value::object(), {}).ok());
  CHECK(!normalise("numbre", "1", {}).ok());
  CHECK(!normalise("number", std::string(1000, '1'), {}).ok());
}

TEST_CASE("a context's clock") {
  CHECK(print_datetime(*parse_clock("2026-11-24T18:00:52.123Z")) == "2026-11-24T18:00:52");
  CHECK(print_datetime(*parse_clock("2026-11-24 18:00+01:00")) == "2026-11-24T18:00:00");
  for (const char* bad : {"", "18:00", "2026-13-01T00:00:00", "2026-11-24T24:00:00",
                          "2026-11-24T18:00:00x", "2026-11-24T18:0", "2026-11-24"}) {
    CHECK_MESSAGE(!parse_clock(bad).ok(), bad);
  }
}

std::string in_words(int number) {
  static const std::vector<std::string> small = {
      "zero",     "one",     "two",     "three",     "four",     "five",    "six",
      "seven",    "eight",   "nine",    "ten",       "eleven",   "twelve",  "thirteen",
      "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"};
  static const std::vector<std::string> tens = {"",      "",      "twenty",  "thirty", "forty",
                                                "fifty", "sixty", "seventy", "eighty", "ninety"};
  if (number < 20) return small[static_cast<size_t>(number)];
  if (number < 100) {
    const auto ten = tens[static_cast<size_t>(number / 10)];
    return number % 10 == 0 ? ten : ten + (number % 2 ? "-" : " ") + in_words(number % 10);
  }
  const int unit = number < 1000 ? 100 : 1000;
  const auto head = in_words(number / unit) + (unit == 100 ? " hundred" : " thousand");
  if (number % unit == 0) return head;
  return head + (number % unit < 100 ? " and " : " ") + in_words(number % unit);
}

TEST_CASE("what is printed is read back") {
  for (int number = 0; number < 20'000; number += 1 + number / 1000) {
    CAPTURE(in_words(number));
    CHECK(*normalise("number", in_words(number), {}) == json::Value(number));
  }
  std::mt19937_64 random(7);
  for (int i = 0; i < 3000; ++i) {
    const auto seconds = static_cast<int64_t>(random() % 1'000'000);
    CHECK(*normalise("duration_seconds", print_duration(seconds), {}) == json::Value(seconds));
    const LocalTime at{static_cast<int64_t>(random() % 40'000),
                       static_cast<int>(random() % 86'400)};
    CHECK(*parse_clock(print_datetime(at)) == at);
    CHECK(*normalise("datetime", print_datetime(at), {}) == json::Value(print_datetime(at)));
    CHECK(*normalise("date", print_date(at.day), {}) == json::Value(print_date(at.day)));
  }
  for (int hour = 0; hour < 24; ++hour) {
    for (int minute = 0; minute < 60; minute += 7) {
      const auto text = print_datetime({0, hour * 3600 + minute * 60}).substr(11, 5);
      const auto read =
          normalise(hour == 0 || hour > 12 || hour < 10 ? "time_24h" : "datetime",
                    json::Value(hour >= 10 && hour <= 12 ? "2026-01-01T" + text : text), {});
      REQUIRE(read.ok());
      CHECK(read->as_string().find(text) != std::string::npos);
    }
  }
}

TEST_CASE("no text crashes a normaliser, and each is read alike twice") {
  const std::vector<std::string> words = {
      "a",  "half", "past", "to",   "quarter", "seven",   "7",          ":",
      "30", "am",   "in",   "the",  "evening", "hour",    "and",        "minutes",
      "of", "may",  "3rd",  "next", "friday",  "from",    "now",        "tomorrow",
      "%",  "1/2",  "/",    "-",    "point",   "hundred", "2026-11-24", "T",
      "½",  "°",    "\xff", "#fff", "dozen"};
  std::mt19937_64 random(20261124);
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    const auto count = random() % 7;
    for (size_t k = 0; k < count; ++k) {
      if (random() % 8 == 0)
        text += static_cast<char>(random() % 256);
      else
        text += words[random() % words.size()] + (random() % 4 ? " " : "");
    }
    for (const auto& name : normaliser_names()) {
      const auto got = normalise(name, json::Value(text), evening);
      if (got.ok()) {
        CHECK(*normalise(name, json::Value(text), evening) == *got);
      } else {
        CHECK(got.error().message().starts_with("expected "));
        CHECK(is_valid_utf8(got.error().message()));
      }
    }
  }
}

// A function of two parameters; `extra` stands in the schema of the first.
Result<Skill> timers(const std::string& extra, const std::string& inner = "") {
  return parse_skill(
      R"({"slipway_skill": 1, "name": "t", "base_url": "http://127.0.0.1:1", "tools": [{"function":
          {"name": "set", "parameters": {"properties": {"wait": {"type": "string")" +
      extra + R"(}, "days": {"type": "array", "items": {"type": "string")" + inner + R"(},
          "default": ["today"], "x-slipway-normalise": "date"}}, "required": ["wait"]}}}],
          "functions": {"set": {"http": {"path": "/set", "body":
          {"seconds": "{wait}", "text": "in {wait} s", "days": "{days}"}}}}})");
}

Result<http::Request> build(const Skill& skill, const char* wait,
                            const std::optional<LocalTime>& clock) {
  return build_request({"t.set", {{"wait", wait}}}, skill.functions[0], skill, {}, {clock});
}

TEST_CASE("a dispatched call carries what its words mean") {
  const auto skill = timers(R"(, "x-slipway-normalise": "duration_seconds")");
  REQUIRE_MESSAGE(skill.ok(), skill.error().to_string());
  const auto request = build(*skill, "half an hour", evening);
  REQUIRE_MESSAGE(request.ok(), request.error().to_string());
  CHECK(request->body == R"({"seconds":1800,"text":"in 1800 s","days":["2026-11-24"]})");
  const auto unread = build(*skill, "a while", evening);
  REQUIRE(!unread.ok());
  CHECK(unread.error().message() ==
        "t.set, argument 'wait': expected a duration such as '10 minutes' or 'an hour and a half', "
        "got 'a while'");
  const auto blind = build(*skill, "half an hour", std::nullopt);
  REQUIRE(!blind.ok());
  CHECK(blind.error().message().find("argument 'days': expected a day with its year") !=
        std::string::npos);
}

TEST_CASE("a misspelt normaliser is an error of the skill file") {
  const auto error = [](const Result<Skill>& skill) {
    REQUIRE(!skill.ok());
    return skill.error().to_string();
  };
  CHECK(error(timers(R"(, "x-slipway-normalise": "duration_second")"))
            .find("no normaliser 'duration_second'; did you mean 'duration_seconds'?") !=
        std::string::npos);
  CHECK(error(timers(R"(, "x-slipway-normalize": "date")"))
            .find("did you mean 'x-slipway-normalise'?") != std::string::npos);
  CHECK(error(timers(R"(, "x-slipway-normalise": 3)")).find("no normaliser 3") !=
        std::string::npos);
  CHECK(error(timers("", R"(, "x-slipway-normalise": "date")")).find("only a parameter itself") !=
        std::string::npos);
}

}  // namespace
}  // namespace slipway::skill
