// The names that a skill file may give, and what each makes of a value.
#include "skill/normalise.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "skill/normalise_kinds.h"

namespace slipway::skill {
namespace {

using Clock = std::optional<LocalTime>;
using Reader = Result<json::Value> (*)(std::string_view, const Clock&);

// Whole numbers without a point.
json::Value plain(double number) {
  const bool whole = std::floor(number) == number && std::abs(number) < 9e15;
  return whole ? json::Value(static_cast<int64_t>(number)) : json::Value(number);
}

Result<json::Value> number(std::string_view said, const Clock&) {
  SLIPWAY_TRY(value, read_number(said));
  return plain(value);
}

Result<json::Value> integer(std::string_view said, const Clock&) {
  SLIPWAY_TRY(value, read_number(said));
  if (std::floor(value) == value && std::abs(value) < 9e15) return plain(value);
  return not_understood(said, "a whole number such as '12' or 'twenty five'");
}

Result<json::Value> percent(std::string_view said, const Clock&) {
  SLIPWAY_TRY(value, read_percent(said));
  return plain(value);
}

Result<json::Value> fraction(std::string_view said, const Clock&) {
  SLIPWAY_TRY(value, read_percent(said));
  return plain(value / 100);
}

Result<json::Value> duration_seconds(std::string_view said, const Clock&) {
  SLIPWAY_TRY(seconds, read_duration(said));
  return plain(seconds);
}

Result<json::Value> duration_ms(std::string_view said, const Clock&) {
  SLIPWAY_TRY(seconds, read_duration(said));
  return json::Value(static_cast<int64_t>(std::llround(seconds * 1000)));
}

Result<json::Value> duration_iso8601(std::string_view said, const Clock&) {
  SLIPWAY_TRY(seconds, read_duration(said));
  if (std::floor(seconds) != seconds) return not_understood(said, "a duration in whole seconds");
  return json::Value(print_duration(static_cast<int64_t>(seconds)));
}

// "18:30", with seconds when there are any.
std::string print_time(int second) {
  const auto text = print_datetime({0, second}).substr(11);
  return second % 60 == 0 ? text.substr(0, 5) : text;
}

Result<json::Value> time_24h(std::string_view said, const Clock&) {
  SLIPWAY_TRY(time, read_time(said));
  if (!time.settled) return not_understood(said, "am or pm beside the time, or a 24-hour time");
  return json::Value(print_time(time.second));
}

Result<json::Value> next_time_24h(std::string_view said, const Clock& clock) {
  SLIPWAY_TRY(time, read_time(said));
  if (time.settled) return json::Value(print_time(time.second));
  if (!clock) return not_understood(said, "am or pm beside the time, or a context with a clock");
  return json::Value(print_time(next_time(time, *clock).second));
}

Result<json::Value> date(std::string_view said, const Clock& clock) {
  SLIPWAY_TRY(day, read_date(said, clock));
  return json::Value(print_date(day.day));
}

Result<json::Value> datetime(std::string_view said, const Clock& clock) {
  SLIPWAY_TRY(at, read_datetime(said, clock));
  return json::Value(print_datetime(at));
}

Result<json::Value> unit(std::string_view said, const Clock&) {
  SLIPWAY_TRY(symbol, read_unit(said));
  return json::Value(std::move(symbol));
}

Result<json::Value> colour_hex(std::string_view said, const Clock&) {
  SLIPWAY_TRY(rgb, read_colour(said));
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "#%06x", rgb & 0xffffffu);
  return json::Value(text.data());
}

Result<json::Value> colour_rgb(std::string_view said, const Clock&) {
  SLIPWAY_TRY(rgb, read_colour(said));
  auto list = json::Value::array();
  for (const int shift : {16, 8, 0}) list.push_back(static_cast<int64_t>(rgb >> shift & 0xff));
  return list;
}

struct Normaliser {
  std::string_view name;
  Reader read;
};
constexpr std::array<Normaliser, 14> normalisers = {{{"number", number},
                                                     {"integer", integer},
                                                     {"percent", percent},
                                                     {"fraction", fraction},
                                                     {"duration_seconds", duration_seconds},
                                                     {"duration_ms", duration_ms},
                                                     {"duration_iso8601", duration_iso8601},
                                                     {"time_24h", time_24h},
                                                     {"next_time_24h", next_time_24h},
                                                     {"date", date},
                                                     {"datetime", datetime},
                                                     {"unit", unit},
                                                     {"colour_hex", colour_hex},
                                                     {"colour_rgb", colour_rgb}}};

const Normaliser* find(std::string_view name) {
  const auto at = std::find_if(normalisers.begin(), normalisers.end(),
                               [&](const auto& one) { return one.name == name; });
  return at == normalisers.end() ? nullptr : &*at;
}

}  // namespace

const std::vector<std::string>& normaliser_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const auto& one : normalisers) all.emplace_back(one.name);
    return all;
  }();
  return names;
}

bool is_normaliser(std::string_view name) { return find(name) != nullptr; }

std::string print_duration(int64_t seconds) {
  if (seconds <= 0) return "PT0S";
  std::string text = "PT";
  if (seconds >= 3600) text += std::to_string(seconds / 3600) + "H";
  if (seconds / 60 % 60 > 0) text += std::to_string(seconds / 60 % 60) + "M";
  if (seconds % 60 > 0) text += std::to_string(seconds % 60) + "S";
  return text;
}

Result<json::Value> normalise(std::string_view name, const json::Value& said,
                              const std::optional<LocalTime>& clock) {
  const auto* normaliser = find(name);
  if (!normaliser) return Error::invalid_input("no normaliser '" + std::string(name) + "'");
  if (said.is_null()) return said;
  if (said.is_array()) {
    auto list = json::Value::array();
    for (const auto& item : said.as_array()) {
      if (item.is_array()) return Error::invalid_input("expected a text, got a list in a list");
      SLIPWAY_TRY(one, normalise(name, item, clock));
      list.push_back(std::move(one));
    }
    return list;
  }
  if (said.is_string()) return normaliser->read(said.as_string(), clock);
  if (said.is_number()) return normaliser->read(said.dump(), clock);
  return Error::invalid_input("expected a text or a number, got " + said.dump().substr(0, 60));
}

}  // namespace slipway::skill
