#include "eval/call_counts.h"

#include <algorithm>

namespace slipway::eval {
namespace {

bool is_default(const skill::Argument& argument, const skill::Function* function) {
  const auto* parameter = function ? function->find(argument.name) : nullptr;
  return parameter && !parameter->required && parameter->default_value &&
         *parameter->default_value == argument.value;
}

std::vector<skill::Argument> significant(const skill::Call& call, const skill::SkillSet& skills) {
  const auto* function = skills.find(call.function);
  auto arguments = call.arguments;
  std::erase_if(arguments, [&](const auto& a) { return is_default(a, function); });
  return arguments;
}

int64_t count_arguments(const std::vector<skill::Call>& calls, const skill::SkillSet& skills) {
  int64_t count = 0;
  for (const auto& call : calls) count += static_cast<int64_t>(significant(call, skills).size());
  return count;
}

int64_t count_right(const skill::Call& wanted, const skill::Call& got,
                    const skill::SkillSet& skills) {
  const auto given = significant(got, skills);
  int64_t right = 0;
  for (const auto& argument : significant(wanted, skills)) {
    right += std::any_of(given.begin(), given.end(), [&](const auto& other) {
      return other.name == argument.name && other.value == argument.value;
    });
  }
  return right;
}

}  // namespace

CallCounts count_nothing(const std::vector<skill::Call>& wanted, const skill::SkillSet& skills) {
  CallCounts counts;
  counts.arguments_expected = count_arguments(wanted, skills);
  counts.no_call_expected = wanted.empty();
  return counts;
}

CallCounts count_calls(const std::vector<skill::Call>& wanted, const std::vector<skill::Call>& got,
                       const skill::SkillSet& skills) {
  auto counts = count_nothing(wanted, skills);
  counts.arguments_given = count_arguments(got, skills);
  counts.no_call_given = got.empty();
  counts.functions_right =
      std::equal(wanted.begin(), wanted.end(), got.begin(), got.end(),
                 [](const auto& a, const auto& b) { return a.function == b.function; });
  std::vector<bool> used(got.size(), false);
  for (const auto& call : wanted) {
    for (size_t i = 0; i < got.size(); ++i) {
      if (used[i] || got[i].function != call.function) continue;
      used[i] = true;
      counts.arguments_right += count_right(call, got[i], skills);
      break;
    }
  }
  return counts;
}

json::Value CallCounts::to_json() const {
  auto value = json::Value::object();
  value.set("functions_right", functions_right)
      .set("arguments_right", arguments_right)
      .set("arguments_given", arguments_given)
      .set("arguments_expected", arguments_expected)
      .set("no_call_expected", no_call_expected)
      .set("no_call_given", no_call_given);
  return value;
}

std::optional<CallCounts> read_counts(const json::Value& detail) {
  const auto* stored = detail.get("calls");
  if (!stored || !stored->is_object()) return std::nullopt;
  const auto count = [&](const char* key) { return static_cast<int64_t>(stored->number(key)); };
  CallCounts counts;
  counts.functions_right = stored->flag("functions_right");
  counts.arguments_right = count("arguments_right");
  counts.arguments_given = count("arguments_given");
  counts.arguments_expected = count("arguments_expected");
  counts.no_call_expected = stored->flag("no_call_expected");
  counts.no_call_given = stored->flag("no_call_given");
  return counts;
}

}  // namespace slipway::eval
