#include "candidate/candidate.h"

#include <doctest/doctest.h>

using namespace slipway;
using namespace slipway::candidate;

namespace {

Candidate plain() {
  Candidate c;
  c.name = "a";
  c.model = {"m", "00ff", {}};
  c.prompt = {"p", "{{ input }}"};
  c.skills = std::make_shared<skill::SkillSet>();
  return c;
}

}  // namespace

TEST_CASE("the id is the hash of the parts and of nothing else") {
  const auto a = plain();
  auto renamed = plain();
  renamed.name = "b";
  CHECK(a.id() == renamed.id());
  CHECK(a.id().size() == 64);

  auto prompt = plain();
  prompt.prompt.source += " ";
  CHECK(prompt.id() != a.id());
  auto decoding = plain();
  decoding.decoding.max_tokens += 1;
  CHECK(decoding.id() != a.id());
  auto adapter = plain();
  adapter.model.adapter_sha256 = {"11"};
  CHECK(adapter.id() != a.id());
  auto constrained = plain();
  constrained.constrain = true;
  CHECK(constrained.id() != a.id());
}

TEST_CASE("a candidate without known weights is unpinned") {
  auto c = plain();
  CHECK(c.pinned());
  c.model.weights_sha256.clear();
  CHECK_FALSE(c.pinned());
}

TEST_CASE("a request carries messages, decoding and the constraint") {
  auto c = plain();
  c.decoding.stop = {"\n"};
  auto request = make_request(c, {.text = "hello"}, nullptr);
  REQUIRE(request.ok());
  CHECK(request->messages.at(0).content == "hello");
  CHECK(request->decoding.stop.at(0) == "\n");
  CHECK(request->constraint == nullptr);
}

TEST_CASE("arguments may be copied from the request, earlier turns and the context") {
  auto c = plain();
  auto skill = skill::parse_skill(R"({"slipway_skill": 1, "name": "music", "tools": [
      {"type": "function", "function": {"name": "play", "parameters": {"type": "object", "properties": {
        "title": {"type": "string", "x-slipway-said": true}}}}}]})");
  REQUIRE(skill.ok());
  auto skills = std::make_shared<skill::SkillSet>();
  REQUIRE(skills->add(std::move(*skill)).ok());
  c.skills = skills;
  c.constrain = true;
  Input input{"Play her favourite", {{"user", "do you know jolene"}}, {}};
  input.context = *json::parse(R"json({"memory": {"mia's favourite song": "valerie"}, "room": "kitchen",
      "turns": [{"input": "more abba", "output": "music.play(title='fernando')"}]})json");
  auto request = make_request(c, input, constraint_of(c));
  REQUIRE(request.ok());
  const auto may_write = [&](const std::string& title) {
    return fits(*request->constraint, "music.play(title='" + title + "')");
  };
  for (const char* title : {"her favourite", "jolene", "valerie", "kitchen", "abba", "fernando"})
    CHECK_MESSAGE(may_write(title), title);
  for (const char* title : {"Play", "jolen", "song", "music.play", "title", "waterloo"})
    CHECK_MESSAGE(!may_write(title), title);
}

TEST_CASE("the form of calls is part of the id, and ours leaves ids as they were") {
  const auto a = plain();
  CHECK(a.to_json().get("call_language")->get("form") == nullptr);
  auto qwen = plain();
  qwen.grammar.form = skill::CallForm::qwen;
  CHECK(qwen.id() != a.id());
  auto fewer = plain();
  fewer.grammar.max_calls = 1;
  CHECK(fewer.id() != a.id());
}

namespace {

std::shared_ptr<const skill::SkillSet> timers(const std::string& extra) {
  auto skill = skill::parse_skill(
      R"({"slipway_skill": 1, "name": "t", "tools": [{"function": {"name": "set", "parameters": )"
      R"({"properties": {"duration": {"type": "string")" +
      extra + R"(}}, "required": ["duration"]}}}]})");
  REQUIRE_MESSAGE(skill.ok(), skill.error().to_string());
  auto skills = std::make_shared<skill::SkillSet>();
  REQUIRE(skills->add(std::move(*skill)).ok());
  return skills;
}

}  // namespace

TEST_CASE("a normaliser is part of the id, and no prompt shows it") {
  auto without = plain(), with = plain(), other = plain();
  without.prompt.source = "{{ tools | tojson }} {{ functions | tojson }} {{ input }}";
  with.prompt = other.prompt = without.prompt;
  without.skills = timers("");
  with.skills = timers(R"(, "x-slipway-normalise": "duration_seconds")");
  other.skills = timers(R"(, "x-slipway-normalise": "duration_ms")");
  CHECK(with.id() != without.id());
  CHECK(with.id() != other.id());
  const auto shown = make_request(with, {.text = "hello"}, nullptr);
  REQUIRE(shown.ok());
  CHECK(shown->messages.at(0).content ==
        make_request(without, {.text = "hello"}, nullptr)->messages.at(0).content);
  CHECK(skill::call_grammar(*with.skills)->fingerprint() ==
        skill::call_grammar(*without.skills)->fingerprint());
}

TEST_CASE("what a model writes in its family's form becomes our call language") {
  auto c = plain();
  c.skills = timers("");
  c.grammar.form = skill::CallForm::qwen;
  const auto settled = [&](const std::string& text) { return settle(c, {.text = "x"}, text, 0); };
  CHECK(settled("<tool_call>\n{\"name\": \"t.set\", \"arguments\": {\"duration\": \"an hour\"}}\n"
                "</tool_call>")
            .text == "t.set(duration='an hour')");
  CHECK(settled("Sorry, no.").text == "none()");
  const auto broken = settled("<tool_call>{");
  CHECK(broken.text == "<tool_call>{");
  REQUIRE(broken.unread);
  CHECK(broken.unread->message().find("line 1, column 13") != std::string::npos);
  c.skills = std::make_shared<skill::SkillSet>();  // a task without calls: text stays text
  CHECK(settled("Sorry, no.").text == "Sorry, no.");
}
