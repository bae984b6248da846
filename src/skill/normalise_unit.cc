// Units of measurement by the names people use, each with one symbol.
#include <array>

#include "base/text.h"
#include "skill/normalise_kinds.h"

namespace slipway::skill {
namespace {

struct Unit {
  std::string_view symbol;
  std::string_view names;  // singular, "|" between; a plural -s or -es is tried on the way
};

constexpr std::array<Unit, 56> units = {{
    {"m", "meter|metre"},
    {"km", "kilometer|kilometre"},
    {"cm", "centimeter|centimetre"},
    {"mm", "millimeter|millimetre"},
    {"mi", "mile"},
    {"yd", "yard"},
    {"ft", "foot|feet"},
    {"in", "inch"},
    {"nmi", "nautical mile"},
    {"g", "gram|gramme"},
    {"kg", "kilogram|kilogramme|kilo"},
    {"mg", "milligram"},
    {"t", "tonne|metric ton"},
    {"lb", "pound|lbs"},
    {"oz", "ounce"},
    {"st", "stone"},
    {"l", "liter|litre"},
    {"ml", "milliliter|millilitre"},
    {"cl", "centiliter|centilitre"},
    {"dl", "deciliter|decilitre"},
    {"gal", "gallon"},
    {"qt", "quart"},
    {"pt", "pint"},
    {"cup", "cup"},
    {"fl oz", "fluid ounce"},
    {"tbsp", "tablespoon"},
    {"tsp", "teaspoon"},
    {"ms", "millisecond"},
    {"s", "second|sec"},
    {"min", "minute"},
    {"h", "hour|hr"},
    {"d", "day"},
    {"wk", "week"},
    {"mo", "month"},
    {"yr", "year"},
    {"km/h", "kilometer per hour|kilometre per hour|kmh|kph"},
    {"mph", "mile per hour|mi h"},
    {"m/s", "meter per second|metre per second"},
    {"kn", "knot"},
    {"\u00b0C", "celsius|degrees celsius|degree celsius|centigrade|degrees centigrade|degrees c|c"},
    {"\u00b0F", "fahrenheit|degrees fahrenheit|degree fahrenheit|degrees f|f"},
    {"K", "kelvin|degrees kelvin|k"},
    {"W", "watt"},
    {"kW", "kilowatt"},
    {"kWh", "kilowatt hour"},
    {"J", "joule"},
    {"kJ", "kilojoule"},
    {"kcal", "kilocalorie"},
    {"Pa", "pascal"},
    {"hPa", "hectopascal"},
    {"bar", "bar"},
    {"psi", "pound per square inch"},
    {"V", "volt"},
    {"A", "ampere|amp"},
    {"ha", "hectare"},
    {"%", "percent|per cent|pct"},
}};

// The first word of "miles per hour" is the plural one, the last of "fluid ounces".
std::string singular(std::string_view text) {
  const auto words = split(text, ' ');
  size_t at = words.size() - 1;
  for (size_t i = 1; i < words.size(); ++i) {
    if (words[i] == "per") at = i - 1;
  }
  auto changed = words;
  auto& word = changed[at];
  if (word == "inches")
    word = "inch";
  else if (word.size() > 2 && word.ends_with('s'))
    word.pop_back();
  return join(changed, " ");
}

bool has_name(std::string_view names, std::string_view name) {
  for (const auto& one : split(names, '|')) {
    if (one == name) return true;
  }
  return false;
}

}  // namespace

Result<std::string> read_unit(std::string_view said) {
  const auto wanted = "a unit such as 'miles', 'kg' or 'degrees celsius'";
  if (said.size() > max_said_bytes) return not_understood(said, wanted);
  const auto given = trim(said);
  for (const auto& unit : units) {
    if (unit.symbol == given) return std::string(unit.symbol);
  }
  std::vector<std::string> words;
  for (Words read(given); !read.done(); read.skip()) words.push_back(read.peek());
  if (words.empty()) return not_understood(said, wanted);
  const auto name = join(words, " "), single = singular(name);
  for (const auto& unit : units) {
    const bool symbol = to_lower(unit.symbol) == to_lower(given) || to_lower(unit.symbol) == single;
    if (symbol || has_name(unit.names, name) || has_name(unit.names, single))
      return std::string(unit.symbol);
  }
  return not_understood(said, wanted);
}

}  // namespace slipway::skill
