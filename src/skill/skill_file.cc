// Reading skill files: docs/format/skill.md is the format. Every error names the JSON path of what
// is wrong.
#include <algorithm>

#include "base/files.h"
#include "base/text.h"
#include "http/client.h"
#include "skill/binding.h"
#include "skill/mcp_tools.h"
#include "skill/openapi.h"
#include "skill/schema.h"
#include "skill/signature.h"
#include "skill/template.h"
#include "skill/yaml.h"

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
  if (!version && (file.get("openapi") || file.get("swagger"))) {
    return Error::invalid_input(
        "an OpenAPI document is not a skill file itself",
        "write one that names it: {\"slipway_skill\": 1, \"name\": ..., \"openapi\": ...}");
  }
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
    Parameter parameter{name, inner.text("description"), inner, false, {}, {}};
    parameter.normaliser = inner.text(normalise_key);
    if (const auto* value = inner.get("default"); value && !value->is_null())
      parameter.default_value = *value;
    if (const auto* required = schema.get("required")) {
      for (const auto& one : required->as_array()) parameter.required |= one.as_string() == name;
    }
    function.parameters.push_back(std::move(parameter));
  }
  return Status::success();
}

// In a skill without a name, "a.b.c" is a name too.
bool is_function_name(std::string_view name, bool dots) {
  if (!dots) return is_identifier(name);
  const auto parts = split(name, '.');
  return std::all_of(parts.begin(), parts.end(), [](const auto& p) { return is_identifier(p); });
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
  if (!is_function_name(function.name, skill.name.empty())) {
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
                                   Permission otherwise) {
  const auto* value = entry.get("permission");
  if (!value) return otherwise;
  for (const auto permission : {Permission::allow, Permission::confirm, Permission::deny}) {
    if (value->is_string() && value->as_string() == permission_name(permission)) return permission;
  }
  return wrong(where + ".permission", "one of allow, confirm, deny");
}

// Where a skill's functions come from decides what may be said of each.
enum class Source { tools, openapi, mcp };

std::vector<std::string> entry_keys(Source source) {
  switch (source) {
    case Source::tools:
      return {"permission", "http", "reply"};
    case Source::openapi:
      return {"permission", "reply", "timeout_ms", "max_response_bytes", "idempotent"};
    case Source::mcp:
      return {"permission", "reply", "tool", "tool_signature"};
  }
  return {};
}

Status read_function(const json::Value& entry, const std::string& where, const Skill& skill,
                     Source source, Function& function) {
  if (!entry.is_object()) return wrong(where, "an object");
  SLIPWAY_CHECK(check_keys(entry, entry_keys(source), where));
  for (const char* key : {"reply", "tool", "tool_signature"})
    SLIPWAY_CHECK(check_text(entry, key, where));
  function.reply = entry.text("reply");
  if (const auto* http = entry.get("http")) {
    if (skill.base_url.empty()) {
      return Error::invalid_input(where + ".http needs the file's 'base_url'",
                                  "for example \"http://127.0.0.1:8765\"");
    }
    SLIPWAY_CHECK(read_binding(*http, where + ".http", function));
    if (function.http.method == "GET") function.permission = Permission::allow;
  }
  if (source == Source::openapi) SLIPWAY_CHECK(read_limits(entry, where, function.http));
  if (source == Source::mcp) {
    function.tool = entry.text("tool", function.tool);
    function.tool_signature = entry.text("tool_signature", function.tool_signature);
  }
  SLIPWAY_TRY(permission, read_permission(entry, where, function.permission));
  function.permission = permission;
  return Status::success();
}

Status read_functions(const json::Value& file, Source source, Skill& skill) {
  const auto* entries = file.get("functions");
  if (!entries) return Status::success();
  if (!entries->is_object()) return wrong("functions", "an object, one member a function");
  std::vector<std::string> names;
  for (const auto& function : skill.functions) names.push_back(function.name);
  SLIPWAY_CHECK(check_keys(*entries, names, "functions"));
  for (auto& function : skill.functions) {
    const auto* entry = entries->get(function.name);
    if (!entry) continue;
    SLIPWAY_CHECK(read_function(*entry, "functions." + function.name, skill, source, function));
  }
  return Status::success();
}

Result<std::vector<std::string>> read_texts(const json::Value& file, const char* key) {
  std::vector<std::string> texts;
  const auto* list = file.get(key);
  if (!list) return texts;
  if (!list->is_array()) return wrong(key, "a list of texts");
  for (const auto& text : list->as_array()) {
    if (!text.is_string()) return wrong(key, "a list of texts");
    texts.push_back(text.as_string());
  }
  return texts;
}

// The document lies beside the skill file or below it, so that a file cannot reach elsewhere.
Result<json::Value> read_document(const json::Value& name, const std::string& folder) {
  if (!name.is_string() || name.as_string().empty())
    return wrong("openapi", "the name of a file, such as \"petstore.yaml\"");
  const auto& path = name.as_string();
  const auto parts = split(path, '/');
  if (path.starts_with('/') || std::find(parts.begin(), parts.end(), "..") != parts.end()) {
    return Error::invalid_input("openapi: '" + path + "' leads out of the skill file's folder",
                                "put the document beside the skill file");
  }
  if (folder.empty())
    return Error::unsupported("a skill with 'openapi' is read from a file, with its document");
  SLIPWAY_TRY(text, files::read(files::join(folder, path), max_document_bytes));
  const bool yaml = path.ends_with(".yaml") || path.ends_with(".yml");
  auto document = yaml ? parse_yaml(text) : json::parse(text);
  if (!document.ok()) return document.error().in(path);
  return document;
}

Status read_secret_names(const json::Value& file, OpenApiSelection& selection) {
  const auto* secrets = file.get("secrets");
  if (!secrets) return Status::success();
  if (!secrets->is_object()) return wrong("secrets", "an object: security scheme to secret");
  for (const auto& [scheme, name] : secrets->as_object()) {
    if (!name.is_string() || !is_identifier(name.as_string()))
      return wrong("secrets." + scheme, "the name of a secret, such as \"PETSTORE_KEY\"");
    selection.secrets[scheme] = name.as_string();
  }
  return Status::success();
}

Status read_openapi_skill(const json::Value& file, const std::string& folder, Skill& skill) {
  SLIPWAY_CHECK(check_keys(file,
                           {"slipway_skill", "name", "description", "base_url", "openapi",
                            "include", "exclude", "secrets", "functions"},
                           ""));
  OpenApiSelection selection;
  SLIPWAY_TRY(include, read_texts(file, "include"));
  SLIPWAY_TRY(exclude, read_texts(file, "exclude"));
  selection.include = std::move(include);
  selection.exclude = std::move(exclude);
  SLIPWAY_CHECK(read_secret_names(file, selection));
  SLIPWAY_TRY(document, read_document(*file.get("openapi"), folder));
  auto status = read_openapi(document, selection, skill);
  if (!status.ok()) return status.error().in(file.text("openapi"));
  SLIPWAY_CHECK(read_functions(file, Source::openapi, skill));
  if (skill_to_json(skill).dump().size() <= max_file_bytes) return status;
  return Error::exhausted("the functions of '" + file.text("openapi") + "' need more than 1 MiB",
                          "choose among them with 'include' or 'exclude'");
}

Status read_mcp_skill(const json::Value& file, Skill& skill) {
  SLIPWAY_CHECK(check_keys(
      file,
      {"slipway_skill", "name", "description", "mcp", "include", "exclude", "tools", "functions"},
      ""));
  SLIPWAY_TRY(server, read_mcp_server(*file.get("mcp"), "mcp"));
  skill.mcp = std::move(server);
  SLIPWAY_TRY(include, read_texts(file, "include"));
  SLIPWAY_TRY(exclude, read_texts(file, "exclude"));
  if (!file.get("tools")) {
    skill.selection = json::Value::object();
    for (const char* key : {"include", "exclude", "functions"}) {
      if (const auto* value = file.get(key)) skill.selection.set(key, *value);
    }
    return Status::success();
  }
  if (!include.empty() || !exclude.empty())
    return Error::invalid_input("'include' and 'exclude' have no use beside 'tools'");
  SLIPWAY_CHECK(read_tools(file, skill));
  for (auto& function : skill.functions) function.tool = function.name;
  return read_functions(file, Source::mcp, skill);
}

Status read_tools_skill(const json::Value& file, Skill& skill) {
  SLIPWAY_CHECK(check_keys(
      file,
      {"slipway_skill", "name", "description", "base_url", "tools", "functions", "openapi", "mcp"},
      ""));
  SLIPWAY_CHECK(read_tools(file, skill));
  return read_functions(file, Source::tools, skill);
}

// `folder`: of the file; empty when there is none.
Result<Skill> parse_in(std::string_view json_text, const std::string& folder) {
  if (json_text.size() > max_file_bytes) return Error::exhausted("a skill file may have 1 MiB");
  SLIPWAY_TRY(file, json::parse(json_text));
  if (!file.is_object()) return Error::invalid_input("a skill file is a JSON object");
  SLIPWAY_CHECK(check_version(file));
  SLIPWAY_CHECK(check_text(file, "name", ""));
  SLIPWAY_CHECK(check_text(file, "description", ""));
  Skill skill;
  skill.name = file.text("name");
  skill.description = file.text("description");
  if (file.get("name") && !is_identifier(skill.name)) {
    return Error::invalid_input("name: '" + skill.name + "' is no skill name",
                                "a letter or _, then letters, digits, _ and -, at most 64");
  }
  SLIPWAY_TRY(base_url, read_base_url(file));
  skill.base_url = std::move(base_url);
  if (file.get("openapi"))
    SLIPWAY_CHECK(read_openapi_skill(file, folder, skill));
  else if (file.get("mcp"))
    SLIPWAY_CHECK(read_mcp_skill(file, skill));
  else
    SLIPWAY_CHECK(read_tools_skill(file, skill));
  return skill;
}

}  // namespace

Result<Skill> parse_skill(std::string_view json_text) { return parse_in(json_text, ""); }

Status add_mcp_tools(const json::Value& tools, Skill& skill) {
  SLIPWAY_TRY(include, read_texts(skill.selection, "include"));
  SLIPWAY_TRY(exclude, read_texts(skill.selection, "exclude"));
  SLIPWAY_CHECK(read_mcp_tools(tools, include, exclude, skill));
  SLIPWAY_CHECK(read_functions(skill.selection, Source::mcp, skill));
  skill.selection = {};
  return Status::success();
}

Result<Skill> parse_tools(const json::Value& tools) {
  auto file = json::Value::object();
  file.set("tools", tools);
  Skill skill;
  SLIPWAY_CHECK(read_tools(file, skill));
  return skill;
}

Result<Skill> load_skill_file(const std::string& path) {
  auto text = files::read(path, max_file_bytes);
  if (!text.ok()) return text.error();
  auto skill = parse_in(*text, files::parent(path));
  if (!skill.ok()) return skill.error().in(path);
  return skill;
}

}  // namespace slipway::skill
