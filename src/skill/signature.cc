#include "skill/signature.h"

#include <algorithm>

#include "skill/schema.h"

namespace slipway::skill {

std::string_view permission_name(Permission permission) {
  switch (permission) {
    case Permission::allow:
      return "allow";
    case Permission::confirm:
      return "confirm";
    case Permission::deny:
      return "deny";
  }
  return "deny";
}

std::string Function::qualified_name() const { return skill.empty() ? name : skill + "." + name; }

const Parameter* Function::find(std::string_view parameter) const {
  const auto at = std::find_if(parameters.begin(), parameters.end(),
                               [&](const Parameter& p) { return p.name == parameter; });
  return at == parameters.end() ? nullptr : &*at;
}

Status SkillSet::add(Skill skill) {
  for (const auto& other : skills_) {
    if (other.name == skill.name) {
      return Error::already_exists(skill.name.empty()
                                       ? "there are two skills without a name"
                                       : "there are two skills named '" + skill.name + "'",
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
    auto name = qualified_name;
    if (!skill.name.empty()) {
      const auto length = skill.name.size();
      if (!name.starts_with(skill.name) || name.size() <= length || name[length] != '.') continue;
      name.remove_prefix(length + 1);
    }
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

// `shown`: to a model or a client, without what is only for us.
json::Value parameters_to_json(const Function& function, bool shown) {
  auto properties = json::Value::object();
  auto required = json::Value::array();
  for (const auto& parameter : function.parameters) {
    auto schema = parameter.schema;
    if (shown && schema.is_object()) schema.erase(normalise_key), schema.erase(said_key);
    properties.set(parameter.name, std::move(schema));
    if (parameter.required) required.push_back(parameter.name);
  }
  auto parameters = json::Value::object();
  parameters.set("type", "object").set("properties", std::move(properties));
  if (required.size() > 0) parameters.set("required", std::move(required));
  return parameters;
}

json::Value tool_to_json(const Function& function, const std::string& name, bool shown) {
  auto inner = json::Value::object();
  inner.set("name", name).set("description", function.description);
  inner.set("parameters", parameters_to_json(function, shown));
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
  if (!http.join.empty()) value.set("join", pairs_to_json(http.join));
  if (!http.basic_auth.empty()) value.set("basic_auth", http.basic_auth);
  if (http.body) value.set("body", *http.body);
  value.set("timeout_ms", http.timeout_ms).set("idempotent", http.idempotent);
  value.set("max_response_bytes", static_cast<int64_t>(http.max_response_bytes));
  return value;
}

json::Value texts_to_json(const std::vector<std::string>& texts) {
  auto list = json::Value::array();
  for (const auto& text : texts) list.push_back(text);
  return list;
}

// What decides which program or address it is.
json::Value server_to_json(const McpServer& server) {
  auto value = json::Value::object();
  if (!server.command.empty()) {
    value.set("command", texts_to_json(server.command));
    auto env = json::Value::object();
    for (const auto& [name, text] : server.env) env.set(name, text);
    if (!server.env.empty()) value.set("env", std::move(env));
    if (!server.pass_env.empty()) value.set("pass_env", texts_to_json(server.pass_env));
  } else {
    value.set("url", server.url);
    if (!server.headers.empty()) value.set("headers", pairs_to_json(server.headers));
  }
  return value;
}

json::Value mcp_to_json(const McpServer& server) {
  auto value = server_to_json(server);
  value.set("timeout_ms", server.timeout_ms);
  value.set("max_response_bytes", static_cast<int64_t>(server.max_response_bytes));
  return value;
}

}  // namespace

std::string McpServer::identity() const { return server_to_json(*this).canonical(); }

json::Value skill_to_json(const Skill& skill) {
  auto tools = json::Value::array();
  auto functions = json::Value::object();
  for (const auto& function : skill.functions) {
    tools.push_back(tool_to_json(function, function.name, false));
    auto entry = json::Value::object();
    entry.set("permission", permission_name(function.permission));
    if (!function.http.path.empty()) entry.set("http", http_to_json(function.http));
    if (!function.tool.empty()) {
      entry.set("tool", function.tool).set("tool_signature", function.tool_signature);
    }
    if (!function.reply.empty()) entry.set("reply", function.reply);
    functions.set(function.name, std::move(entry));
  }
  auto file = json::Value::object();
  file.set("slipway_skill", 1);
  if (!skill.name.empty()) file.set("name", skill.name);
  file.set("description", skill.description);
  if (!skill.base_url.empty()) file.set("base_url", skill.base_url);
  if (skill.mcp) file.set("mcp", mcp_to_json(*skill.mcp));
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
    tools.push_back(tool_to_json(*function, function->qualified_name(), true));
  }
  return tools;
}

}  // namespace slipway::skill
