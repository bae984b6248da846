#include "dataset/bfcl.h"

#include <doctest/doctest.h>

#include "base/files.h"
#include "skill/signature.h"

using namespace slipway;
using namespace slipway::dataset;

namespace {

json::Value parsed(const char* text) {
  auto value = json::parse(text);
  REQUIRE(value.ok());
  return *value;
}

const char* row =
    R"({"id": "live_simple_0", "question": [[{"role": "user", "content": "weather in Oslo"}]],
  "function": [{"name": "api.v1.get", "description": "the weather", "parameters": {"type": "dict",
    "required": ["place"], "properties": {
      "place": {"type": "string", "description": "where"},
      "año": {"type": "integer", "default": "none"},
      "unit": {"type": "string", "enum": ["C", "F"], "default": "C"},
      "at": {"type": "tuple", "items": {"type": "float"}},
      "more": {"type": "any"},
      "o": {"type": "dict", "properties": {"x y": {"type": "float", "default": 1}}, "default": {}}}}}]})";

}  // namespace

TEST_CASE("a case becomes a row with functions of its own") {
  auto example = bfcl_example("live_simple", parsed(row),
                              parsed(R"([{"api.v1.get": {"place": ["Oslo"], "año": [""]}}])"));
  REQUIRE_MESSAGE(example.ok(), example.error().to_string());
  CHECK(example->id == "live_simple_0");
  CHECK(example->input == "weather in Oslo");
  CHECK(example->tags == std::vector<std::string>{"live_simple"});
  CHECK(example->output == R"([{"api.v1.get":{"place":["Oslo"],"a__o":[""]}}])");
  auto skill = skill::parse_tools(*example->context.get("functions"));
  REQUIRE_MESSAGE(skill.ok(), skill.error().to_string());
  const auto& function = skill->functions.at(0);
  CHECK(function.qualified_name() == "api.v1.get");
  CHECK(function.find("place")->required);
  CHECK(*function.find("unit")->default_value == json::Value("C"));
  CHECK_FALSE(function.find("a__o")->default_value.has_value());  // no integer
  CHECK(function.find("at")->schema.text("type") == "array");
  CHECK(function.find("more")->schema.get("type") == nullptr);
  CHECK(function.find("o")->schema.get("properties")->get("x y")->text("type") == "number");
}

TEST_CASE("what is right without an accepted answer is told by the category") {
  CHECK(bfcl_example("live_irrelevance", parsed(row), {})->output == "none()");
  CHECK(bfcl_example("live_relevance", parsed(row), {})->output == "any()");
  CHECK_FALSE(bfcl_example("live_simple", parsed(row), {}).ok());
  CHECK_FALSE(
      bfcl_example("live_simple", parsed(R"({"id": "x", "question": [], "function": []})"), {})
          .ok());
}

TEST_CASE("a folder without categories is refused") {
  CHECK(import_bfcl("/nonexistent").error().code() == ErrorCode::not_found);
}

TEST_CASE("every live case can be imported") {
  const std::string folder = "../shared/data/bfcl";
  if (!files::exists(folder)) {
    MESSAGE("skipped: no ", folder);
    return;
  }
  auto imported = import_bfcl(folder);
  REQUIRE_MESSAGE(imported.ok(), imported.error().to_string());
  size_t rows = 0;
  for (const auto& file : *imported) rows += file.examples.size();
  CHECK(imported->size() == 6);
  CHECK(rows == 884 + 1053 + 16 + 24 + 16 + 258);
}
