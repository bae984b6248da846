#include "skill/schema.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/text.h"
#include "skill/call.h"
#include "skill/normalise.h"

namespace slipway::skill {
namespace {

const std::vector<std::string>& type_names() {
  static const std::vector<std::string> names{"string", "integer", "number", "boolean",
                                              "array",  "object",  "null"};
  return names;
}

const std::vector<std::string>& keywords() {
  static const std::vector<std::string> names{
      "type", "enum", "const", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
      "multipleOf", "minLength", "maxLength", "pattern", "items", "minItems", "maxItems",
      "uniqueItems", "properties", "required", "default", "additionalProperties", "anyOf", "oneOf",
      "nullable",
      // Annotations: read by people and models, decide nothing.
      "title", "description", "examples", "example", "format", "deprecated", "readOnly",
      "writeOnly", "$comment", "$schema", "$id", "contentEncoding", "contentMediaType"};
  return names;
}

const std::vector<std::string>& unsupported_keywords() {
  static const std::vector<std::string> names{"$ref",
                                              "$defs",
                                              "definitions",
                                              "allOf",
                                              "not",
                                              "if",
                                              "then",
                                              "else",
                                              "patternProperties",
                                              "propertyNames",
                                              "minProperties",
                                              "maxProperties",
                                              "dependentRequired",
                                              "dependentSchemas",
                                              "prefixItems",
                                              "additionalItems",
                                              "contains",
                                              "unevaluatedProperties",
                                              "unevaluatedItems"};
  return names;
}

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

Error wrong(const std::string& where, const std::string& what) {
  return Error::invalid_input(where + " must be " + what);
}

Status check_normaliser(const json::Value& value, const std::string& where) {
  if (value.is_string() && is_normaliser(value.as_string())) return Status::success();
  const auto near =
      value.is_string() ? nearest(value.as_string(), normaliser_names()) : std::nullopt;
  return Error::invalid_input(
      where + ": no normaliser " + print_value(value),
      near ? "did you mean '" + *near + "'?" : "normalisers: " + join(normaliser_names(), ", "));
}

// Strings that are free, alone, in lists or among alternatives.
bool has_free_strings(const json::Value& schema) {
  if (const auto* list = schema_alternatives(schema)) {
    const auto& all = list->as_array();
    return std::all_of(all.begin(), all.end(), has_free_strings);
  }
  if (const auto* items = schema.get("items")) return has_free_strings(*items);
  return schema.text("type") == "string" && !schema.get("enum") && !schema.get("const") &&
         !schema.get("maxLength");
}

Status check_said(const json::Value& schema, const std::string& where) {
  if (!schema.get(said_key)->is_bool()) return wrong(where, "true or false");
  if (has_free_strings(schema)) return Status::success();
  return Error::unsupported(where + " is for strings without enum, const and maxLength",
                            "alone, as items of a list, or as alternatives");
}

// Our own keywords decide what is written and dispatched: misspelt, none may pass for an
// annotation.
Status check_own(const std::string& key, const json::Value& schema, const std::string& where,
                 bool parameter) {
  if (key != normalise_key && key != said_key) {
    const auto near = nearest(key, {std::string(normalise_key), std::string(said_key)});
    return Error::invalid_input(
        where + ": unknown keyword '" + key + "'",
        "did you mean '" + near.value_or(std::string(normalise_key)) + "'?");
  }
  if (!parameter) {
    return Error::unsupported(where + ": only a parameter itself can have '" + key + "'",
                              "write it beside the parameter's type");
  }
  const auto at = where + "." + key;
  return key == said_key ? check_said(schema, at) : check_normaliser(*schema.get(key), at);
}

Status check_keyword(const std::string& key, const std::string& where) {
  if (contains(keywords(), key) || key.starts_with("x-")) return Status::success();
  if (contains(unsupported_keywords(), key)) {
    return Error::unsupported(where + ": the JSON Schema keyword '" + key + "' is not supported",
                              "docs/format/skill.md lists the subset; write the schema out");
  }
  const auto near = nearest(key, keywords());
  return Error::invalid_input(
      where + ": unknown JSON Schema keyword '" + key + "'",
      near ? "did you mean '" + *near + "'?" : "docs/format/skill.md lists the subset");
}

Status check_type(const json::Value& type, const std::string& where) {
  const json::Array one{type};
  const auto& list = type.is_array() ? type.as_array() : one;
  if (list.empty()) return wrong(where, "a type name or a list of them");
  for (const auto& name : list) {
    if (!name.is_string()) return wrong(where, "a type name or a list of them");
    if (!contains(type_names(), name.as_string())) {
      const auto near = nearest(name.as_string(), type_names());
      return Error::invalid_input(
          where + ": unknown type '" + name.as_string() + "'",
          near ? "did you mean '" + *near + "'?" : "types: " + join(type_names(), ", "));
    }
  }
  return Status::success();
}

Status check_numbers(const json::Value& schema, const std::string& where) {
  for (const char* key :
       {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}) {
    const auto* value = schema.get(key);
    if (value && !value->is_number()) return wrong(where + "." + key, "a number");
  }
  if (schema.get("multipleOf") && schema.number("multipleOf") <= 0)
    return wrong(where + ".multipleOf", "above 0");
  for (const char* key : {"minLength", "maxLength", "minItems", "maxItems"}) {
    const auto* value = schema.get(key);
    if (value && (!value->is_integer() || value->as_integer() < 0))
      return wrong(where + "." + key, "0 or more");
  }
  constexpr std::array<std::pair<const char*, const char*>, 3> ranges{
      {{"minimum", "maximum"}, {"minLength", "maxLength"}, {"minItems", "maxItems"}}};
  for (const auto& [low, high] : ranges) {
    if (schema.get(low) && schema.get(high) && schema.number(low) > schema.number(high)) {
      return Error::invalid_input(where + ": no value fits, " + low + " is above " + high);
    }
  }
  const auto types = schema_types(schema);
  const auto range = integer_range(schema);
  if (types == std::vector<std::string>{"integer"} && range.low && range.high &&
      *range.low > *range.high) {
    return Error::invalid_input(where + ": no integer lies within its bounds");
  }
  return Status::success();
}

Status check_pattern(const json::Value& pattern, const std::string& where) {
  if (!pattern.is_string()) return wrong(where, "a regular expression");
  if (pattern.as_string().size() > 1000)
    return Error::exhausted(where + " is longer than 1000 bytes");
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(1 << 20);
  const RE2 compiled(pattern.as_string(), options);
  if (compiled.ok()) return Status::success();
  return Error::invalid_input(
      where + ": not a regular expression that RE2 knows: " + compiled.error(),
      "look-around and back-references are not supported");
}

Status check_scalars(const json::Value& schema, const std::string& where) {
  if (const auto* type = schema.get("type")) SLIPWAY_CHECK(check_type(*type, where + ".type"));
  if (const auto* values = schema.get("enum");
      values && (!values->is_array() || values->size() == 0)) {
    return wrong(where + ".enum", "a list of at least one value");
  }
  for (const char* key : {"nullable", "uniqueItems"}) {
    if (const auto* flag = schema.get(key); flag && !flag->is_bool())
      return wrong(where + "." + key, "true or false");
  }
  if (const auto* pattern = schema.get("pattern"))
    SLIPWAY_CHECK(check_pattern(*pattern, where + ".pattern"));
  return check_numbers(schema, where);
}

Status check_object(const json::Value& schema, const std::string& where, int depth) {
  const auto* properties = schema.get("properties");
  if (properties) {
    if (!properties->is_object()) return wrong(where + ".properties", "an object");
    for (const auto& [name, inner] : properties->as_object()) {
      SLIPWAY_CHECK(check_schema(inner, where + ".properties." + name, depth + 1));
    }
  }
  if (const auto* required = schema.get("required")) {
    if (!required->is_array()) return wrong(where + ".required", "a list of property names");
    for (const auto& name : required->as_array()) {
      if (!name.is_string()) return wrong(where + ".required", "a list of property names");
      if (!properties || !properties->get(name.as_string())) {
        return Error::invalid_input(where + ".required: no property '" + name.as_string() + "'");
      }
    }
  }
  const auto* additional = schema.get("additionalProperties");
  if (!additional || additional->is_bool()) return Status::success();
  return check_schema(*additional, where + ".additionalProperties", depth + 1);
}

}  // namespace

Status check_schema(const json::Value& schema, const std::string& where, int depth) {
  if (depth > max_schema_depth) {
    return Error::exhausted(where + ": schemas may nest " + std::to_string(max_schema_depth) +
                            " deep");
  }
  if (!schema.is_object()) return wrong(where, "a JSON Schema (an object)");
  for (const auto& [key, _] : schema.as_object()) {
    SLIPWAY_CHECK(key.starts_with("x-slipway-") ? check_own(key, schema, where, depth == 1)
                                                : check_keyword(key, where));
  }
  SLIPWAY_CHECK(check_scalars(schema, where));
  SLIPWAY_CHECK(check_object(schema, where, depth));
  if (const auto* items = schema.get("items"))
    SLIPWAY_CHECK(check_schema(*items, where + ".items", depth + 1));
  for (const char* key : {"anyOf", "oneOf"}) {
    const auto* list = schema.get(key);
    if (!list) continue;
    const auto inner = where + "." + key;
    if (!list->is_array() || list->size() == 0)
      return wrong(inner, "a list of at least one schema");
    for (size_t i = 0; i < list->size(); ++i) {
      SLIPWAY_CHECK(
          check_schema(list->as_array()[i], inner + "[" + std::to_string(i) + "]", depth + 1));
    }
  }
  if (const auto* value = schema.get("default"); value && !(value->is_null())) {
    auto fitted = fit_value(*value, schema, where + ".default");
    if (!fitted.ok()) return fitted.error();
    if (!(*fitted == *value)) return wrong(where + ".default", describe_schema(schema));
  }
  return Status::success();
}

std::vector<std::string> schema_types(const json::Value& schema) {
  std::vector<std::string> types;
  const auto* type = schema.get("type");
  if (type && type->is_string()) types.push_back(type->as_string());
  if (type && type->is_array()) {
    for (const auto& name : type->as_array()) {
      if (name.is_string()) types.push_back(name.as_string());
    }
  }
  if (!type && schema.get("properties")) types.push_back("object");
  if (!type && schema.get("items")) types.push_back("array");
  if (!types.empty() && schema.flag("nullable") && !contains(types, "null"))
    types.push_back("null");
  return types;
}

IntegerRange integer_range(const json::Value& schema) {
  constexpr double limit = 9e15;  // beyond it doubles are no longer exact
  IntegerRange range;
  const auto raise = [&](double value) {
    const auto low = static_cast<int64_t>(std::clamp(value, -limit, limit));
    range.low = range.low ? std::max(*range.low, low) : low;
  };
  const auto lower = [&](double value) {
    const auto high = static_cast<int64_t>(std::clamp(value, -limit, limit));
    range.high = range.high ? std::min(*range.high, high) : high;
  };
  if (const auto* v = schema.get("minimum"); v && v->is_number()) raise(std::ceil(v->as_number()));
  if (const auto* v = schema.get("exclusiveMinimum"); v && v->is_number())
    raise(std::floor(v->as_number()) + 1);
  if (const auto* v = schema.get("maximum"); v && v->is_number()) lower(std::floor(v->as_number()));
  if (const auto* v = schema.get("exclusiveMaximum"); v && v->is_number())
    lower(std::ceil(v->as_number()) - 1);
  return range;
}

const json::Value* schema_alternatives(const json::Value& schema) {
  const auto* list = schema.get("anyOf");
  if (!list) list = schema.get("oneOf");
  return list && list->is_array() ? list : nullptr;
}

bool accepts_null(const json::Value& schema) {
  if (schema.flag("nullable")) return true;
  if (const auto* list = schema_alternatives(schema)) {
    return std::any_of(list->as_array().begin(), list->as_array().end(), accepts_null);
  }
  if (const auto* values = schema.get("enum"); values && values->is_array()) {
    return std::any_of(values->as_array().begin(), values->as_array().end(),
                       [](const auto& v) { return v.is_null(); });
  }
  if (const auto* value = schema.get("const")) return value->is_null();
  const auto types = schema_types(schema);
  return types.empty() || contains(types, "null");
}

namespace {

std::string list_values(const json::Array& values) {
  std::vector<std::string> parts;
  for (const auto& value : values) {
    if (parts.size() == 20) {
      parts.push_back("... (" + std::to_string(values.size()) + " in all)");
      break;
    }
    parts.push_back(print_value(value));
  }
  return join(parts, ", ");
}

std::string describe_bounds(const json::Value& schema) {
  const auto text = [&](const char* key) { return print_value(*schema.get(key)); };
  if (schema.get("minimum") && schema.get("maximum"))
    return " between " + text("minimum") + " and " + text("maximum");
  std::vector<std::string> parts;
  if (schema.get("minimum")) parts.push_back("at least " + text("minimum"));
  if (schema.get("exclusiveMinimum")) parts.push_back("above " + text("exclusiveMinimum"));
  if (schema.get("maximum")) parts.push_back("at most " + text("maximum"));
  if (schema.get("exclusiveMaximum")) parts.push_back("below " + text("exclusiveMaximum"));
  if (schema.get("multipleOf")) parts.push_back("a multiple of " + text("multipleOf"));
  return parts.empty() ? "" : " " + join(parts, ", ");
}

std::string describe_size(const json::Value& schema, const char* low, const char* high,
                          const char* unit) {
  const auto text = [&](const char* key) { return print_value(*schema.get(key)); };
  if (schema.get(low) && schema.get(high))
    return " of " + text(low) + " to " + text(high) + " " + unit;
  if (schema.get(low)) return " of at least " + text(low) + " " + unit;
  if (schema.get(high)) return " of at most " + text(high) + " " + unit;
  return "";
}

std::string describe_type(const std::string& type, const json::Value& schema) {
  if (type == "integer") return "an integer" + describe_bounds(schema);
  if (type == "number") return "a number" + describe_bounds(schema);
  if (type == "boolean") return "true or false";
  if (type == "array") return "a list" + describe_size(schema, "minItems", "maxItems", "items");
  if (type == "object") return "an object";
  if (type == "null") return "null";
  auto text = "a string" + describe_size(schema, "minLength", "maxLength", "characters");
  return schema.get("pattern") ? text + " matching " + schema.text("pattern") : text;
}

}  // namespace

std::string describe_schema(const json::Value& schema) {
  if (const auto* value = schema.get("const")) return print_value(*value);
  if (const auto* values = schema.get("enum"); values && values->is_array()) {
    return "one of " + list_values(values->as_array());
  }
  std::vector<std::string> parts;
  if (const auto* list = schema_alternatives(schema)) {
    for (const auto& alternative : list->as_array()) parts.push_back(describe_schema(alternative));
  } else {
    for (const auto& type : schema_types(schema)) parts.push_back(describe_type(type, schema));
  }
  return parts.empty() ? "a value" : join(parts, " or ");
}

}  // namespace slipway::skill
