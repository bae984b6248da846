#include <fmt/core.h>

#include <algorithm>
#include <ostream>

#include "base/text.h"
#include "cli/session.h"
#include "cli/table.h"

namespace slipway::cli {
namespace {

std::string reached_by(const skill::Skill& skill, const skill::Function& function) {
  if (skill.mcp) return "mcp:" + skill.name + "/" + function.tool;
  if (function.http.path.empty()) return "(not bound)";
  return function.http.method + " " + skill.base_url + function.http.path;
}

std::string signature_of(const skill::Function& function) {
  std::vector<std::string> names;
  for (const auto& parameter : function.parameters)
    names.push_back(parameter.name + (parameter.required ? "" : "?"));
  return function.qualified_name() + "(" + join(names, ", ") + ")";
}

json::Value texts(const std::vector<std::string>& list) {
  auto value = json::Value::array();
  for (const auto& text : list) value.push_back(text);
  return value;
}

json::Value skill_json(const skill::Skill& skill, bool trusted) {
  auto functions = json::Value::array();
  for (const auto& function : skill.functions) {
    auto one = json::Value::object();
    one.set("name", function.qualified_name())
        .set("description", function.description)
        .set("permission", std::string(skill::permission_name(function.permission)))
        .set("reached_by", reached_by(skill, function));
    auto parameters = json::Value::array();
    for (const auto& parameter : function.parameters) {
      auto p = json::Value::object();
      p.set("name", parameter.name).set("required", parameter.required);
      p.set("schema", parameter.schema);
      parameters.push_back(std::move(p));
    }
    one.set("parameters", std::move(parameters));
    functions.push_back(std::move(one));
  }
  auto value = json::Value::object();
  value.set("name", skill.name).set("description", skill.description);
  if (skill.mcp) value.set("mcp", lab::describe_server(*skill.mcp)).set("trusted", trusted);
  value.set("functions", std::move(functions)).set("notes", texts(skill.notes));
  return value;
}

void print_news(Context& context, const lab::TrustNews& news) {
  context.out << printable_line(fmt::format("trusted {}: {}", news.skill, news.server)) << "\n";
  for (const auto& [what, names] :
       {std::pair{"new", &news.added}, std::pair{"changed", &news.changed},
        std::pair{"gone", &news.removed}}) {
    if (names->empty()) continue;
    context.out << printable_line(fmt::format("  {}: {}", what, join(*names, ", "))) << "\n";
  }
}

CommandResult run_skills(Context& context, const Arguments& arguments) {
  SLIPWAY_TRY(bench, open_workbench(context, arguments));
  const auto& untrusted = bench.untrusted();
  const auto trusted = [&](const skill::Skill& skill) {
    return std::find(untrusted.begin(), untrusted.end(), skill.name) == untrusted.end();
  };
  const auto& skills = bench.project().skills->skills();
  if (arguments.flag("json")) {
    auto list = json::Value::array();
    for (const auto& skill : skills) list.push_back(skill_json(skill, trusted(skill)));
    context.out << list.pretty() << "\n";
    return 0;
  }
  for (const auto& news : bench.trust_news()) print_news(context, news);
  Table table({"function", "permission", "reached by"});
  for (const auto& skill : skills) {
    for (const auto& function : skill.functions) {
      table.row({shorten(signature_of(function), 60),
                 std::string(skill::permission_name(function.permission)),
                 shorten(reached_by(skill, function), 60)});
    }
  }
  if (!table.empty()) context.out << table.text();
  for (const auto& skill : skills) {
    if (!trusted(skill)) {
      context.out << printable_line(fmt::format("{}: from an MCP server that is not trusted: {}; "
                                                "look at it, then run `slipway skills --trust`",
                                                skill.name, lab::describe_server(*skill.mcp)))
                  << "\n";
    }
    for (const auto& note : skill.notes)
      context.out << printable_line(skill.name + ": " + note) << "\n";
  }
  return 0;
}

}  // namespace

Command skills_command() {
  return {.name = "skills",
          .summary = "List what the model may call, and trust MCP servers",
          .details =
              "Notes say what was left out of an OpenAPI document or an MCP server, and "
              "why.\n"
              "--trust starts the project's MCP servers, keeps what they offer, and lets "
              "them be started from now on.",
          .examples = {{"slipway skills", "every function, its permission and where it leads"},
                       {"slipway skills --trust", "once for a project with MCP servers"}},
          .options = {trust_option(), project_option(), json_option()},
          .run = run_skills};
}

}  // namespace slipway::cli
