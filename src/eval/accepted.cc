#include "eval/accepted.h"

#include <algorithm>

#include "base/text.h"

namespace slipway::eval {
namespace {

using json::Value;

bool may_be_omitted(const Value& accepted) {
  const auto& list = accepted.as_array();
  return std::any_of(list.begin(), list.end(),
                     [](const auto& v) { return v.is_string() && v.as_string().empty(); });
}

Value standardised(const Value& value) {
  if (value.is_string()) return Value(standardise(value.as_string()));
  if (!value.is_array()) return value;
  auto list = Value::array();
  for (const auto& item : value.as_array()) list.push_back(standardised(item));
  return list;
}

bool equal_after_standardising(const Value& value, const Value& accepted) {
  const auto& list = accepted.as_array();
  const auto wanted = standardised(value);
  return std::any_of(list.begin(), list.end(),
                     [&](const auto& one) { return standardised(one) == wanted; });
}

// Members as the accepted object has them: each a list of values, "" for one that may be absent.
bool object_fits(const Value& value, const Value& accepted) {
  if (!value.is_object() || !accepted.is_object()) return false;
  for (const auto& [key, member] : value.as_object()) {
    const auto* values = accepted.get(key);
    if (!values || !values->is_array() || !equal_after_standardising(member, *values)) return false;
  }
  return std::all_of(accepted.as_object().begin(), accepted.as_object().end(), [&](const auto& m) {
    return value.get(m.first) || (m.second.is_array() && may_be_omitted(m.second));
  });
}

bool objects_fit(const Value& value, const Value& accepted) {
  if (!accepted.is_array() || value.size() != accepted.size()) return false;
  return std::equal(value.as_array().begin(), value.as_array().end(), accepted.as_array().begin(),
                    object_fits);
}

bool is_list_of_objects(const Value& value) {
  return value.is_array() && value.size() > 0 && value.as_array().front().is_object();
}

bool same_kind(const Value& a, const Value& b) {
  return a.kind() == b.kind() || (a.is_integer() && b.kind() == json::Kind::number);
}

// The type the schema wants, or the type of the accepted values where those differ; an integer may
// stand for a number.
bool type_fits(const Value& value, const Value& schema, const Value& accepted) {
  const auto type = schema.text("type");
  if (type.empty() || (type == "string" && value.is_string()) ||
      (type == "integer" && value.is_integer()) || (type == "number" && value.is_number()) ||
      (type == "boolean" && value.is_bool()) || (type == "array" && value.is_array()) ||
      (type == "object" && value.is_object())) {
    return true;
  }
  const auto& list = accepted.as_array();
  const auto first = std::find_if(list.begin(), list.end(), [](const auto& v) {
    return !v.is_string() || !v.as_string().empty();
  });
  return first != list.end() && same_kind(value, *first);
}

bool value_fits(const Value& value, const Value& schema, const Value& accepted) {
  if (!accepted.is_array() || !type_fits(value, schema, accepted)) return false;
  const auto& list = accepted.as_array();
  const auto any = [&](auto fits) {
    return std::any_of(list.begin(), list.end(), [&](const auto& one) { return fits(value, one); });
  };
  if (value.is_object()) return any(object_fits);
  if (is_list_of_objects(value)) return any(objects_fit);
  return equal_after_standardising(value, accepted);
}

// One given call against one accepted one.
struct Fit {
  int64_t right = 0, expected = 0;
  std::string reason;  // empty: it fits
};

Fit fit(const AcceptedCall& wanted, const skill::Call& call, const skill::Function& function) {
  Fit result;
  const auto fail = [&](const std::string& why) {
    if (result.reason.empty()) result.reason = why;
  };
  for (const auto& argument : call.arguments) {
    const auto* accepted = wanted.arguments.get(argument.name);
    const auto* parameter = function.find(argument.name);
    if (!accepted || !parameter) {
      fail("'" + argument.name + "' is not expected");
    } else if (!value_fits(argument.value, parameter->schema, *accepted)) {
      fail("'" + argument.name + "' is " + skill::print_value(argument.value) + ", accepted " +
           skill::print_value(*accepted));
    } else {
      result.right += 1;
    }
  }
  for (const auto& [name, accepted] : wanted.arguments.as_object()) {
    const bool given = std::any_of(call.arguments.begin(), call.arguments.end(),
                                   [&, n = &name](const auto& a) { return a.name == *n; });
    result.expected += given || !may_be_omitted(accepted);
    if (!given && !may_be_omitted(accepted)) fail("'" + name + "' is missing");
  }
  return result;
}

int64_t required_arguments(const AcceptedCall& call) {
  const auto& members = call.arguments.as_object();
  return std::count_if(members.begin(), members.end(),
                       [](const auto& m) { return !may_be_omitted(m.second); });
}

bool same_functions(const Accepted& accepted, const std::vector<skill::Call>& calls) {
  std::vector<std::string> wanted, got;
  for (const auto& call : accepted.calls) wanted.push_back(call.function);
  for (const auto& call : calls) got.push_back(call.function);
  std::sort(wanted.begin(), wanted.end());
  std::sort(got.begin(), got.end());
  return wanted == got;
}

// In any order: each accepted call takes the first given one that fits, else the nearest of its
// function for the counts.
void pair_up(const Accepted& accepted, const std::vector<skill::Call>& calls,
             const skill::SkillSet& skills, Match& result) {
  std::vector<bool> used(calls.size(), false);
  for (const auto& wanted : accepted.calls) {
    const auto* function = skills.find(wanted.function);
    std::optional<size_t> best;
    Fit nearest{-1, required_arguments(wanted), "no call of " + wanted.function};
    for (size_t i = 0; i < calls.size() && function; ++i) {
      if (used[i] || calls[i].function != wanted.function) continue;
      auto tried = fit(wanted, calls[i], *function);
      const bool fits = tried.reason.empty();
      if (fits || tried.right > nearest.right) best = i, nearest = std::move(tried);
      if (fits) break;
    }
    if (best) used[*best] = true;
    result.counts.arguments_right += std::max<int64_t>(nearest.right, 0);
    result.counts.arguments_expected += nearest.expected;
    if (result.reason.empty() && !nearest.reason.empty())
      result.reason = wanted.function + ": " + nearest.reason;
  }
}

}  // namespace

std::string standardise(std::string_view text) {
  constexpr std::string_view dropped = " ,./-_*^";
  std::string kept;
  for (char c : to_lower(text)) {
    if (dropped.find(c) == std::string_view::npos) kept += c == '\'' ? '"' : c;
  }
  return kept;
}

Result<Accepted> parse_accepted(std::string_view text) {
  Accepted accepted;
  if (trim(text) == skill::no_call_text) return accepted;
  if (trim(text) == "any()") return accepted.any = true, accepted;
  SLIPWAY_TRY(list, json::parse(text));
  const auto wrong = [] {
    return Error::invalid_input("not a list of accepted calls",
                                "expected none(), any() or [{\"function\": {\"argument\": "
                                "[accepted values]}}]");
  };
  if (!list.is_array() || list.size() == 0) return wrong();
  for (const auto& call : list.as_array()) {
    if (!call.is_object() || call.size() != 1) return wrong();
    const auto& [function, arguments] = call.as_object().front();
    if (!arguments.is_object()) return wrong();
    for (const auto& [name, values] : arguments.as_object()) {
      if (!values.is_array()) return wrong();
    }
    accepted.calls.push_back({function, arguments});
  }
  return accepted;
}

Status check_accepted(const Accepted& accepted, const skill::SkillSet& skills) {
  for (const auto& call : accepted.calls) {
    const auto* function = skills.find(call.function);
    if (!function) return Error::not_found("no function '" + call.function + "'");
    for (const auto& [name, values] : call.arguments.as_object()) {
      if (!function->find(name))
        return Error::invalid_input(call.function + " has no argument '" + name + "'");
    }
  }
  return Status::success();
}

Match match(const Accepted& accepted, const std::vector<skill::Call>& calls,
            const skill::SkillSet& skills) {
  Match result;
  result.counts.no_call_expected = accepted.calls.empty() && !accepted.any;
  result.counts.no_call_given = calls.empty();
  result.counts.functions_right = accepted.any ? !calls.empty() : same_functions(accepted, calls);
  if (accepted.any) {
    result.passed = !calls.empty();
    if (!result.passed) result.reason = "expected a call";
    return result;
  }
  for (const auto& call : calls)
    result.counts.arguments_given += static_cast<int64_t>(call.arguments.size());
  pair_up(accepted, calls, skills, result);
  if (calls.size() != accepted.calls.size()) {
    result.reason = "expected " + std::to_string(accepted.calls.size()) + " calls, got " +
                    std::to_string(calls.size());
  }
  result.passed = result.reason.empty();
  return result;
}

}  // namespace slipway::eval
