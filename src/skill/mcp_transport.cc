// Calls as tools/call of an MCP server; each server is connected once and kept.
#include <algorithm>
#include <map>
#include <mutex>

#include "base/clock.h"
#include "base/text.h"
#include "skill/mcp_client.h"
#include "skill/mcp_tools.h"
#include "skill/redact.h"
#include "skill/request.h"
#include "skill/transport.h"

namespace slipway::skill {
namespace {

std::string describe_part(const json::Value& part) {
  const auto type = part.text("type");
  if (type == "text") return part.text("text");
  if (type == "resource_link") return "(" + part.text("name") + ": " + part.text("uri") + ")";
  if (const auto* resource = part.get("resource")) {
    if (resource->get("text")) return resource->text("text");
    return "(" + resource->text("uri") + ")";
  }
  return "(" + (type.empty() ? "something" : type) + ", " + part.text("mimeType", "no type") +
         ", " + std::to_string(part.text("data").size() / 4 * 3) + " bytes)";
}

class McpExchange : public Exchange {
 public:
  McpExchange(std::shared_ptr<McpClient> client, const Function& function, json::Value arguments,
              std::vector<std::string> secrets, int timeout_ms, CancelToken cancel)
      : client_(std::move(client)),
        function_(function),
        arguments_(std::move(arguments)),
        secrets_(std::move(secrets)),
        left_ms_(timeout_ms),
        cancel_(std::move(cancel)) {}

  std::string shown() const override { return address() + " " + mask_secrets(arguments_.dump()); }

  void describe(Span& span, Outcome& outcome) const override {
    outcome.url = address();
    span.set("mcp.tool", function_.tool);
  }

  Result<std::string> changed_since_trusted() override {
    const double start_ms = steady_ms();
    auto tools = client_->tools({start_ms + left_ms_, cancel_});
    left_ms_ -= steady_ms() - start_ms;
    if (!tools.ok()) return named(tools.error());
    for (const auto& tool : tools->as_array()) {
      if (tool.text("name") != function_.tool) continue;
      const bool same = tool_signature(tool) == function_.tool_signature;
      return std::string(same ? "" : "its server describes it otherwise than when it was trusted");
    }
    return Error::not_found("the MCP server of skill '" + function_.skill + "' no longer offers '" +
                                function_.tool + "'",
                            "run `slipway skills --trust` to take over what it offers now");
  }

  Status send(Outcome& outcome) override {
    const double start_ms = steady_ms();
    outcome.attempts = 1;
    auto result = client_->call(function_.tool, arguments_, {start_ms + left_ms_, cancel_});
    outcome.elapsed_ms = steady_ms() - start_ms;
    if (!result.ok()) return named(result.error());
    const auto value = without_secrets(mcp_result_value(*result), secrets_);
    if (result->flag("isError")) {
      return Error::invalid_input(
          function_.qualified_name() + ": the tool failed: " +
              bounded_line(value.is_string() ? value.as_string() : value.dump()),
          "check the arguments");
    }
    outcome.acted = true;
    outcome.result = value;
    return Status::success();
  }

 private:
  std::string address() const { return "mcp:" + function_.skill + "/" + function_.tool; }

  Error named(const Error& error) const {
    return Error(error.code(),
                 without_secrets(function_.qualified_name() + ": " + error.message(), secrets_),
                 without_secrets(error.hint(), secrets_));
  }

  std::shared_ptr<McpClient> client_;
  const Function& function_;
  const json::Value arguments_;
  const std::vector<std::string> secrets_;
  double left_ms_;  // of the call's time; what a person takes to confirm it does not count
  const CancelToken cancel_;
};

class McpTransport : public Transport {
 public:
  explicit McpTransport(const DispatchOptions& options) : options_(options) {}

  Result<std::unique_ptr<Exchange>> prepare(const Call& call, const Function& function,
                                            const Skill& skill,
                                            const CallContext& context) override {
    const auto& server = *skill.mcp;
    if (!server.command.empty() && !options_.trusted_servers.contains(server.identity())) {
      return Error::permission_denied("skill '" + skill.name + "' starts a program (" +
                                          join(server.command, " ") + ") that you have not trusted",
                                      "look at it, then run `slipway skills --trust` once");
    }
    SLIPWAY_TRY(arguments, effective_arguments(call, function, context));
    const auto secrets = secrets_of(server, options_.secrets);
    return std::unique_ptr<Exchange>(std::make_unique<McpExchange>(
        client_of(server, secrets), function, std::move(arguments), values_of(secrets),
        server.timeout_ms, context.cancel));
  }

 private:
  std::shared_ptr<McpClient> client_of(const McpServer& server,
                                       const std::map<std::string, std::string>& secrets) {
    const std::lock_guard lock(mutex_);
    auto& client = clients_[server.identity()];
    if (!client) {
      client = std::make_shared<McpClient>(
          server, McpOptions{secrets, options_.working_directory, {}});
    }
    return client;
  }

  const DispatchOptions& options_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<McpClient>> clients_;  // as many as skill files
};

}  // namespace

json::Value mcp_result_value(const json::Value& result) {
  if (const auto* structured = result.get("structuredContent");
      structured && structured->is_object()) {
    return *structured;
  }
  const auto* content = result.get("content");
  if (!content || !content->is_array() || content->size() == 0) return {};
  const auto& parts = content->as_array();
  if (parts.size() == 1 && parts[0].text("type") == "text") {
    auto value = json::parse(parts[0].text("text"));
    if (value.ok() && (value->is_object() || value->is_array())) return std::move(*value);
  }
  std::vector<std::string> texts;
  for (const auto& part : parts) texts.push_back(describe_part(part));
  return join(texts, "\n");
}

std::unique_ptr<Transport> make_mcp_transport(const DispatchOptions& options) {
  return std::make_unique<McpTransport>(options);
}

}  // namespace slipway::skill
