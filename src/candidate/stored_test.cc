#include "candidate/stored.h"

#include <doctest/doctest.h>

using namespace slipway;
using namespace slipway::candidate;

namespace {

Candidate example() {
  const auto skill = skill::parse_skill(R"({
    "slipway_skill": 1, "name": "timer", "base_url": "http://localhost:9",
    "tools": [{"type": "function", "function": {"name": "set", "description": "d", "parameters": {
      "type": "object",
      "properties": {"zone": {"type": "string"}, "after": {"type": "integer", "default": 3}},
      "required": ["zone"]}}}],
    "functions": {"set": {"permission": "confirm", "reply": "ok",
                          "http": {"method": "POST", "path": "/set"}}}})");
  REQUIRE(skill.ok());
  auto skills = std::make_shared<skill::SkillSet>();
  REQUIRE(skills->add(*skill).ok());
  Candidate made;
  made.name = "c";
  made.model = {"m", "aa", {"bb", "cc"}};
  made.prompt = {"p", "=== user\n{{ input }} é"};
  made.skills = skills;
  made.constrain = true;
  made.grammar.form = skill::CallForm::qwen;
  made.decoding.seed = ~uint64_t{0};
  made.decoding.temperature = 0.7;
  made.decoding.tries = 8;
  made.decoding.stop = {"\n"};
  made.min_confidence = 0.25;
  made.list_functions = 8;
  return made;
}

}  // namespace

TEST_CASE("what is stored reads back to the same candidate, parameters in their order") {
  const auto made = example();
  auto again = read_candidate(stored_text(made), "c");
  REQUIRE(again.ok());
  CHECK(again->id() == made.id());
  CHECK(stored_text(*again) == stored_text(made));
  CHECK(again->decoding.seed == made.decoding.seed);
  CHECK(again->decoding.tries == 8);
  CHECK(again->skills->functions().at(0)->parameters.at(0).name == "zone");
  CHECK(constraint_of(*again)->fingerprint() == constraint_of(made)->fingerprint());
  Candidate plain;
  plain.skills = std::make_shared<skill::SkillSet>();
  CHECK(read_candidate(stored_text(plain), "plain")->id() == plain.id());
}

TEST_CASE("what cannot be read whole is refused") {
  auto newer = example().to_json();
  newer.set("retrieval", "corpus");
  auto broken = example().to_json();
  broken.erase("skills");
  for (const auto& text : {newer.dump(), broken.dump(), std::string("{"), std::string("{}")}) {
    const auto read = read_candidate(text, "c");
    REQUIRE_FALSE(read.ok());
    CHECK(read.error().code() == ErrorCode::corrupt);
  }
}
