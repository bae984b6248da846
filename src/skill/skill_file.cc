// Reading skill files: docs/format/skill.md is the format. Every error names the JSON path of what
// is wrong.
#include "base/files.h"
#include "base/text.h"
#include "http/client.h"
#include "skill/binding.h"
#include "skill/schema.h"
#include "skill/signature.h"
#include "skill/template.h"

namespace slipway::skill {
namespace {

constexpr size_t max_file_bytes = 1 << 20;
constexpr size_t max_functions = 256;
constexpr size_t max_parameters = 64;

Error wrong(const std::string& where, const std::string& what) {
  return Error::invalid_input(where + " must be " + what);
}

Status check_text(const json::Value& object, const char* key, const std::string& where) {
  const auto* value = object.get(key);
  if (value && !value->is_string()) return wrong(where.empty() ? key : where + "." + key, "text");
  return Status::success();
}

Status check_version(const json::Value& file) {
  const auto* version = file.get("slipway_skill");
  if (!version) {
    return Error::invalid_input("not a skill file: 'slipway_skill' is missing",
                                "start it with {\"slipway_skill\": 1, ...}");
  }
  if (!version->is_integer() || version->as_integer() != 1) {
    return Error::unsupported("slipway_skill: version " + version->dump() + " is not known",
                              "this program reads version 1");
  }
  return Status::success();
}

Result<std::string> read_base_url(const json::Value& file) {
  const auto* value = file.get("base_url");
  if (!value) return std::string{};
  if (!value->is_string()) return wrong("base_url", "text");
  std::string text = value->as_string();
  if (text.ends_with('/')) text.pop_back();
  auto url = http::parse_url(text);
  if (!url.ok()) return url.error().in("base_url");
  const auto host_at = text.find("://");
  const bool bare = (url->scheme == "http" || url->scheme == "https") &&
                    host_at != std::string::npos &&
                    text.find_first_of("/?#@\\{}$ ", host_at + 3) == std::string::npos;
  if (bare) return text;
  return Error::invalid_input(
      "base_url must be http:// or https://, a host and perhaps a port, got '" +
          mask_secrets(text) + "'",
      "a path belongs into each function's http.path, credentials into a header with ${NAME}");
}

Status read_parameters(const json::Value& schema, const std::string& where, Function& function) {
  if (!schema.is_object()) return wrong(where, "a JSON Schema (an object)");
  if (schema.size() == 0) return Status::success();
  if (schema.text("type", "object") != "object") return wrong(where + ".type", "\"object\"");
  SLIPWAY_CHECK(check_schema(schema, where));
  const auto* properties = schema.get("properties");
  if (!properties) return Status::success();
  if (properties->size() > max_parameters)
    return Error::exhausted(where + " has more than 64 parameters");
  for (const auto& [name, inner] : properties->as_object()) {
    if (!is_identifier(name)) {
      return Error::invalid_input(where + ".properties: '" + name + "' is no parameter name",
                                  "a letter or _, then letters, digits, _ and -, at most 64");
    }
    Parameter parameter{name, inner.text("description"), inner, false, {}};
    if (const auto* value = inner.get("default"); value && !value->is_null())
      parameter.default_value = *value;
    if (const auto* required = schema.get("required")) {
      for (const auto& one : required->as_array()) parameter.required |= one.as_string() == name;
    }
    function.parameters.push_back(std::move(parameter));
  }
  return Status::success();
}

Result<Function> read_tool(const json::Value& tool, const std::string& where, const Skill& skill) {
  if (!tool.is_object()) return wrong(where, "an object");
  SLIPWAY_CHECK(check_keys(tool, {"type", "function"}, where));
  if (tool.text("type", "function") != "function") return wrong(where + ".type", "\"function\"");
  const auto* inner = tool.get("function");
  const auto at = where + ".function";
  if (!inner || !inner->is_object()) return wrong(at, "an object");
  SLIPWAY_CHECK(check_keys(*inner, {"name", "description", "parameters", "strict"}, at));
  SLIPWAY_CHECK(check_text(*inner, "name", at));
  SLIPWAY_CHECK(check_text(*inner, "description", at));
  Function function;
  function.skill = skill.name;
  function.name = inner->text("name");
  function.description = inner->text("description");
  function.permission = Permission::confirm;
  if (!is_identifier(function.name)) {
    return Error::invalid_input(
        at + ".name: '" + function.name + "' is no function name",
        "a letter or _, then letters, digits, _ and -; without the skill's name");
  }
  for (const auto& other : skill.functions) {
    if (other.name == function.name)
      return Error::already_exists(at + ".name: '" + function.name + "' is there twice");
  }
  if (const auto* schema = inner->get("parameters")) {
    SLIPWAY_CHECK(read_parameters(*schema, at + ".parameters", function));
  }
  return function;
}

Status read_tools(const json::Value& file, Skill& skill) {
  const auto* tools = file.get("tools");
  if (!tools || !tools->is_array()) return wrong("tools", "a list (an OpenAI `tools` array)");
  if (tools->size() > max_functions) return Error::exhausted("tools has more than 256 functions");
  for (size_t i = 0; i < tools->size(); ++i) {
    SLIPWAY_TRY(function,
                read_tool(tools->as_array()[i], "tools[" + std::to_string(i) + "]", skill));
    skill.functions.push_back(std::move(function));
  }
  return Status::success();
}

Result<Permission> read_permission(const json::Value& entry, const std::string& where,
                                   const HttpBinding& http) {
  const auto* value = entry.get("permission");
  if (!value)
    return http.method == "GET" && !http.path.empty() ? Permission::allow : Permission::confirm;
  for (const auto permission : {Permission::allow, Permission::confirm, Permission::deny}) {
    if (value->is_string() && value->as_string() == permission_name(permission)) return permission;
  }
  return wrong(where + ".permission", "one of allow, confirm, deny");
}

Status read_function(const json::Value& entry, const std::string& where, const Skill& skill,
                     Function& function) {
  if (!entry.is_object()) return wrong(where, "an object");
  SLIPWAY_CHECK(check_keys(entry, {"permission", "http", "reply"}, where));
  SLIPWAY_CHECK(check_text(entry, "reply", where));
  function.reply = entry.text("reply");
  if (const auto* http = entry.get("http")) {
    if (skill.base_url.empty()) {
      return Error::invalid_input(where + ".http needs the file's 'base_url'",
                                  "for example \"http://127.0.0.1:8765\"");
    }
    SLIPWAY_CHECK(read_binding(*http, where + ".http", function));
  }
  SLIPWAY_TRY(permission, read_permission(entry, where, function.http));
  function.permission = permission;
  return Status::success();
}

Status read_functions(const json::Value& file, Skill& skill) {
  const auto* entries = file.get("functions");
  if (!entries) return Status::success();
  if (!entries->is_object()) return wrong("functions", "an object, one member a function");
  std::vector<std::string> names;
  for (const auto& function : skill.functions) names.push_back(function.name);
  SLIPWAY_CHECK(check_keys(*entries, names, "functions"));
  for (auto& function : skill.functions) {
    const auto* entry = entries->get(function.name);
    if (entry) SLIPWAY_CHECK(read_function(*entry, "functions." + function.name, skill, function));
  }
  return Status::success();
}

}  // namespace

Result<Skill> parse_skill(std::string_view json_text) {
  if (json_text.size() > max_file_bytes) return Error::exhausted("a skill file may have 1 MiB");
  SLIPWAY_TRY(file, json::parse(json_text));
  if (!file.is_object()) return Error::invalid_input("a skill file is a JSON object");
  SLIPWAY_CHECK(check_version(file));
  SLIPWAY_CHECK(check_keys(
      file, {"slipway_skill", "name", "description", "base_url", "tools", "functions"}, ""));
  SLIPWAY_CHECK(check_text(file, "name", ""));
  SLIPWAY_CHECK(check_text(file, "description", ""));
  Skill skill;
  skill.name = file.text("name");
  skill.description = file.text("description");
  if (!is_identifier(skill.name)) {
    return Error::invalid_input("name: '" + skill.name + "' is no skill name",
                                "a letter or _, then letters, digits, _ and -, at most 64");
  }
  SLIPWAY_TRY(base_url, read_base_url(file));
  skill.base_url = std::move(base_url);
  SLIPWAY_CHECK(read_tools(file, skill));
  SLIPWAY_CHECK(read_functions(file, skill));
  return skill;
}

Result<Skill> load_skill_file(const std::string& path) {
  auto text = files::read(path, max_file_bytes);
  if (!text.ok()) return text.error();
  auto skill = parse_skill(*text);
  if (!skill.ok()) return skill.error().in(path);
  return skill;
}

}  // namespace slipway::skill
