#include "lab/trust.h"

#include "base/files.h"
#include "base/text.h"
#include "skill/mcp_client.h"
#include "skill/mcp_tools.h"

namespace slipway::lab {
namespace {

constexpr uint64_t max_file_bytes = 64 << 20;

std::map<std::string, std::string> signatures(const json::Value* tools) {
  std::map<std::string, std::string> all;
  if (!tools || !tools->is_array()) return all;
  for (const auto& tool : tools->as_array()) all[tool.text("name")] = skill::tool_signature(tool);
  return all;
}

TrustNews compare(const json::Value* before, const json::Value& now) {
  TrustNews news;
  auto old = signatures(before);
  for (const auto& [name, signature] : signatures(&now)) {
    const auto found = old.find(name);
    if (found == old.end()) news.added.push_back(name);
    if (found != old.end() && found->second != signature) news.changed.push_back(name);
    old.erase(name);
  }
  for (const auto& [name, signature] : old) news.removed.push_back(name);
  return news;
}

}  // namespace

Result<TrustFile> TrustFile::load(const std::string& path) {
  TrustFile file;
  file.path_ = path;
  if (!files::exists(path)) return file;
  SLIPWAY_TRY(text, files::read(path, max_file_bytes));
  auto value = json::parse(text);
  if (!value.ok()) return value.error().in(path);
  const auto* entries = value->get("trusted");
  if (value->number("slipway_trust") != 1 || !entries || !entries->is_array())
    return Error::invalid_input(path + " is no trust file of version 1",
                                "move it away and run `slipway skills --trust` again");
  for (const auto& entry : entries->as_array()) {
    const auto* tools = entry.get("tools");
    if (tools && tools->is_array())
      file.entries_[{entry.text("project"), entry.text("server")}] = *tools;
  }
  return file;
}

const json::Value* TrustFile::tools(const std::string& project, const std::string& server) const {
  const auto found = entries_.find({project, server});
  return found == entries_.end() ? nullptr : &found->second;
}

void TrustFile::put(const std::string& project, const std::string& server, json::Value tools) {
  entries_[{project, server}] = std::move(tools);
}

Status TrustFile::save() const {
  auto list = json::Value::array();
  for (const auto& [key, tools] : entries_) {
    auto entry = json::Value::object();
    entry.set("project", key.first).set("server", key.second).set("tools", tools);
    list.push_back(std::move(entry));
  }
  auto file = json::Value::object();
  file.set("slipway_trust", 1).set("trusted", std::move(list));
  return files::write_atomic(path_, file.pretty() + "\n");
}

Result<std::vector<TrustNews>> trust_servers(const Project& project, TrustFile& trust,
                                             const skill::DispatchOptions& options) {
  std::vector<TrustNews> all;
  for (const auto& skill : project.skills->skills()) {
    if (!skill.mcp) continue;
    skill::McpClient client(*skill.mcp, {skill::secrets_of(*skill.mcp, options.secrets),
                                         options.working_directory, options.cancel});
    auto tools = client.tools();
    if (!tools.ok()) return tools.error().in("skill '" + skill.name + "'");
    // What cannot become functions is not worth trusting.
    auto probe = skill;
    if (!skill.selection.is_null()) {
      auto added = skill::add_mcp_tools(*tools, probe);
      if (!added.ok()) return added.error().in("skill '" + skill.name + "'");
    }
    const auto server = skill.mcp->identity();
    auto news = compare(trust.tools(project.folder, server), *tools);
    news.skill = skill.name;
    news.server = describe_server(*skill.mcp);
    all.push_back(std::move(news));
    trust.put(project.folder, server, std::move(*tools));
  }
  return all;
}

Result<KnownSkills> with_trusted_tools(const skill::SkillSet& skills, const std::string& project,
                                       const TrustFile& trust) {
  KnownSkills known;
  for (auto skill : skills.skills()) {
    if (skill.mcp && !skill.selection.is_null()) {
      if (const auto* tools = trust.tools(project, skill.mcp->identity())) {
        auto added = skill::add_mcp_tools(*tools, skill);
        if (!added.ok()) return added.error().in("skill '" + skill.name + "'");
      } else {
        known.untrusted.push_back(skill.name);
      }
    }
    SLIPWAY_CHECK(known.skills.add(std::move(skill)));
  }
  return known;
}

std::string describe_server(const skill::McpServer& server) {
  return server.command.empty() ? server.url : join(server.command, " ");
}

}  // namespace slipway::lab
