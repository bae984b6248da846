#include "skill/said.h"

#include <doctest/doctest.h>

#include "skill/grammar.h"
#include "skill/test_skills.h"

namespace slipway::skill {
namespace {

using Constraint = model::Constraint;

std::shared_ptr<const Constraint> music(const GrammarOptions& options = {}) {
  static const char* const file = R"({"slipway_skill": 1, "name": "music", "tools": [
      {"type": "function", "function": {"name": "play", "parameters": {"type": "object", "properties": {
        "title": {"type": "string", "x-slipway-said": true},
        "artist": {"type": "string", "x-slipway-said": true},
        "tracks": {"x-slipway-said": true, "anyOf": [{"type": "string"},
                   {"type": "array", "minItems": 2, "items": {"type": "string"}}]},
        "note": {"type": "string"}}}}}]})";
  auto skill = parse_skill(file);
  REQUIRE_MESSAGE(skill.ok(), skill.error().to_string());
  SkillSet skills;
  REQUIRE(skills.add(std::move(*skill)).ok());
  return call_grammar(skills, options);
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("said: what is a run of whole words") {
  const Texts texts{"Play  Baby Shark, by AC/DC at 7 p.m. or 8 p.m., c'est l'été!"};
  for (const char* value :
       {"play", "baby shark", "shark, by", "shark by", "ac/dc", "ac dc", "7 p.m.", "p.m", "8 p.m.",
        "l'été", "été", "play baby shark, by ac/dc at 7 p.m. or 8 p.m., c'est l'été"}) {
    CHECK_MESSAGE(is_said(value, texts), value);
  }
  for (const char* value : {"", " ", "bab", "aby", "baby sharks", "Baby", "shark,", "baby  shark",
                            "babyshark", "shark ", " shark", "été!", "play shark", "t"}) {
    CHECK_MESSAGE(!is_said(value, texts), value);
  }
  CHECK(is_said("b a", {"a b", "b a"}));
  CHECK_FALSE(is_said("a b", {"a", "b"}));
  CHECK_FALSE(is_said("a", {}));
  CHECK_FALSE(is_said("\xff", {"\xff"}));
}

TEST_CASE("said: where no spaces are written, characters are words") {
  const Texts texts{"播放小苹果", "play “天空” now"};
  for (const char* value : {"小苹果", "播放", "天空", "play 天空"})
    CHECK_MESSAGE(is_said(value, texts), value);
  CHECK_FALSE(is_said("播小", texts));
  CHECK_FALSE(is_said("\xe5\xb0", texts));
}

TEST_CASE("said: marked parameters take what was said, others anything") {
  const auto own = as_said(music(), {"play It's Raining Men \\o/ please"});
  for (const char* text :
       {"none()", "music.play(title='it\\'s raining men')", "music.play()",
        "music.play(title='men \\\\o', note='whatever \\'this\\' is')",
        "music.play(tracks='men', note='raining')", "music.play(tracks=['men', 'it'])",
        "music.play(artist='men', note='x')\nmusic.play(title='please')"}) {
    CHECK_MESSAGE(fits(*own, text), text);
  }
  for (const char* text :
       {"music.play(title='')", "music.play(title='it\\'s raining men", "music.play(title='me')",
        "music.play(title='raining cats')", "music.play(artist='men')\nmusic.play(title='women')",
        "music.play(tracks=['men', 'women'])", "music.play(title='\\n')", "music.play(note='')"}) {
    CHECK_MESSAGE(!fits(*own, text), text);
  }
  const auto json = as_said(music({.form = CallForm::qwen}), {"play \"Help!\" by the beatles"});
  const auto call = [](const std::string& title) {
    return "<tool_call>\n{\"name\": \"music.play\", \"arguments\": {\"title\": " + title +
           "}}\n</tool_call>";
  };
  CHECK(fits(*json, call("\"help\"")));
  CHECK(fits(*json, call("\"play \\\"help!\\\" by\"")));
  CHECK_FALSE(fits(*json, call("\"helper\"")));
}

TEST_CASE("said: a grammar that it does not concern stays itself") {
  const auto home = call_grammar(testing::home());
  CHECK(as_said(home, {"play"}) == home);
  CHECK(as_said(nullptr, {"play"}) == nullptr);
  const auto grammar = music();
  CHECK(as_said(grammar, {}) == grammar);
  CHECK(as_said(grammar, {"...", "\xff"}) == grammar);
  CHECK(as_said(grammar, {"a"})->fingerprint() != as_said(grammar, {"b"})->fingerprint());
}

TEST_CASE("said: every way on leads to an end") {
  testing::Random random(7);
  const std::string alphabet = "ab .'\"\\/\t5-\xc3\xa9";
  for (int round = 0; round < 200; ++round) {
    std::string text;
    for (size_t n = testing::below(random, 12); n > 0; --n)
      text += alphabet[testing::below(random, 11)];
    const auto own = as_said(music(), {text, "x"});
    std::string written = "music.play(title='";
    auto state = own->start();
    for (const unsigned char byte : written) state = own->next(state, byte);
    while (!own->accepts(state)) {
      std::vector<unsigned char> allowed;
      for (int byte = 0; byte < 256; ++byte) {
        if (own->next(state, static_cast<unsigned char>(byte)) != Constraint::dead)
          allowed.push_back(static_cast<unsigned char>(byte));
      }
      REQUIRE_MESSAGE(!allowed.empty(), "a dead end after ", written, " of ", text);
      if (written.size() > 200) break;  // a note may be long
      written += static_cast<char>(allowed[testing::below(random, allowed.size())]);
      state = own->next(state, static_cast<unsigned char>(written.back()));
    }
  }
}

}  // namespace slipway::skill
