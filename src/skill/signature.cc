#include "skill/signature.h"

#include <algorithm>

namespace slipway::skill {

std::string_view permission_name(Permission permission) {
  switch (permission) {
    case Permission::allow: return "allow";
    case Permission::confirm: return "confirm";
    case Permission::deny: return "deny";
  }
  return "deny";
}

std::string Function::qualified_name() const { return skill + "." + name; }

const Parameter* Function::find(std::string_view parameter) const {
  const auto at = std::find_if(parameters.begin(), parameters.end(),
                               [&](const Parameter& p) { return p.name == parameter; });
  return at == parameters.end() ? nullptr : &*at;
}

Status SkillSet::add(Skill skill) {
  for (const auto& other : skills_) {
    if (other.name == skill.name) {
      return Error::already_exists("there are two skills named '" + skill.name + "'",
                                   "rename one: the name is part of every call");
    }
  }
  skills_.push_back(std::move(skill));
  return Status::success();
}

std::vector<const Function*> SkillSet::functions() const {
  std::vector<const Function*> all;
  for (const auto& skill : skills_) {
    for (const auto& function : skill.functions) all.push_back(&function);
  }
  return all;
}

const Function* SkillSet::find(std::string_view qualified_name) const {
  for (const auto& skill : skills_) {
    if (!qualified_name.starts_with(skill.name) || qualified_name.size() <= skill.name.size() ||
        qualified_name[skill.name.size()] != '.') {
      continue;
    }
    const auto name = qualified_name.substr(skill.name.size() + 1);
    for (const auto& function : skill.functions) {
      if (function.name == name) return &function;
    }
  }
  return nullptr;
}

const Skill* SkillSet::skill_of(const Function& function) const {
  for (const auto& skill : skills_) {
    if (skill.name == function.skill) return &skill;
  }
  return nullptr;
}

namespace {

json::Value parameters_to_json(const Function& function) {
  auto properties = json::Value::object();
  auto required = json::Value::array();
  for (const auto& parameter : function.parameters) {
    properties.set(parameter.name, parameter.schema);
    if (parameter.required) required.push_back(parameter.name);
  }
  auto parameters = json::Value::object();
  parameters.set("type", "object").set("properties", std::move(properties));
  if (required.size() > 0) parameters.set("required", std::move(required));
  return parameters;
}

json::Value tool_to_json(const Function& function, const std::string& name) {
  auto inner = json::Value::object();
  inner.set("name", name).set("description", function.description);
  inner.set("parameters", parameters_to_json(function));
  auto tool = json::Value::object();
  tool.set("type", "function").set("function", std::move(inner));
  return tool;
}

json::Value pairs_to_json(const std::vector<std::pair<std::string, std::string>>& pairs) {
  auto object = json::Value::object();
  for (const auto& [name, value] : pairs) object.set(name, value);
  return object;
}

json::Value http_to_json(const HttpBinding& http) {
  auto value = json::Value::object();
  value.set("method", http.method).set("path", http.path);
  if (!http.query.empty()) value.set("query", pairs_to_json(http.query));
  if (!http.headers.empty()) value.set("headers", pairs_to_json(http.headers));
  if (http.body) value.set("body", *http.body);
  value.set("timeout_ms", http.timeout_ms).set("idempotent", http.idempotent);
  value.set("max_response_bytes", static_cast<int64_t>(http.max_response_bytes));
  return value;
}

}  // namespace

json::Value skill_to_json(const Skill& skill) {
  auto tools = json::Value::array();
  auto functions = json::Value::object();
  for (const auto& function : skill.functions) {
    tools.push_back(tool_to_json(function, function.name));
    auto entry = json::Value::object();
    entry.set("permission", permission_name(function.permission));
    if (!function.http.path.empty()) entry.set("http", http_to_json(function.http));
    if (!function.reply.empty()) entry.set("reply", function.reply);
    functions.set(function.name, std::move(entry));
  }
  auto file = json::Value::object();
  file.set("slipway_skill", 1).set("name", skill.name).set("description", skill.description);
  if (!skill.base_url.empty()) file.set("base_url", skill.base_url);
  file.set("tools", std::move(tools)).set("functions", std::move(functions));
  return file;
}

json::Value SkillSet::to_json() const {
  auto all = json::Value::array();
  for (const auto& skill : skills_) all.push_back(skill_to_json(skill));
  return all;
}

json::Value SkillSet::to_tools() const {
  auto tools = json::Value::array();
  for (const auto* function : functions()) {
    tools.push_back(tool_to_json(*function, function->qualified_name()));
  }
  return tools;
}

}  // namespace slipway::skill
