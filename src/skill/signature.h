// What the model may call: functions with JSON-Schema signatures, grouped in skills, read from a
// skill file.
//
//     SLIPWAY_TRY(skills, load_skill_file("skills/weather.json"));
//     const Function* f = skills.find("weather.get_weather");
//
// A skill file (docs/format/skill.md) holds an OpenAI `tools` array as it is and, beside it, how
// each function becomes an HTTP request, what is permitted, and how the reply is phrased. Plain
// values; const access is thread-safe.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "json/value.h"

namespace slipway::skill {

enum class Permission { allow, confirm, deny };
std::string_view permission_name(Permission permission);

struct Parameter {
  std::string name;
  std::string description;
  json::Value schema;  // JSON Schema, the subset of docs/format/skill.md
  bool required = false;
  std::optional<json::Value> default_value;
  std::string normaliser;  // of skill/normalise.h, for the value that is dispatched; may be empty
};

// How a call becomes an HTTP request. Only `{argument}` in path, query, headers and body vary; the
// origin is the skill's. Arguments named nowhere in it go to the query (GET, HEAD, DELETE) or,
// without a `body`, to the JSON body (POST, PUT, PATCH).
struct HttpBinding {
  std::string method = "POST";
  std::string path;  // "/weather/{location}"; empty: not bound, cannot be dispatched
  std::vector<std::pair<std::string, std::string>> query;  // name -> template
  std::vector<std::pair<std::string, std::string>> headers;
  // By argument: a list in path, query or header becomes text joined by this, not repeated.
  std::vector<std::pair<std::string, std::string>> join;
  std::string basic_auth;  // the secret "user:password" for an Authorization header; may be empty
  std::optional<json::Value> body;  // a JSON template; "{argument}" alone keeps the argument's type
  int timeout_ms = 10'000;
  bool idempotent = false;  // may be retried; parse_skill sets it for GET and HEAD
  size_t max_response_bytes = 1 << 20;
};

// A server of the Model Context Protocol that offers a skill's functions: a program spoken to over
// its standard input and output, or a URL (streamable HTTP).
struct McpServer {
  std::vector<std::string> command;
  std::map<std::string, std::string> env;  // set for the program, as written
  std::vector<std::string> pass_env;       // variables of ours that it may see
  std::string url;                         // fixed by the file, like a base_url
  std::vector<std::pair<std::string, std::string>> headers;  // name -> template with ${SECRET}
  int timeout_ms = 30'000;
  size_t max_response_bytes = 1 << 20;
  // Equal text: the same program or address; what trust is given to.
  std::string identity() const;
};

struct Function {
  std::string skill;  // "weather"; empty: called by its own name alone
  std::string name;   // "get_weather"
  std::string description;
  std::vector<Parameter> parameters;  // in the order of the schema: the canonical order
  Permission permission = Permission::allow;
  HttpBinding http;
  std::string tool;  // MCP: the server's own name for it
  // MCP: SHA-256 of what the server declared when it was trusted.
  std::string tool_signature;
  std::string reply;  // Jinja over `arguments` and `result`; empty: the response's text
  std::string qualified_name() const;  // "weather.get_weather"
  const Parameter* find(std::string_view parameter) const;
};

struct Skill {
  std::string name;  // empty: its functions are called by their own names, which may have dots
  std::string description;
  // scheme://host[:port], fixed by the file; empty when no function is bound to HTTP.
  std::string base_url;
  std::vector<Function> functions;
  std::optional<McpServer> mcp;
  // Of an MCP skill whose server has not been asked yet (no functions): the file's include, exclude
  // and functions, for skill/mcp_tools.h.
  json::Value selection;
  // What was left out or is checked by the service alone, each with its reason.
  std::vector<std::string> notes;
};

class SkillSet {
 public:
  Status add(Skill skill);  // already_exists when the name is taken
  const std::vector<Skill>& skills() const { return skills_; }
  std::vector<const Function*> functions() const;
  const Function* find(std::string_view qualified_name) const;
  const Skill* skill_of(const Function& function) const;
  // All that decides an answer (signatures, permissions, bindings, replies): part of a candidate.
  // An array of skill files, each of which parse_skill reads back to the same Skill.
  json::Value to_json() const;
  // The same functions as an OpenAI `tools` array with qualified names.
  json::Value to_tools() const;

 private:
  std::vector<Skill> skills_;
};

// A skill file with `openapi` needs load_skill_file, which reads the document beside it.
// Errors: invalid_input (names the JSON path, and the nearest name for an unknown key), unsupported
// (a schema keyword or file version), exhausted (1 MiB, 256 functions, 64 parameters, schema depth
// 16).
Result<Skill> parse_skill(std::string_view json_text);
Result<Skill> load_skill_file(const std::string& path);
// An OpenAI `tools` array alone, as a request or a dataset row brings it: a skill without a name,
// bound to nothing, so that its calls can be written and checked but never dispatched.
Result<Skill> parse_tools(const json::Value& tools);
json::Value skill_to_json(const Skill& skill);  // the skill file

}  // namespace slipway::skill
