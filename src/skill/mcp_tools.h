// The tools of an MCP server as functions of a skill.
//
//     SLIPWAY_TRY(tools, McpClient(*skill.mcp, options).tools());   // skill/mcp_client.h
//     SLIPWAY_CHECK(add_mcp_tools(tools, skill));                   // skill.functions
//
// A skill file names the server only; what it offers is asked once, when the user trusts it, and
// kept (lab/trust.h), so that reading a project starts no program and a candidate does not change
// by itself. Pure; thread-safe. Errors: invalid_input with the JSON path; exhausted (256 tools).
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "json/value.h"
#include "skill/signature.h"

namespace slipway::skill {

inline constexpr size_t max_mcp_tools = 256;

// The object at `where` of a skill file.
Result<McpServer> read_mcp_server(const json::Value& value, const std::string& where);

// `tools`: a list as `tools/list` gives it. Functions are `confirm` unless the skill file says
// otherwise; tools that our schemas cannot express are left out with a note.
Status add_mcp_tools(const json::Value& tools, Skill& skill);

// The same without what the skill file says of single functions; internal to this layer.
Status read_mcp_tools(const json::Value& tools, const std::vector<std::string>& include,
                      const std::vector<std::string>& exclude, Skill& skill);

// SHA-256 of what a tool says of itself to a model: name, description, schema.
std::string tool_signature(const json::Value& tool);

}  // namespace slipway::skill
