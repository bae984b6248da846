// fit_value: is this value what the schema wants, and if not quite, can it become so without losing
// anything?
#include <re2/re2.h>

#include <charconv>
#include <cmath>

#include "base/text.h"
#include "skill/call.h"
#include "skill/schema.h"

namespace slipway::skill {
namespace {

constexpr size_t max_members = 1024;  // as of a call that is read
constexpr double max_exact_integer = 9007199254740992.0;  // 2^53

std::string shown(const json::Value& value) { return one_line(print_value(value), 80); }

Error misfit(const std::string& where, const json::Value& schema, const json::Value& value) {
  return Error::invalid_input(where + ": expected " + describe_schema(schema) + ", got " +
                              shown(value));
}

std::optional<json::Value> parse_number(std::string_view text) {
  text = trim(text);
  int64_t whole = 0;
  const char* end = text.data() + text.size();
  if (auto r = std::from_chars(text.data(), end, whole); r.ec == std::errc{} && r.ptr == end)
    return json::Value(whole);
  double number = 0;
  auto r = std::from_chars(text.data(), end, number);
  if (r.ec != std::errc{} || r.ptr != end || !std::isfinite(number)) return std::nullopt;
  return json::Value(number);
}

std::optional<json::Value> as_integer(const json::Value& value) {
  if (value.is_integer()) return value;
  if (!value.is_number()) return std::nullopt;
  const double number = value.as_number();
  if (std::floor(number) != number || std::abs(number) > max_exact_integer) return std::nullopt;
  return json::Value(static_cast<int64_t>(number));
}

std::optional<json::Value> exact(const json::Value& value, const std::string& type) {
  if (type == "integer") return as_integer(value);
  const bool fits =
      (type == "string" && value.is_string()) || (type == "number" && value.is_number()) ||
      (type == "boolean" && value.is_bool()) || (type == "array" && value.is_array()) ||
      (type == "object" && value.is_object()) || (type == "null" && value.is_null());
  return fits ? std::optional<json::Value>(value) : std::nullopt;
}

std::optional<json::Value> coerced(const json::Value& value, const std::string& type) {
  if (type == "string" && value.is_number()) return json::Value(print_value(value));
  if (!value.is_string()) return std::nullopt;
  const auto number = parse_number(value.as_string());
  if (type == "number") return number;
  if (type == "integer" && number) return as_integer(*number);
  const auto word = to_lower(trim(value.as_string()));
  if (type == "boolean" && word == "true") return json::Value(true);
  if (type == "boolean" && word == "false") return json::Value(false);
  return std::nullopt;
}

std::string comparable(const json::Value& value) {
  return value.is_string() ? to_lower(trim(value.as_string())) : print_value(value);
}

std::optional<json::Value> match_enum(const json::Value& value, const json::Array& values) {
  for (const auto& one : values) {
    if (one == value) return one;
  }
  std::optional<json::Value> found;
  for (const auto& one : values) {
    if (comparable(one) != comparable(value)) continue;
    if (found) return std::nullopt;  // ambiguous without case
    found = one;
  }
  return found;
}

size_t characters(const std::string& text) {
  size_t count = 0;
  for (const unsigned char byte : text) count += (byte & 0xc0) != 0x80;
  return count;
}

bool within(const json::Value& schema, const char* low, const char* high, double value) {
  return (!schema.get(low) || value >= schema.number(low)) &&
         (!schema.get(high) || value <= schema.number(high));
}

bool number_fits(const json::Value& schema, double number) {
  if (!within(schema, "minimum", "maximum", number)) return false;
  if (schema.get("exclusiveMinimum") && number <= schema.number("exclusiveMinimum")) return false;
  if (schema.get("exclusiveMaximum") && number >= schema.number("exclusiveMaximum")) return false;
  if (!schema.get("multipleOf")) return true;
  const double quotient = number / schema.number("multipleOf");
  return std::abs(quotient - std::round(quotient)) < 1e-9 * std::max(1.0, std::abs(quotient));
}

bool string_fits(const json::Value& schema, const std::string& text) {
  if (!within(schema, "minLength", "maxLength", static_cast<double>(characters(text))))
    return false;
  const auto* pattern = schema.get("pattern");
  if (!pattern || !pattern->is_string()) return true;
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(1 << 20);
  const RE2 compiled(pattern->as_string(), options);
  return compiled.ok() && RE2::PartialMatch(text, compiled);
}

class Fitter {
 public:
  explicit Fitter(bool coerce) : coerce_(coerce) {}

  Result<json::Value> fit(const json::Value& value, const json::Value& schema,
                          const std::string& where, int depth) {
    if (depth > max_schema_depth) return Error::exhausted(where + " is nested too deep");
    if (!schema.is_object()) return value;
    if (const auto* list = schema_alternatives(schema))
      return fit_any(value, schema, *list, where, depth);
    if (value.is_null() && schema.flag("nullable")) return value;
    if (const auto* one = schema.get("const"))
      return fit_enum(value, schema, json::Array{*one}, where);
    if (const auto* values = schema.get("enum"); values && values->is_array()) {
      return fit_enum(value, schema, values->as_array(), where);
    }
    const auto types = schema_types(schema);
    if (types.empty()) return fit_inside(value, schema, where, depth);
    for (const auto& type : types) {
      if (auto same = exact(value, type)) return fit_inside(*same, schema, where, depth);
    }
    for (const auto& type : types) {
      if (auto other = coerce_ ? coerced(value, type) : std::nullopt)
        return fit_inside(*other, schema, where, depth);
    }
    return misfit(where, schema, value);
  }

 private:
  Result<json::Value> fit_enum(const json::Value& value, const json::Value& schema,
                               const json::Array& values, const std::string& where) {
    auto found = match_enum(value, values);
    if (found && !coerce_ && !(*found == value)) found.reset();
    if (found) return *found;
    auto error = misfit(where, schema, value);
    std::vector<std::string> words;
    for (const auto& one : values) {
      if (one.is_string()) words.push_back(one.as_string());
    }
    const auto near = value.is_string() ? nearest(value.as_string(), words) : std::nullopt;
    return near ? Error::invalid_input(error.message(), "did you mean '" + *near + "'?") : error;
  }

  // Without coercion first, so that "3" stays a string where a string is allowed too.
  Result<json::Value> fit_any(const json::Value& value, const json::Value& schema,
                              const json::Value& list, const std::string& where, int depth) {
    for (const bool coerce : {false, true}) {
      if (coerce && !coerce_) break;
      for (const auto& alternative : list.as_array()) {
        auto fitted = Fitter(coerce).fit(value, alternative, where, depth + 1);
        if (fitted.ok()) return fitted;
      }
    }
    if (value.is_null() && schema.flag("nullable")) return value;
    return misfit(where, schema, value);
  }

  Result<json::Value> fit_inside(const json::Value& value, const json::Value& schema,
                                 const std::string& where, int depth) {
    if (value.is_array()) return fit_array(value, schema, where, depth);
    if (value.is_object()) return fit_object(value, schema, where, depth);
    const bool fits = value.is_number()   ? number_fits(schema, value.as_number())
                      : value.is_string() ? string_fits(schema, value.as_string())
                                          : true;
    if (!fits) return misfit(where, schema, value);
    return value;
  }

  Result<json::Value> fit_array(const json::Value& value, const json::Value& schema,
                                const std::string& where, int depth) {
    if (!within(schema, "minItems", "maxItems", static_cast<double>(value.size())))
      return misfit(where, schema, value);
    const auto* items = schema.get("items");
    auto result = json::Value::array();
    for (size_t i = 0; i < value.size(); ++i) {
      const auto inner = where + "[" + std::to_string(i) + "]";
      SLIPWAY_TRY(item, fit(value.as_array()[i], items ? *items : json::Value(), inner, depth + 1));
      if (schema.flag("uniqueItems")) {
        for (const auto& earlier : result.as_array()) {
          if (earlier == item)
            return Error::invalid_input(inner + ": " + shown(item) + " is there twice");
        }
      }
      result.push_back(std::move(item));
    }
    return result;
  }

  Result<json::Value> fit_object(const json::Value& value, const json::Value& schema,
                                 const std::string& where, int depth) {
    if (value.size() > max_members)
      return Error::invalid_input(where + " has more than 1,024 members");
    const auto* properties = schema.get("properties");
    const auto* additional = schema.get("additionalProperties");
    auto result = json::Value::object();
    if (properties && properties->is_object()) {  // in the schema's order: the canonical one
      for (const auto& [name, inner] : properties->as_object()) {
        if (const auto* member = value.get(name)) {
          SLIPWAY_TRY(fitted, fit(*member, inner, where + "." + name, depth + 1));
          result.set(name, std::move(fitted));
        }
      }
    }
    for (const auto& [name, member] : value.as_object()) {
      if (properties && properties->get(name)) continue;
      const bool closed = additional ? additional->is_bool() && !additional->as_bool() : false;
      if (closed) return Error::invalid_input(where + ": unknown property '" + name + "'");
      const auto inner = additional && additional->is_object() ? *additional : json::Value();
      SLIPWAY_TRY(fitted, fit(member, inner, where + "." + name, depth + 1));
      result.set(name, std::move(fitted));
    }
    if (const auto* required = schema.get("required"); required && required->is_array()) {
      for (const auto& name : required->as_array()) {
        if (name.is_string() && !value.get(name.as_string())) {
          return Error::invalid_input(where + ": property '" + name.as_string() + "' is missing");
        }
      }
    }
    return result;
  }

  bool coerce_;
};

}  // namespace

Result<json::Value> fit_value(const json::Value& value, const json::Value& schema,
                              const std::string& where) {
  return Fitter(true).fit(value, schema, where, 0);
}

}  // namespace slipway::skill
