// Skills and random calls for this layer's tests.
#pragma once

#include <cstdlib>
#include <random>
#include <string>

#include "skill/call.h"
#include "skill/schema.h"

namespace slipway::skill::testing {

using Random = std::mt19937_64;

inline int below(Random& random, int bound) {
  return static_cast<int>(random() % static_cast<uint64_t>(bound));
}

// How many a mutation test makes: `otherwise`, or $SLIPWAY_MUTATIONS for a long run.
inline int mutations(int otherwise) {
  const char* given = std::getenv("SLIPWAY_MUTATIONS");
  return given ? std::atoi(given) : otherwise;
}

// Every kind of schema that the grammar knows exactly.
inline constexpr const char* home_file = R"json({
  "slipway_skill": 1, "name": "home", "description": "a home",
  "tools": [
    {"type": "function", "function": {"name": "get_weather", "description": "weather",
      "parameters": {"type": "object",
      "properties": {"location": {"type": "string"},
                     "unit": {"type": "string", "enum": ["celsius", "fahrenheit"],
                       "default": "celsius"},
                     "days": {"type": "integer", "minimum": 1, "maximum": 14}},
      "required": ["location"]}}},
    {"type": "function", "function": {"name": "get_time", "description": "time"}},
    {"type": "function", "function": {"name": "set", "description": "settings",
      "parameters": {"type": "object",
      "properties": {"level": {"type": "number"}, "count": {"type": "integer"},
        "on": {"type": "boolean"},
                     "code": {"type": "string", "minLength": 2, "maxLength": 5},
                       "note": {"type": "string", "minLength": 0},
                     "tags": {"type": "array", "items": {"type": "string"}},
                     "two": {"type": "array", "items": {"type": "integer"}, "minItems": 2,
                       "maxItems": 3},
                     "where": {"type": "object", "properties": {"room": {"type": "string"},
                       "floor": {"type": "integer"},
                               "it's": {"enum": [1, null, "x"]}}, "required": ["floor"],
                                 "additionalProperties": false},
                     "maybe": {"type": ["integer", "null"]},
                       "either": {"anyOf": [{"type": "boolean"}, {"type": "string"}]},
                     "any": {}, "fixed": {"const": "it's"}}}}},
    {"type": "function", "function": {"name": "open_door", "description": "door",
      "parameters": {"type": "object",
      "properties": {"door": {"type": "string", "enum": ["front", "back"]}}, "required": ["door"]}}}
  ],
  "functions": {"open_door": {"permission": "deny"}}
})json";

inline SkillSet home() {
  SkillSet skills;
  auto skill = parse_skill(home_file);
  if (skill.ok() && skills.add(std::move(*skill)).ok()) return skills;
  return {};
}

inline std::string random_text(Random& random, int least, int most) {
  static const std::vector<std::string> characters{"a",  "Z", " ",  "7",  "'", "\"",    "\\", "\n",
                                                   "\t", "é", "世", "🙂", "(", ")",     ",",  "=",
                                                   "{",  "]", "n",  "%",  "ß", "\u00a0"};
  std::string text;
  for (int n = least + below(random, most - least + 1); n > 0; --n) {
    text += characters[static_cast<size_t>(below(random, static_cast<int>(characters.size())))];
  }
  return text;
}

json::Value random_value(Random& random, const json::Value& schema);

inline json::Value random_any(Random& random, int depth) {
  switch (below(random, depth > 0 ? 6 : 4)) {
    case 0: return json::Value();
    case 1: return json::Value(below(random, 2) == 1);
    case 2: return json::Value(static_cast<int64_t>(below(random, 2000)) - 1000);
    case 3: return json::Value(random_text(random, 1, 5));
    case 4: {
      auto array = json::Value::array();
      for (int n = below(random, 3); n > 0; --n) array.push_back(random_any(random, depth - 1));
      return array;
    }
    default: {
      auto object = json::Value::object();
      for (int n = below(random, 3); n > 0; --n)
        object.set(random_text(random, 1, 4), random_any(random, depth - 1));
      return object;
    }
  }
}

inline json::Value random_object(Random& random, const json::Value& schema) {
  auto object = json::Value::object();
  for (const auto& [name, inner] : schema.get("properties")->as_object()) {
    bool required = false;
    if (const auto* names = schema.get("required")) {
      for (const auto& one : names->as_array()) required |= one.as_string() == name;
    }
    if (required || below(random, 2) == 1) object.set(name, random_value(random, inner));
  }
  return object;
}

inline json::Value random_value(Random& random, const json::Value& schema) {
  if (const auto* list = schema_alternatives(schema)) {
    return random_value(
        random,
        list->as_array()[static_cast<size_t>(below(random, static_cast<int>(list->size())))]);
  }
  if (const auto* values = schema.get("enum")) {
    return values->as_array()[static_cast<size_t>(below(random, static_cast<int>(values->size())))];
  }
  if (const auto* one = schema.get("const")) return *one;
  const auto types = schema_types(schema);
  if (types.empty()) return random_any(random, 3);
  const auto& type = types[static_cast<size_t>(below(random, static_cast<int>(types.size())))];
  if (type == "boolean") return json::Value(below(random, 2) == 1);
  if (type == "integer") {
    if (schema.get("minimum")) return json::Value(int64_t{1} + below(random, 14));
    return json::Value(static_cast<int64_t>(random() % 2'000'000'000'000) - 1'000'000'000'000);
  }
  if (type == "number") {
    const int64_t most = below(random, 2) ? 1'000'000'000 : 1'000;  // small ones, too: 0.000007
    const auto millionths = static_cast<int64_t>(random() % static_cast<uint64_t>(2 * most)) - most;
    return json::Value(static_cast<double>(millionths) / 1e6);
  }
  if (type == "string") {
    const bool may_be_empty = schema.get("minLength") && schema.number("minLength") == 0;
    return json::Value(schema.get("maxLength") ? random_text(random, 2, 5)
                                               : random_text(random, may_be_empty ? 0 : 1, 12));
  }
  if (type == "array") {
    auto array = json::Value::array();
    const int count = schema.get("minItems") ? 2 + below(random, 2) : below(random, 4);
    for (int i = 0; i < count; ++i) array.push_back(random_value(random, *schema.get("items")));
    return array;
  }
  return type == "object" ? random_object(random, schema) : json::Value();
}

inline Call random_call(Random& random, const SkillSet& skills) {
  const auto functions = skills.functions();
  const Function* function = nullptr;
  while (!function || function->permission == Permission::deny) {
    function = functions[static_cast<size_t>(below(random, static_cast<int>(functions.size())))];
  }
  Call call{function->qualified_name(), {}};
  for (const auto& parameter : function->parameters) {
    if (!parameter.required && below(random, 2) == 0) continue;
    call.arguments.push_back({parameter.name, random_value(random, parameter.schema)});
  }
  return call;
}

}  // namespace slipway::skill::testing
