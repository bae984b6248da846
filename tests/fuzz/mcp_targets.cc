// Messages of MCP servers: JSON-RPC, and the tools they list.
#include "base/text.h"
#include "skill/grammar.h"
#include "skill/mcp_tools.h"
#include "skill/mcp_wire.h"
#include "targets.h"

namespace slipway::fuzz {
namespace {

using Fault = std::optional<std::string>;

Fault run_message(const std::string& text, bool& accepted) {
  const auto message = skill::parse_rpc(text);
  accepted = message.ok();
  if (!message.ok()) {
    const auto& said = message.error().message();
    if (said.empty() || !is_valid_utf8(said)) return "a rejection that is no text";
    const bool json = json::parse(text).ok();
    if (!json && said.find("line ") == std::string::npos)
      return "a rejection without a position: " + said;
    return {};
  }
  if (!message->is_response()) return {};
  const auto result = skill::rpc_result(*message);
  if (!result.ok()) return {};
  const auto* tools = result->get("tools");
  if (!tools) return {};
  skill::Skill skill;
  skill.name = "server";
  if (!skill::read_mcp_tools(*tools, {}, {}, skill).ok()) return {};
  skill::SkillSet skills;
  if (skills.add(std::move(skill)).ok()) (void)skill::call_grammar(skills)->start();
  return {};
}

}  // namespace

std::vector<Target> mcp_targets() {
  const std::vector<std::string> corpus = {
      R"({"jsonrpc": "2.0", "id": 1, "result": {"protocolVersion": "2025-06-18", "capabilities":
          {"tools": {"listChanged": true}}, "serverInfo": {"name": "s", "version": "1"}}})",
      R"({"jsonrpc": "2.0", "id": 2, "result": {"tools": [{"name": "add", "description": "a + b",
          "inputSchema": {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type":
          "integer", "minimum": 0}}, "required": ["a", "b"]}, "annotations": {"readOnlyHint": true}},
          {"name": "say", "inputSchema": {"type": "object"}}], "nextCursor": "x"}})",
      R"({"jsonrpc": "2.0", "id": 3, "result": {"content": [{"type": "text", "text": "5"}],
          "structuredContent": {"sum": 5}, "isError": false}})",
      R"({"jsonrpc": "2.0", "id": "4", "error": {"code": -32602, "message": "no", "data": [1]}})",
      R"({"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progress": 0.5}})",
      R"({"jsonrpc": "2.0", "id": 5, "method": "sampling/createMessage", "params": {}})"};
  const std::vector<std::string> words = {"\"jsonrpc\": \"2.0\"",
                                          "\"id\": ",
                                          "\"result\": ",
                                          "\"error\": {",
                                          "\"method\": ",
                                          "null",
                                          "\"code\": 1e99",
                                          "\"tools\": [",
                                          "\"inputSchema\": {",
                                          "\"name\": ",
                                          "\"type\": ",
                                          "[]",
                                          "{}",
                                          "\"$ref\": \"#\"",
                                          "-32700",
                                          "\"\\u0000\"",
                                          "\xff",
                                          "\n",
                                          "\"required\": [\"a\"]",
                                          "true"};
  return {{"mcp-message", corpus, words, run_message}};
}

}  // namespace slipway::fuzz
