#include <doctest/doctest.h>

#include "skill/schema.h"

namespace slipway::skill {
namespace {

json::Value value(std::string_view text) {
  auto parsed = json::parse(text);
  REQUIRE_MESSAGE(parsed.ok(), text);
  return *parsed;
}

std::string refusal(std::string_view schema) {
  const auto status = check_schema(value(schema), "p");
  return status.ok() ? "" : status.error().to_string();
}

// The fitted value as JSON, or "no".
std::string fitted(std::string_view schema, std::string_view given) {
  REQUIRE(refusal(schema) == "");
  const auto result = fit_value(value(given), value(schema), "x");
  return result.ok() ? result->dump() : "no";
}

}  // namespace

TEST_CASE("schema: what is refused, by path and with the nearest name") {
  CHECK(refusal(R"({"typ": "string"})")
            .find("p: unknown JSON Schema keyword 'typ'; did you mean 'type'?") == 0);
  CHECK(refusal(R"({"type": "strng"})")
            .find("p.type: unknown type 'strng'; did you mean 'string'?") == 0);
  CHECK(check_schema(value(R"({"$ref": "#/x"})"), "p").error().code() == ErrorCode::unsupported);
  CHECK(refusal(R"({"items": {"properties": {"a": {"minLength": -1}}}})")
            .find("p.items.properties.a.minLength must be") == 0);
  CHECK(refusal(R"({"enum": []})") != "");
  CHECK(refusal(R"({"minimum": 3, "maximum": 2})") != "");
  CHECK(refusal(R"({"type": "integer", "minimum": 1.2, "maximum": 1.8})") != "");
  CHECK(refusal(R"x({"pattern": "(?=a)"})x") != "");
  CHECK(refusal(R"({"type": "integer", "default": "soon"})").find("p.default") == 0);
  CHECK(refusal(R"({"required": ["a"]})") != "");
  CHECK(refusal(R"({"anyOf": []})") != "");
  CHECK(refusal(R"({"type": "string", "format": "date", "title": "t", "x-own": 1})") == "");
  std::string deep = "{}";
  for (int i = 0; i < 20; ++i) deep = R"({"items": )" + deep + "}";
  CHECK(check_schema(value(deep), "p").error().code() == ErrorCode::exhausted);
}

TEST_CASE("schema: coercions that lose nothing") {
  CHECK(fitted(R"({"type": "integer"})", R"(" 3 ")") == "3");
  CHECK(fitted(R"({"type": "integer"})", "3.0") == "3");
  CHECK(fitted(R"({"type": "integer"})", "3.5") == "no");
  CHECK(fitted(R"({"type": "integer"})", R"("")") == "no");
  CHECK(fitted(R"({"type": "integer"})", "true") == "no");
  CHECK(fitted(R"({"type": "number"})", R"("2.5")") == "2.5");
  CHECK(fitted(R"({"type": "number"})", R"("inf")") == "no");
  CHECK(fitted(R"({"type": "string"})", "3") == R"("3")");
  CHECK(fitted(R"({"type": "string"})", "[]") == "no");
  CHECK(fitted(R"({"type": "boolean"})", R"("TRUE")") == "true");
  CHECK(fitted(R"({"type": "boolean"})", R"("yes")") == "no");
  CHECK(fitted(R"({"enum": ["On", "Off"]})", R"("off")") == R"("Off")");
  CHECK(fitted(R"({"enum": ["on", "ON"]})", R"("On")") == "no");
  CHECK(fitted(R"({"enum": [1, 2]})", R"("2")") == "2");
  CHECK(fitted(R"({"anyOf": [{"type": "integer"}, {"type": "string"}]})", R"("3")") == R"("3")");
  CHECK(fitted(R"({"anyOf": [{"type": "integer"}, {"type": "boolean"}]})", R"("3")") == "3");
}

TEST_CASE("schema: constraints") {
  CHECK(fitted(R"({"type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 3})", "3") ==
        "no");
  CHECK(fitted(R"({"type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 3})", "2") == "2");
  CHECK(fitted(R"({"type": "number", "multipleOf": 0.1})", "0.3") == "0.3");
  CHECK(fitted(R"({"type": "integer", "multipleOf": 5})", "12") == "no");
  CHECK(fitted(R"({"type": "string", "pattern": "^[a-z]+$"})", R"("abc")") == R"("abc")");
  CHECK(fitted(R"({"type": "string", "pattern": "^[a-z]+$"})", R"("Abc")") == "no");
  CHECK(fitted(R"({"type": "array", "items": {"type": "integer"}, "uniqueItems": true})",
               R"([1, "1"])") == "no");
  CHECK(fitted(R"({"type": "array", "minItems": 1})", "[]") == "no");
  CHECK(fitted(R"({"type": "string", "nullable": true})", "null") == "null");
  CHECK(fitted(R"({"type": ["string", "null"]})", "null") == "null");
  CHECK(fitted(R"({"type": "object", "additionalProperties": {"type": "integer"}})",
               R"({"a": "1"})") == R"({"a":1})");
  CHECK(fitted(R"({"const": 7})", "8") == "no");
}

TEST_CASE("schema: what takes only what was said holds free strings") {
  const auto refusal = [](const std::string& schema) {
    const auto status = check_schema(*json::parse(schema), "x", 1);
    return status.ok() ? "" : status.error().message();
  };
  for (const char* schema :
       {R"({"type": "string", "x-slipway-said": true})",
        R"({"type": "string", "x-slipway-said": false, "default": "home"})",
        R"({"type": "array", "items": {"type": "string"}, "x-slipway-said": true})",
        R"({"x-slipway-said": true, "anyOf": [{"type": "string"},
            {"type": "array", "items": {"type": "string"}}]})"}) {
    CHECK_MESSAGE(refusal(schema) == "", schema);
  }
  CHECK(refusal(R"({"type": "string", "x-slipway-said": 1})") ==
        "x.x-slipway-said must be true or false");
  for (const char* schema :
       {R"({"type": "integer", "x-slipway-said": true})", R"({"x-slipway-said": true})",
        R"({"type": "string", "enum": ["a"], "x-slipway-said": true})",
        R"({"type": "string", "maxLength": 3, "x-slipway-said": true})",
        R"({"anyOf": [{"type": "string"}, {"const": "x"}], "x-slipway-said": true})"}) {
    CHECK_MESSAGE(refusal(schema).find("is for strings without") != std::string::npos, schema);
  }
  CHECK(refusal(R"({"type": "string", "x-slipway-sayd": true})").find("unknown keyword") !=
        std::string::npos);
  CHECK(refusal(R"({"type": "array", "items": {"type": "string", "x-slipway-said": true}})")
            .find("only a parameter itself") != std::string::npos);
}

}  // namespace slipway::skill
