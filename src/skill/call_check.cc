// Calls against their signatures.
#include <algorithm>

#include "base/text.h"
#include "skill/call.h"
#include "skill/schema.h"

namespace slipway::skill {
namespace {

Error unknown_function(const std::string& name, const SkillSet& skills) {
  std::vector<std::string> names;
  for (const auto* function : skills.functions()) {
    names.push_back(function->qualified_name());
    if (function->name == name) {  // the skill was forgotten
      return Error::not_found("no function '" + name + "'", "did you mean '" + names.back() + "'?");
    }
  }
  const auto near = nearest(name, names);
  return Error::not_found("no function '" + name + "'",
                          near ? "did you mean '" + *near + "'?" : "");
}

Error unknown_argument(const std::string& name, const Function& function) {
  std::vector<std::string> names;
  for (const auto& parameter : function.parameters) names.push_back(parameter.name);
  const auto near = nearest(name, names);
  return Error::invalid_input(function.qualified_name() + " has no argument '" + name + "'",
                              near            ? "did you mean '" + *near + "'?"
                              : names.empty() ? "it takes none"
                                              : "its arguments: " + join(names, ", "));
}

Result<const Parameter*> parameter_of(const Argument& argument, size_t position,
                                      const Function& function) {
  if (!argument.name.empty()) {
    if (const auto* parameter = function.find(argument.name)) return parameter;
    return unknown_argument(argument.name, function);
  }
  if (position < function.parameters.size()) return &function.parameters[position];
  return Error::invalid_input(function.qualified_name() + " takes " +
                              std::to_string(function.parameters.size()) + " arguments, got " +
                              std::to_string(position + 1));
}

}  // namespace

Result<Call> check_call(const Call& call, const SkillSet& skills) {
  const auto* function = skills.find(call.function);
  if (!function) return unknown_function(call.function, skills);
  std::vector<std::optional<json::Value>> values(function->parameters.size());
  for (size_t i = 0; i < call.arguments.size(); ++i) {
    const auto& argument = call.arguments[i];
    SLIPWAY_TRY(parameter, parameter_of(argument, i, *function));
    auto& slot = values[static_cast<size_t>(parameter - function->parameters.data())];
    const auto where = function->qualified_name() + ", argument '" + parameter->name + "'";
    if (slot) return Error::invalid_input(where + " is given twice");
    // `unit=None` is how models write "not given".
    if (argument.value.is_null() && !parameter->required && !accepts_null(parameter->schema))
      continue;
    SLIPWAY_TRY(value, fit_value(argument.value, parameter->schema, where));
    slot = std::move(value);
  }
  Call checked{call.function, {}};
  for (size_t i = 0; i < values.size(); ++i) {
    const auto& parameter = function->parameters[i];
    if (values[i]) {
      checked.arguments.push_back({parameter.name, std::move(*values[i])});
    } else if (parameter.required) {
      return Error::invalid_input(
          function->qualified_name() + ": argument '" + parameter.name + "' is missing",
          "expected " + describe_schema(parameter.schema));
    }
  }
  return checked;
}

}  // namespace slipway::skill
