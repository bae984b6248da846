// Which MCP servers the user trusts, and what each offered then: kept in the user's own folder
// (trust.json), outside every project, by project folder and server.
//
//     SLIPWAY_TRY(trust, TrustFile::load(path));
//     SLIPWAY_TRY(news, trust_servers(project, trust, options));   // asks each server, starts them
//     SLIPWAY_CHECK(trust.save());
//     SLIPWAY_TRY(known, with_trusted_tools(*project.skills, project.folder, trust));
//
// A project from a stranger starts nothing: its MCP skills have no functions until trust is given,
// and the functions are those of that moment until it is given again. docs/format/skill.md.
// One thread. Errors: invalid_input (a file that is not ours), those of skill/mcp_client.h.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "json/value.h"
#include "lab/project.h"
#include "skill/dispatch.h"

namespace slipway::lab {

class TrustFile {
 public:
  // A missing file trusts nobody.
  static Result<TrustFile> load(const std::string& path);
  // The tools that the server offered, or nullptr when it is not trusted.
  const json::Value* tools(const std::string& project, const std::string& server) const;
  void put(const std::string& project, const std::string& server, json::Value tools);
  Status save() const;

 private:
  std::string path_;
  std::map<std::pair<std::string, std::string>, json::Value> entries_;
};

// What is new since the server was trusted last; all of it the first time.
struct TrustNews {
  std::string skill;
  std::string server;  // its command or URL, for people
  std::vector<std::string> added, changed, removed;
};

// `options`: for the secrets of each server's origin, the folder and cancellation.
Result<std::vector<TrustNews>> trust_servers(const Project& project, TrustFile& trust,
                                             const skill::DispatchOptions& options);

struct KnownSkills {
  skill::SkillSet skills;
  std::vector<std::string> untrusted;  // skills whose server nobody has asked
};

Result<KnownSkills> with_trusted_tools(const skill::SkillSet& skills, const std::string& project,
                                       const TrustFile& trust);

// "python3 server.py" or "http://127.0.0.1:9000/mcp".
std::string describe_server(const skill::McpServer& server);

}  // namespace slipway::lab
