// Call text in every form.
#include <algorithm>

#include "skill/call.h"
#include "skill/call_form.h"
#include "skill/grammar.h"
#include "skill/test_skills.h"
#include "targets.h"

namespace slipway::fuzz {
namespace {

using Fault = std::optional<std::string>;

// "call, line 1, column 7: ..."
bool has_place(const std::string& message) {
  const auto number_at = [&](size_t at) {
    const auto start = at;
    while (at < message.size() && message[at] >= '0' && message[at] <= '9') ++at;
    return at > start ? at : std::string::npos;
  };
  constexpr std::string_view line = "call, line ", column = ", column ";
  if (!message.starts_with(line)) return false;
  const auto after_line = number_at(line.size());
  if (after_line == std::string::npos || !message.substr(after_line).starts_with(column))
    return false;
  const auto after_column = number_at(after_line + column.size());
  return after_column != std::string::npos && message.substr(after_column).starts_with(": ");
}

Fault run(const std::string& text, skill::CallForm form, const skill::SkillSet& skills,
          bool& accepted) {
  const auto calls = skill::parse_form(text, form);
  accepted = calls.ok();
  if (!calls.ok()) {
    if (has_place(calls.error().message())) return {};
    return "a rejection without a position: " + calls.error().message();
  }
  for (const auto& call : *calls) {
    const auto checked = skill::check_call(call, skills);
    if (!checked.ok()) continue;
    const auto canonical = skill::print_call(*checked, skills);
    const auto back = skill::parse_calls(canonical);
    if (!back.ok() || back->size() != 1) return "canonical text is not read: " + canonical;
    const auto again = skill::check_call((*back)[0], skills);
    if (!again.ok() || skill::print_call(*again, skills) != canonical)
      return "canonical text is not stable: " + canonical;
  }
  return {};
}

std::vector<std::string> corpus_of(skill::CallForm form, const skill::SkillSet& skills) {
  skill::testing::Random random(3);
  std::vector<std::string> corpus;
  for (int i = 0; i < 60; ++i) {
    std::vector<skill::Call> calls;
    for (int k = skill::testing::below(random, 4); k > 0; --k)
      calls.push_back(skill::testing::random_call(random, skills));
    corpus.push_back(skill::print_form(calls, skills, form));
  }
  corpus.emplace_back("I cannot do that.");
  corpus.emplace_back("```json\n{\"name\": \"home.get_time\"}\n```");
  corpus.emplace_back("[TOOL_CALLS]home.get_time[ARGS]{}");
  return corpus;
}

}  // namespace

std::vector<Target> call_targets() {
  const std::vector<std::string> dictionary = {"<tool_call>",
                                               "</tool_call>",
                                               "<|python_tag|>",
                                               "[TOOL_CALLS]",
                                               "[ARGS]",
                                               "<start_function_call>",
                                               "<end_function_call>",
                                               "<escape>",
                                               "call:",
                                               "\"name\": ",
                                               "\"arguments\": ",
                                               "\"parameters\": ",
                                               "home.get_weather",
                                               "none()",
                                               "location=",
                                               "null",
                                               "True",
                                               "-0",
                                               "1e999",
                                               "0.1e-3",
                                               "9223372036854775808",
                                               "\\ud83d\\ude42",
                                               "\\ud800",
                                               "```",
                                               "\xc2\x85",
                                               "\xf0\x9f\x99\x82",
                                               "\xff",
                                               "\\'",
                                               "''",
                                               "{}",
                                               "[]",
                                               "\n",
                                               ";",
                                               ", "};
  std::vector<Target> all;
  for (const auto& name : skill::form_names()) {
    const auto form = *skill::form_named(name);
    const auto skills = skill::testing::home();
    all.push_back({"call-" + name, corpus_of(form, skills), dictionary,
                   [form, skills](const std::string& text, bool& accepted) {
                     return run(text, form, skills, accepted);
                   }});
  }
  return all;
}

}  // namespace slipway::fuzz
