#include "candidate/prompt.h"

#include <algorithm>

#include "base/files.h"
#include "base/text.h"
#include "candidate/retrieval.h"
#include "dataset/row.h"
#include "model/template.h"
#include "skill/call.h"

namespace slipway::candidate {
namespace {

constexpr std::string_view kMarker = "=== ";

std::string type_of(const skill::Parameter& parameter) {
  return parameter.schema.text("type", "any");
}

json::Value describe_parameter(const skill::Parameter& parameter) {
  auto described = json::Value::object();
  described.set("name", parameter.name)
      .set("type", type_of(parameter))
      .set("description", parameter.description)
      .set("required", parameter.required);
  if (const auto* choices = parameter.schema.get("enum")) described.set("enum", *choices);
  if (parameter.default_value) described.set("default", *parameter.default_value);
  return described;
}

std::string signature_of(const skill::Function& function) {
  std::vector<std::string> parts;
  for (const auto& parameter : function.parameters) {
    auto part = parameter.name;
    if (parameter.default_value) {
      part += "=" + skill::print_value(*parameter.default_value);
    } else if (!parameter.required) {
      part += "=null";
    }
    parts.push_back(std::move(part));
  }
  return function.qualified_name() + "(" + join(parts, ", ") + ")";
}

bool is_role(std::string_view role) {
  return role == "system" || role == "user" || role == "assistant";
}

// Splits rendered text at its role lines. The user's words cannot start a role: markers are found
// in the template's own lines only, which `mark_roles` below has prefixed with a secret byte that
// no input can contain.
constexpr char kSecret = '\x01';

std::string mark_roles(std::string_view source) {
  std::string marked;
  for (const auto& line : split(source, '\n')) {
    if (!marked.empty()) marked += '\n';
    if (starts_with(line, kMarker) && is_role(trim(line.substr(kMarker.size())))) marked += kSecret;
    marked += line;
  }
  return marked;
}

std::string without_secret(std::string_view text) {
  std::string clean;
  for (char c : text) {
    if (c != kSecret) clean += c;
  }
  return clean;
}

std::vector<model::Message> split_messages(std::string_view text) {
  std::vector<model::Message> messages;
  for (const auto& line : split(text, '\n')) {
    if (!line.empty() && line[0] == kSecret) {
      messages.push_back({std::string(trim(line.substr(1 + kMarker.size()))), ""});
      continue;
    }
    if (messages.empty()) {
      if (trim(line).empty()) continue;
      messages.push_back({"user", ""});
    }
    auto& content = messages.back().content;
    if (!content.empty()) content += '\n';
    content += line;
  }
  for (auto& message : messages) message.content = std::string(trim(message.content));
  return messages;
}

// The chosen ones of the skills' tools.
json::Value tools_of(const skill::SkillSet& skills,
                     const std::vector<const skill::Function*>& listed, int list_functions) {
  auto tools = skills.to_tools();
  if (list_functions <= 0) return tools;
  auto chosen = json::Value::array();
  for (const auto& tool : tools.as_array()) {
    const auto name = tool.get("function")->text("name");
    const auto same = [&](const auto* f) { return f->qualified_name() == name; };
    if (std::any_of(listed.begin(), listed.end(), same)) chosen.push_back(tool);
  }
  return chosen;
}

}  // namespace

json::Value describe_functions(const std::vector<const skill::Function*>& functions) {
  auto list = json::Value::array();
  for (const auto* function : functions) {
    auto parameters = json::Value::array();
    for (const auto& parameter : function->parameters)
      parameters.push_back(describe_parameter(parameter));
    auto described = json::Value::object();
    described.set("name", function->qualified_name())
        .set("signature", signature_of(*function))
        .set("description", function->description)
        .set("parameters", std::move(parameters));
    list.push_back(std::move(described));
  }
  return list;
}

Result<Prompt> load_prompt(const std::string& path) {
  SLIPWAY_TRY(source, files::read(path, 256 << 10));
  if (!is_valid_utf8(source))
    return Error::invalid_input(path + " is not UTF-8", "save the prompt as UTF-8 text");
  auto name = files::filename(path);
  if (auto dot = name.rfind('.'); dot != std::string::npos && dot > 0) name.resize(dot);
  return Prompt{name, std::move(source)};
}

Result<std::vector<model::Message>> render_prompt(const Prompt& prompt, const Input& input,
                                                  const skill::SkillSet& skills,
                                                  int list_functions) {
  const auto listed = worth_listing(skills, input.text, list_functions);
  auto context = json::Value::object();
  context.set("input", without_secret(input.text))
      .set("context", input.context.is_null() ? json::Value::object() : input.context)
      .set("functions", describe_functions(listed))
      .set("tools", tools_of(skills, listed, list_functions));
  auto rendered = model::render_template(mark_roles(prompt.source), context);
  if (!rendered.ok()) return rendered.error().in("prompt '" + prompt.name + "'");
  auto messages = split_messages(*rendered);
  if (messages.empty()) {
    return Error::invalid_input("prompt '" + prompt.name + "' renders to nothing",
                                "write {{ input }} in it");
  }
  auto last = messages.end() - 1;
  messages.insert(last, input.history.begin(), input.history.end());
  return messages;
}

namespace {

void add_strings(const json::Value& value, std::vector<std::string>& texts) {
  if (value.is_array()) {
    for (const auto& one : value.as_array()) add_strings(one, texts);
  } else if (value.is_object()) {
    for (const auto& [key, one] : value.as_object()) {
      if (key != "functions") add_strings(one, texts);
    }
  } else if (value.is_string()) {
    // Of a call that was made, its values were said.
    const auto calls = skill::parse_calls(value.as_string());
    if (!calls.ok()) return texts.push_back(value.as_string());
    for (const auto& call : *calls) {
      for (const auto& argument : call.arguments) add_strings(argument.value, texts);
    }
  }
}

}  // namespace

std::vector<std::string> said_in(const Input& input) {
  std::vector<std::string> texts;
  add_strings(json::Value(input.text), texts);
  for (const auto& message : input.history) add_strings(json::Value(message.content), texts);
  add_strings(input.context, texts);
  return texts;
}

std::string row_of(const Input& input, const std::string& output) {
  dataset::Example example;
  if (input.history.empty()) {
    example.input = input.text;
  } else {
    for (const auto& message : input.history)
      example.messages.push_back({message.role, message.content});
    example.messages.push_back({"user", input.text});
  }
  example.output = output;
  if (input.context.size() > 0) example.context = input.context;
  example.id = dataset::derived_id(example);
  return dataset::row_json(example).dump();
}

}  // namespace slipway::candidate
