#include "candidate/reply.h"

#include "base/text.h"
#include "model/template.h"

namespace slipway::candidate {

std::string reply_to(const skill::Call& call, const skill::Outcome& outcome,
                     const skill::Function& function) {
  auto arguments = json::Value::object();
  for (const auto& parameter : function.parameters) {
    if (parameter.default_value) arguments.set(parameter.name, *parameter.default_value);
  }
  for (const auto& argument : call.arguments) arguments.set(argument.name, argument.value);
  if (!function.reply.empty()) {
    auto context = json::Value::object();
    context.set("arguments", std::move(arguments)).set("result", outcome.result);
    auto text = model::render_template(function.reply, context);
    if (text.ok() && !trim(*text).empty()) return std::string(trim(*text));
  }
  if (outcome.result.is_string()) return outcome.result.as_string();
  return outcome.result.is_null() ? "Done." : outcome.result.dump();
}

std::string reply_to_failure(const Error& error) {
  return "I could not do that: " + error.message() + ".";
}

std::string reply_to_no_call() { return "I have no function for that."; }

}  // namespace slipway::candidate
