#include "skill/openapi.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <random>

#include "base/files.h"
#include "base/ids.h"
#include "skill/dispatch.h"
#include "skill/foreign_schema.h"
#include "skill/test_skills.h"
#include "skill/yaml.h"

namespace slipway::skill {
namespace {

constexpr const char* petstore = R"(openapi: 3.0.3
info: {title: Pets, version: "1"}
servers:
  - url: https://{region}.example.com/v1/
    variables: {region: {default: eu}}
security:
  - key: []
paths:
  /pets/{petId}:
    parameters:
      - {name: petId, in: path, required: true, schema: {type: integer, minimum: 1}}
    get:
      operationId: getPet
      summary: One pet
      parameters:
        - {name: fields, in: query, explode: false, schema: {type: array, items: {type: string}}}
        - {name: X-Trace, in: header, schema: {type: string}}
        - {name: filter, in: query, style: deepObject,
           schema: {type: object, properties: {age: {type: integer}, name: {type: string}}}}
        - {name: session, in: cookie, schema: {type: string}}
    put:
      security: [{login: []}]
      requestBody:
        required: true
        content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}
  /pets:
    get:
      security: []
      operationId: list-pets
      parameters:
        - {name: tags, in: query, schema: {type: array, items: {type: string}}}
    post:
      operationId: add pet
      requestBody:
        content: {text/plain: {schema: {type: string}}}
        required: true
components:
  securitySchemes:
    key: {type: apiKey, in: header, name: X-Key}
    login: {type: http, scheme: basic}
  schemas:
    Named: {type: object, required: [name], properties: {name: {type: string}}}
    Pet:
      allOf:
        - $ref: '#/components/schemas/Named'
        - type: object
          properties:
            petId: {type: integer}
            id: {type: integer, readOnly: true}
            age: {type: integer, minimum: 0, exclusiveMinimum: true}
            parent: {$ref: '#/components/schemas/Pet'}
            mood: {not: {type: integer}}
)";

Result<Skill> read(const std::string& yaml, const OpenApiSelection& selection = {}) {
  SLIPWAY_TRY(document, parse_yaml(yaml));
  Skill skill;
  skill.name = "pets";
  SLIPWAY_CHECK(read_openapi(document, selection, skill));
  return skill;
}

const Function& function_of(const Skill& skill, const std::string& name) {
  for (const auto& function : skill.functions) {
    if (function.name == name) return function;
  }
  FAIL("no function ", name);
  return skill.functions.front();
}

Result<http::Request> request_of(const Skill& skill, const std::string& text) {
  SkillSet skills;
  SLIPWAY_CHECK(skills.add(skill));
  SLIPWAY_TRY(calls, parse_calls(text));
  SLIPWAY_TRY(call, check_call(calls.at(0), skills));
  DispatchOptions options;
  options.secrets["https://eu.example.com:443"] = {{"KEY", "s3cret"}, {"LOGIN", "me:pw"}};
  return build_request(call, *skills.find(call.function), skill, options);
}

}  // namespace

TEST_CASE("openapi: operations become functions with their own names and permissions") {
  auto skill = read(petstore);
  REQUIRE_MESSAGE(skill.ok(), skill.error().to_string());
  CHECK(skill->base_url == "https://eu.example.com");
  CHECK(skill->description == "Pets");
  REQUIRE(skill->functions.size() == 3);
  CHECK(function_of(*skill, "getPet").permission == Permission::allow);
  CHECK(function_of(*skill, "getPet").description == "One pet");
  CHECK(function_of(*skill, "put_pets_petId").permission == Permission::confirm);
  CHECK(function_of(*skill, "list-pets").http.headers.empty());
  std::string notes;
  for (const auto& note : skill->notes) notes += note + "\n";
  CHECK(notes.find("POST /pets is left out") != std::string::npos);
  CHECK(notes.find("'not' is left to the service") != std::string::npos);
  CHECK(notes.find("refers to itself") != std::string::npos);
  CHECK(notes.find("'cookie'") != std::string::npos);
}

TEST_CASE("openapi: path, query, header and secret find their places") {
  auto skill = read(petstore);
  REQUIRE(skill.ok());
  auto get = request_of(*skill,
                        "pets.getPet(petId=7, fields=['a b', 'c'], filter_age=3, "
                        "X-Trace='t')");
  REQUIRE_MESSAGE(get.ok(), get.error().to_string());
  CHECK(get->url == "https://eu.example.com:443/v1/pets/7?fields=a%20b,c&filter%5Bage%5D=3");
  CHECK(*http::find_header(get->headers, "X-Key") == "s3cret");
  CHECK(*http::find_header(get->headers, "X-Trace") == "t");
  auto list = request_of(*skill, "pets.list-pets(tags=['x', 'y'])");
  REQUIRE(list.ok());
  CHECK(list->url == "https://eu.example.com:443/v1/pets?tags=x&tags=y");
  CHECK_FALSE(request_of(*skill, "pets.getPet(petId=0)").ok());
  CHECK_FALSE(request_of(*skill, "pets.getPet()").ok());
}

TEST_CASE("openapi: a body's properties are parameters, put back where they belong") {
  auto skill = read(petstore);
  REQUIRE(skill.ok());
  const auto& put = function_of(*skill, "put_pets_petId");
  CHECK(put.find("name")->required);
  CHECK(put.find("id") == nullptr);
  CHECK(put.find("body_petId") != nullptr);
  auto request = request_of(*skill, "pets.put_pets_petId(petId=1, body_petId=2, name='x', age=1)");
  REQUIRE_MESSAGE(request.ok(), request.error().to_string());
  CHECK(request->body == R"({"name":"x","petId":2,"age":1})");
  CHECK(*http::find_header(request->headers, "Authorization") == "Basic bWU6cHc=");
  CHECK_FALSE(request_of(*skill, "pets.put_pets_petId(petId=1, name='x', age=0)").ok());
}

TEST_CASE("openapi: the skill that comes out is an ordinary skill file") {
  auto skill = read(petstore);
  REQUIRE(skill.ok());
  const auto text = skill_to_json(*skill).dump();
  auto again = parse_skill(text);
  REQUIRE_MESSAGE(again.ok(), again.error().to_string());
  CHECK(skill_to_json(*again).dump() == text);
}

TEST_CASE("openapi: include and exclude choose, and what they name must exist and work") {
  CHECK(read(petstore, {.include = {"getPet"}})->functions.size() == 1);
  CHECK(read(petstore, {.include = {"GET /pets*"}})->functions.size() == 2);
  CHECK(read(petstore, {.exclude = {"getPet"}})->functions.size() == 2);
  auto wrong = read(petstore, {.include = {"getPets"}});
  REQUIRE_FALSE(wrong.ok());
  CHECK(wrong.error().hint() == "did you mean 'getPet'?");
  auto impossible = read(petstore, {.include = {"add pet"}});
  REQUIRE_FALSE(impossible.ok());
  CHECK(impossible.error().message().find("paths./pets.post.requestBody") != std::string::npos);
  auto named = read(petstore, {.secrets = {{"key", "PET_KEY"}}});
  REQUIRE(named.ok());
  CHECK(function_of(*named, "getPet").http.headers.at(1).second == "${PET_KEY}");
}

TEST_CASE("openapi: a document cannot reach another host, file or path") {
  const auto with = [](const std::string& from, const std::string& to) {
    std::string text = petstore;
    text.replace(text.find(from), from.size(), to);
    return read(text, {.include = {"getPet"}});
  };
  CHECK_FALSE(
      with("    get:\n      operationId: getPet",
           "    get:\n      servers: [{url: 'https://evil.example'}]\n      operationId: getPet")
          .ok());
  CHECK_FALSE(with("{type: integer, minimum: 1}", "{$ref: 'other.yaml#/x'}").ok());
  CHECK_FALSE(with("{type: integer, minimum: 1}", "{$ref: 'file:///etc/passwd'}").ok());
  CHECK_FALSE(with("name: X-Key", "name: Host").ok());
  CHECK_FALSE(with("https://{region}.example.com/v1/", "ftp://x/").ok());
  CHECK_FALSE(with("https://{region}.example.com/v1/", "/v1").ok());
  CHECK_FALSE(with("openapi: 3.0.3", "swagger: '2.0'").ok());
}

TEST_CASE("openapi: a skill file names its document, beside it only") {
  const auto folder =
      (std::filesystem::temp_directory_path() / ("openapi" + new_run_id())).string();
  const auto path = files::join(folder, "pets.json");
  REQUIRE(files::write_atomic(files::join(folder, "pets.yaml"), petstore).ok());
  const auto write = [&](const std::string& rest) {
    REQUIRE(
        files::write_atomic(path, R"({"slipway_skill": 1, "name": "pets", )" + rest + "}").ok());
    return load_skill_file(path);
  };
  auto good = write(R"("openapi": "pets.yaml", "functions": {"getPet":
    {"permission": "deny", "reply": "It is {{ result.name }}.", "timeout_ms": 5}})");
  REQUIRE_MESSAGE(good.ok(), good.error().to_string());
  CHECK(function_of(*good, "getPet").permission == Permission::deny);
  CHECK(function_of(*good, "getPet").http.timeout_ms == 5);
  CHECK(function_of(*good, "getPet").http.idempotent);
  CHECK_FALSE(write(R"("openapi": "../pets.yaml")").ok());
  CHECK_FALSE(write(R"("openapi": "/etc/passwd")").ok());
  CHECK_FALSE(write(R"("openapi": "pets.yaml", "functions": {"getPat": {}})").ok());
  CHECK_FALSE(write(R"("openapi": "pets.yaml", "tools": [])").ok());
  CHECK_FALSE(parse_skill(R"({"slipway_skill": 1, "name": "p", "openapi": "pets.yaml"})").ok());
  auto bare = parse_skill(R"({"openapi": "3.0.0", "paths": {}})");
  REQUIRE_FALSE(bare.ok());
  CHECK(bare.error().hint().find("\"openapi\"") != std::string::npos);
  CHECK(files::remove_all(folder).ok());
}

TEST_CASE("openapi: a large schema that many parameters refer to is not copied for each") {
  auto numbers = json::Value::array();
  for (int i = 0; i < 5000; ++i) numbers.push_back(i);
  auto big = json::Value::object(), properties = json::Value::object();
  big.set("enum", std::move(numbers));
  for (int i = 0; i < 40; ++i)
    properties.set("p" + std::to_string(i), *json::parse(R"({"$ref": "#/big"})"));
  auto document = json::Value::object();
  document.set("big", big).set("type", "object").set("properties", std::move(properties));
  SchemaImport import{.document = document};
  const auto imported = import_schema(document, "it", import);
  REQUIRE(imported.ok());
  CHECK(imported->get("properties")->get("p0")->get("enum"));
  CHECK(imported->dump().size() < 5 * big.dump().size());
  CHECK_FALSE(import.notes.empty());
}

TEST_CASE("openapi: mutated documents are read or refused with a place, never worse") {
  std::mt19937_64 random(20240601);
  const std::string source = petstore;
  static constexpr std::string_view pieces[] = {"{",    "}",  "[",     "]",   ": ",   "- ",
                                                "&a ",  "*a", "'",     "\"",  "$ref", "null",
                                                "\n  ", "#/", "allOf", "\xff"};
  for (int i = 0; i < testing::mutations(300); ++i) {
    auto text = source;
    for (int edits = 1 + static_cast<int>(random() % 4); edits > 0; --edits) {
      const auto at = random() % text.size();
      const auto piece = pieces[random() % std::size(pieces)];
      switch (random() % 4) {
        case 0:
          text.erase(at, 1 + random() % 20);
          break;
        case 1:
          text.insert(at, piece);
          break;
        case 2:
          text.replace(at, std::min<size_t>(piece.size(), text.size() - at), piece);
          break;
        default:
          text.insert(at, text.substr(random() % text.size(), random() % 60));
      }
    }
    INFO("mutation ", i);
    auto skill = read(text);
    if (!skill.ok()) CHECK_FALSE(skill.error().message().empty());
    if (skill.ok()) CHECK(parse_skill(skill_to_json(*skill).dump()).ok());
  }
}

}  // namespace slipway::skill
