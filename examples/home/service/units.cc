#include "units.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <optional>

#include "base/text.h"

namespace slipway::home {
namespace {

enum class Measure { length, weight, volume, time, speed, temperature };

struct Unit {
  std::string_view name;  // singular; a plain "s" or "es" is tried on the way
  Measure measure;
  double factor;      // in meters, grams, liters, seconds, meters per second, kelvin
  double offset = 0;  // added to the amount before the factor
};

constexpr std::array<Unit, 63> units = {{
    {"meter", Measure::length, 1},
    {"metre", Measure::length, 1},
    {"m", Measure::length, 1},
    {"kilometer", Measure::length, 1000},
    {"kilometre", Measure::length, 1000},
    {"km", Measure::length, 1000},
    {"centimeter", Measure::length, .01},
    {"centimetre", Measure::length, .01},
    {"cm", Measure::length, .01},
    {"millimeter", Measure::length, .001},
    {"millimetre", Measure::length, .001},
    {"mm", Measure::length, .001},
    {"mile", Measure::length, 1609.344},
    {"yard", Measure::length, .9144},
    {"foot", Measure::length, .3048},
    {"feet", Measure::length, .3048},
    {"inch", Measure::length, .0254},
    {"gram", Measure::weight, 1},
    {"g", Measure::weight, 1},
    {"kilogram", Measure::weight, 1000},
    {"kilo", Measure::weight, 1000},
    {"kg", Measure::weight, 1000},
    {"milligram", Measure::weight, .001},
    {"ton", Measure::weight, 1e6},
    {"tonne", Measure::weight, 1e6},
    {"pound", Measure::weight, 453.59237},
    {"lb", Measure::weight, 453.59237},
    {"ounce", Measure::weight, 28.349523125},
    {"oz", Measure::weight, 28.349523125},
    {"stone", Measure::weight, 6350.29318},
    {"liter", Measure::volume, 1},
    {"litre", Measure::volume, 1},
    {"l", Measure::volume, 1},
    {"milliliter", Measure::volume, .001},
    {"millilitre", Measure::volume, .001},
    {"ml", Measure::volume, .001},
    {"gallon", Measure::volume, 3.785411784},
    {"quart", Measure::volume, .946352946},
    {"pint", Measure::volume, .473176473},
    {"cup", Measure::volume, .2365882365},
    {"fluid ounce", Measure::volume, .0295735295625},
    {"tablespoon", Measure::volume, .01478676478125},
    {"teaspoon", Measure::volume, .00492892159375},
    {"second", Measure::time, 1},
    {"minute", Measure::time, 60},
    {"hour", Measure::time, 3600},
    {"day", Measure::time, 86400},
    {"week", Measure::time, 604800},
    {"year", Measure::time, 31536000},
    {"kilometer per hour", Measure::speed, 1 / 3.6},
    {"kilometers per hour", Measure::speed, 1 / 3.6},
    {"km/h", Measure::speed, 1 / 3.6},
    {"mile per hour", Measure::speed, .44704},
    {"miles per hour", Measure::speed, .44704},
    {"mph", Measure::speed, .44704},
    {"knot", Measure::speed, 1852 / 3600.0},
    {"celsius", Measure::temperature, 1, 273.15},
    {"degrees celsius", Measure::temperature, 1, 273.15},
    {"centigrade", Measure::temperature, 1, 273.15},
    {"fahrenheit", Measure::temperature, 5 / 9.0, 459.67},
    {"degrees fahrenheit", Measure::temperature, 5 / 9.0, 459.67},
    {"kelvin", Measure::temperature, 1},
    {"meter per second", Measure::speed, 1},
}};

std::optional<Unit> find_unit(std::string_view said) {
  std::string name = to_lower(trim(said));
  for (std::string_view suffix : {"", "s", "es"}) {
    if (!name.ends_with(suffix)) continue;
    const std::string stem = name.substr(0, name.size() - suffix.size());
    for (const auto& unit : units) {
      if (unit.name == stem) return unit;
    }
  }
  return std::nullopt;
}

}  // namespace

Result<double> convert_units(double amount, std::string_view from, std::string_view to) {
  if (!std::isfinite(amount)) return Error::invalid_input("the amount is no number");
  const auto source = find_unit(from);
  const auto target = find_unit(to);
  if (!source || !target) {
    return Error::invalid_input("no unit '" + std::string(source ? to : from) + "'");
  }
  if (source->measure != target->measure) {
    return Error::invalid_input(std::string(from) + " cannot become " + std::string(to),
                                "both must be lengths, weights, volumes, times or temperatures");
  }
  return (amount + source->offset) * source->factor / target->factor - target->offset;
}

std::string speak_number(double number) {
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), std::abs(number) >= 10000 ? "%.0f" : "%.4g", number);
  const std::string spoken = text.data();
  return spoken == "-0" ? "0" : spoken;
}

}  // namespace slipway::home
