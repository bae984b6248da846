#include "candidate/retrieval.h"

#include <doctest/doctest.h>

#include "candidate/prompt.h"

using namespace slipway;
using namespace slipway::candidate;

namespace {

skill::SkillSet house() {
  const char* file = R"({"slipway_skill": 1, "name": "NAME", "base_url": "http://127.0.0.1:1",
    "tools": [{"type": "function", "function": {"name": "FUNCTION", "description": "ABOUT",
      "parameters": {"type": "object", "properties": {}}}}], "functions": {}})";
  skill::SkillSet skills;
  const auto add = [&](const std::string& name, const std::string& function,
                       const std::string& about) {
    std::string text = file;
    text.replace(text.find("NAME"), 4, name);
    text.replace(text.find("FUNCTION"), 8, function);
    text.replace(text.find("ABOUT"), 5, about);
    auto skill = skill::parse_skill(text);
    REQUIRE(skill.ok());
    REQUIRE(skills.add(std::move(*skill)).ok());
  };
  add("lights", "dim", "Make a lamp less bright.");
  add("music", "play", "Play a song by its title.");
  add("weather", "get_weather", "The weather at a place.");
  add("timers", "set_timer", "Start a timer for a while.");
  return skills;
}

std::vector<std::string> names(const skill::SkillSet& skills, const char* request, int most) {
  std::vector<std::string> all;
  for (const auto* function : worth_listing(skills, request, most))
    all.push_back(function->qualified_name());
  return all;
}

}  // namespace

TEST_CASE("the functions whose words are nearest are listed, in the skills' order") {
  const auto skills = house();
  CHECK(names(skills, "play some songs", 1) == std::vector<std::string>{"music.play"});
  CHECK(names(skills, "a TIMER, and then the weather", 2) ==
        std::vector<std::string>{"weather.get_weather", "timers.set_timer"});
  CHECK(names(skills, "dim the lights", 1) == std::vector<std::string>{"lights.dim"});
  CHECK(names(skills, "xyzzy", 2) == std::vector<std::string>{"lights.dim", "music.play"});
  CHECK(names(skills, "", 0).size() == 4);
  CHECK(names(skills, "play", 9).size() == 4);
}

TEST_CASE("a prompt lists what is worth it, as functions and as tools") {
  const auto skills = house();
  const Prompt prompt{"p",
                      "{% for f in functions %}{{ f.name }} {% endfor %}|"
                      "{% for t in tools %}{{ t.function.name }} {% endfor %}"};
  const auto messages = render_prompt(prompt, {.text = "play a song"}, skills, 1);
  REQUIRE(messages.ok());
  CHECK(messages->front().content == "music.play |music.play");
}
