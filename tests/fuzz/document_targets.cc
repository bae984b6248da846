// Skill files, OpenAPI documents and what people say.
#include "base/text.h"
#include "json/value.h"
#include "skill/grammar.h"
#include "skill/normalise.h"
#include "skill/openapi.h"
#include "skill/test_skills.h"
#include "skill/yaml.h"
#include "targets.h"

namespace slipway::fuzz {
namespace {

using Fault = std::optional<std::string>;

Fault said_nothing(const Error& error) {
  if (error.message().empty()) return "a rejection that says nothing";
  if (!is_valid_utf8(error.message())) return "a rejection that is no text";
  return {};
}

// Where the text is no JSON or YAML, the rejection says where.
Fault said_where(const Error& error) {
  if (error.message().find("line ") == std::string::npos && error.code() != ErrorCode::exhausted)
    return "a rejection without a position: " + error.message();
  return said_nothing(error);
}

Fault run_skill(const std::string& text, bool& accepted) {
  const auto skill = skill::parse_skill(text);
  accepted = skill.ok();
  if (!skill.ok())
    return json::parse(text).ok() ? said_nothing(skill.error()) : said_where(skill.error());
  const auto written = skill::skill_to_json(*skill).dump();
  const auto back = skill::parse_skill(written);
  if (!back.ok()) return "a skill file is not read back: " + back.error().message();
  if (skill::skill_to_json(*back).dump() != written) return "a skill file changes when read back";
  skill::SkillSet skills;
  if (skills.add(*skill).ok()) (void)skill::call_grammar(skills)->start();
  return {};
}

Fault run_openapi(const std::string& text, bool& accepted) {
  const auto document = skill::parse_yaml(text);
  accepted = false;
  if (!document.ok()) return said_where(document.error());
  skill::Skill skill;
  skill.name = "api";
  const auto read = skill::read_openapi(*document, {}, skill);
  accepted = read.ok();
  if (!read.ok()) return said_nothing(read.error());
  skill::SkillSet skills;
  if (skills.add(std::move(skill)).ok()) (void)skill::call_grammar(skills)->start();
  return {};
}

Fault run_normalisers(const std::string& text, bool& accepted) {
  const std::optional<skill::LocalTime> clock{{20'781, 64'800}};
  for (const auto& name : skill::normaliser_names()) {
    const auto value = skill::normalise(name, json::Value(text), clock);
    accepted |= value.ok();
    if (value.ok()) continue;
    if (const auto fault = said_nothing(value.error())) return fault;
    if (!value.error().message().starts_with("expected "))
      return "a rejection that does not say what was expected: " + value.error().message();
  }
  return {};
}

constexpr const char* bound_file = R"json({
  "slipway_skill": 1, "name": "weather", "description": "d", "base_url": "http://127.0.0.1:8765",
  "tools": [{"type": "function", "function": {"name": "get", "description": "g", "parameters":
    {"type": "object", "properties": {"location": {"type": "string", "pattern": "^[a-z]+$"},
     "day": {"type": "string", "default": "today", "x-slipway-normalise": "date"},
     "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 3}},
     "required": ["location"]}}}],
  "functions": {"get": {"permission": "allow", "http": {"method": "GET", "path": "/w/{location}",
    "query": {"day": "{day}", "key": "${KEY}"}, "headers": {"X-Tags": "{tags}"},
    "timeout_ms": 3000}, "reply": "{{ result }}"}}})json";

constexpr const char* pets_json = R"json({
  "openapi": "3.0.3", "info": {"title": "Pets", "version": "1"},
  "servers": [{"url": "https://pets.example.com/v1"}],
  "paths": {"/pets/{id}": {
    "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "integer"}}],
    "get": {"operationId": "getPet", "summary": "One pet",
      "parameters": [{"$ref": "#/components/parameters/Verbose"}],
      "responses": {"200": {"description": "ok"}}, "security": [{"key": []}]},
    "put": {"operationId": "putPet", "requestBody": {"required": true, "content":
      {"application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}}},
      "responses": {"default": {"description": "ok"}}}}},
  "components": {
    "parameters": {"Verbose": {"name": "verbose", "in": "query", "schema": {"type": "boolean"}}},
    "schemas": {"Pet": {"type": "object", "required": ["name"], "properties": {
      "name": {"type": "string"}, "parent": {"$ref": "#/components/schemas/Pet"},
      "tags": {"type": "array", "items": {"type": "string"}}}}},
    "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}}}})json";

constexpr const char* pets_yaml = R"(openapi: 3.1.0
info: {title: Pets, version: "1"}
servers:
  - url: https://pets.example.com
paths:
  /pets:
    get:
      operationId: listPets
      parameters:
        - name: limit
          in: query
          schema: {type: integer, minimum: 1, maximum: 100}
      responses:
        "200": {description: ok}
    post:
      operationId: addPet
      requestBody:
        content:
          application/json:
            schema: &pet
              type: object
              properties:
                name: {type: [string, "null"]}
                friend: {allOf: [{type: object, properties: {name: {type: string}}}]}
      responses: {}
)";

}  // namespace

std::vector<Target> document_targets() {
  const std::vector<std::string> json_words = {"\"type\": ",
                                               "\"string\"",
                                               "\"properties\": {",
                                               "\"required\": [",
                                               "\"enum\": [1, null]",
                                               "\"anyOf\": [{}]",
                                               "\"default\": 3",
                                               "\"maxLength\": 5",
                                               "\"minItems\": 65",
                                               "\"$ref\": \"#\"",
                                               "{location}",
                                               "${KEY}",
                                               "null",
                                               "true",
                                               "[]",
                                               "{}",
                                               "1e308",
                                               "-1",
                                               "\"\\ud800\"",
                                               "\n"};
  std::vector<std::string> api_words = json_words;
  for (const char* word : {"&a ", "*a", "<<: *a", "- ", ": ", "  ", "|\n", "!!binary ", "---\n",
                           "$ref: '#/paths'", "allOf: [", "\"#/components/schemas/Pet\""})
    api_words.emplace_back(word);
  const std::vector<std::string> said = {"half past six in the evening",
                                         "an hour and a half",
                                         "friday the 27th of november",
                                         "2026-11-24T18:00:00",
                                         "two hundred and five",
                                         "fifty percent",
                                         "light blue",
                                         "PT1H30M",
                                         "tomorrow at 7 pm",
                                         "kilometers per hour"};
  const std::vector<std::string> words = {"half ",    "past ",
                                          "quarter ", "to ",
                                          "seven ",   "12",
                                          ":",        "am",
                                          "in ",      "the ",
                                          "and ",     "a ",
                                          "hour",     "next ",
                                          "may ",     "3rd",
                                          "from ",    "now",
                                          "ago",      "million ",
                                          "point ",   "/",
                                          "-",        "½",
                                          "\xff",     "99999999999999999999",
                                          "dozen",    "PT"};
  std::vector<Target> all;
  all.push_back({"skill-file", {skill::testing::home_file, bound_file}, json_words, run_skill});
  all.push_back({"openapi", {pets_json, pets_yaml}, api_words, run_openapi});
  all.push_back({"normalise", said, words, run_normalisers});
  return all;
}

}  // namespace slipway::fuzz
