#include "skill/mcp_tools.h"

#include <algorithm>

#include "base/hash.h"
#include "base/text.h"
#include "http/client.h"
#include "skill/binding.h"
#include "skill/foreign_schema.h"
#include "skill/openapi.h"
#include "skill/template.h"

namespace slipway::skill {
namespace {

constexpr size_t max_parameters = 64;
constexpr size_t max_words = 256;

Error wrong(const std::string& where, const std::string& what) {
  return Error::invalid_input(where + " must be " + what);
}

bool is_line(const json::Value& value) {
  return value.is_string() && !value.as_string().empty() &&
         std::none_of(value.as_string().begin(), value.as_string().end(),
                      [](unsigned char c) { return c == 0 || c == '\n' || c == '\r'; });
}

Result<std::vector<std::string>> read_words(const json::Value& list, const std::string& where) {
  std::vector<std::string> words;
  if (!list.is_array() || list.size() == 0 || list.size() > max_words)
    return wrong(where, "a list of 1 to 256 texts");
  for (const auto& word : list.as_array()) {
    if (!word.is_string() || word.as_string().find('\0') != std::string::npos)
      return wrong(where, "a list of texts");
    words.push_back(word.as_string());
  }
  return words;
}

Status read_program(const json::Value& value, const std::string& where, McpServer& server) {
  SLIPWAY_TRY(command, read_words(*value.get("command"), where + ".command"));
  if (command.front().empty()) return wrong(where + ".command[0]", "a program");
  server.command = std::move(command);
  if (const auto* env = value.get("env")) {
    if (!env->is_object()) return wrong(where + ".env", "an object of texts");
    for (const auto& [name, text] : env->as_object()) {
      if (!is_identifier(name) || !(is_line(text) || text == json::Value("")))
        return wrong(where + ".env." + name, "text of one line, under a variable's name");
      server.env[name] = text.as_string();
    }
  }
  if (const auto* names = value.get("pass_env")) {
    SLIPWAY_TRY(pass, read_words(*names, where + ".pass_env"));
    server.pass_env = std::move(pass);
  }
  return Status::success();
}

Status read_address(const json::Value& value, const std::string& where, McpServer& server) {
  if (!is_line(*value.get("url"))) return wrong(where + ".url", "text");
  server.url = value.text("url");
  auto url = http::parse_url(server.url);
  if (!url.ok()) return url.error().in(where + ".url");
  if (url->scheme != "http" && url->scheme != "https")
    return wrong(where + ".url", "http:// or https://");
  if (server.url.find_first_of("{}$") != std::string::npos)
    return wrong(where + ".url", "written out: it has no templates");
  const auto* headers = value.get("headers");
  if (!headers) return Status::success();
  if (!headers->is_object()) return wrong(where + ".headers", "an object of texts");
  for (const auto& [name, text] : headers->as_object()) {
    if (!is_line(text)) return wrong(where + ".headers." + name, "text of one line");
    for (const auto& piece : parse_template(text.as_string())) {
      if (piece.kind == TemplatePiece::Kind::argument)
        return wrong(where + ".headers." + name, "text, where ${NAME} stands for a secret");
    }
    server.headers.emplace_back(name, text.as_string());
  }
  return check_header_names(server.headers, where);
}

Result<Function> read_tool(const json::Value& tool, const std::string& where, const Skill& skill,
                           std::vector<std::string>& notes) {
  if (!tool.is_object() || !tool.get("name") || !is_line(*tool.get("name")))
    return wrong(where + ".name", "text");
  std::vector<std::string> taken;
  for (const auto& other : skill.functions) taken.push_back(other.name);
  Function function;
  function.skill = skill.name;
  function.tool = tool.text("name");
  function.name = make_identifier(function.tool, taken);
  function.description = short_description(tool);
  function.permission = Permission::confirm;
  function.tool_signature = tool_signature(tool);
  const auto* schema = tool.get("inputSchema");
  if (!schema) return function;
  const auto at = "tool '" + function.tool + "': inputSchema";
  SchemaImport import{.document = *schema};
  SLIPWAY_TRY(imported, import_schema(*schema, at, import));
  if (imported.text("type", "object") != "object") return wrong(at + ".type", "\"object\"");
  notes.insert(notes.end(), import.notes.begin(), import.notes.end());
  const auto* properties = imported.get("properties");
  if (!properties) return function;
  if (properties->size() > max_parameters) return Error::exhausted(at + ": over 64 parameters");
  for (const auto& [name, inner] : properties->as_object()) {
    if (!is_identifier(name))
      return Error::unsupported(at + ": '" + name + "' is no parameter name");
    Parameter parameter{name, short_description(inner), inner, false, {}, {}};
    if (inner.get("description")) parameter.schema.set("description", parameter.description);
    if (const auto* value = inner.get("default"); value && !value->is_null())
      parameter.default_value = *value;
    if (const auto* required = imported.get("required")) {
      for (const auto& one : required->as_array()) parameter.required |= one == json::Value(name);
    }
    function.parameters.push_back(std::move(parameter));
  }
  return function;
}

bool fits(const std::vector<std::string>& patterns, const std::string& name) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const auto& pattern) {
    return pattern == name ||
           (pattern.ends_with('*') && name.starts_with(pattern.substr(0, pattern.size() - 1)));
  });
}

}  // namespace

Result<McpServer> read_mcp_server(const json::Value& value, const std::string& where) {
  if (!value.is_object()) return wrong(where, "an object");
  const bool program = value.get("command") != nullptr, address = value.get("url") != nullptr;
  if (program == address)
    return wrong(where, "an object with either 'command' (a program) or 'url' (a server)");
  const std::vector<std::string> known =
      program ? std::vector<std::string>{"command", "env", "pass_env", "timeout_ms",
                                         "max_response_bytes"}
              : std::vector<std::string>{"url", "headers", "timeout_ms", "max_response_bytes"};
  SLIPWAY_CHECK(check_keys(value, known, where));
  McpServer server;
  SLIPWAY_CHECK(program ? read_program(value, where, server) : read_address(value, where, server));
  HttpBinding limits;
  limits.timeout_ms = server.timeout_ms;
  SLIPWAY_CHECK(read_limits(value, where, limits));
  server.timeout_ms = limits.timeout_ms;
  server.max_response_bytes = limits.max_response_bytes;
  return server;
}

Status read_mcp_tools(const json::Value& tools, const std::vector<std::string>& include,
                      const std::vector<std::string>& exclude, Skill& skill) {
  if (!tools.is_array()) return wrong("tools", "a list");
  if (tools.size() > max_mcp_tools)
    return Error::exhausted("the server of skill '" + skill.name + "' has more than 256 tools");
  for (size_t i = 0; i < tools.size(); ++i) {
    const auto& tool = tools.as_array()[i];
    const auto name = tool.text("name");
    if (fits(exclude, name)) continue;
    const bool named = fits(include, name);
    if (!named && !include.empty()) continue;
    std::vector<std::string> notes;
    auto function = read_tool(tool, "tools[" + std::to_string(i) + "]", skill, notes);
    if (function.ok()) {
      skill.functions.push_back(std::move(*function));
      skill.notes.insert(skill.notes.end(), notes.begin(), notes.end());
    } else if (named) {
      return function.error();
    } else {
      skill.notes.push_back("'" + name + "' is left out: " + function.error().message());
    }
  }
  return Status::success();
}

std::string tool_signature(const json::Value& tool) {
  auto said = json::Value::object();
  for (const char* key : {"name", "title", "description", "inputSchema"}) {
    if (const auto* value = tool.get(key)) said.set(key, *value);
  }
  return sha256_hex(said.canonical());
}

}  // namespace slipway::skill
