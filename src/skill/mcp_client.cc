#include "skill/mcp_client.h"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/process.h"
#include "base/text.h"
#include "http/client.h"
#include "skill/mcp_tools.h"
#include "skill/mcp_wire.h"
#include "skill/redact.h"

namespace slipway::skill {
namespace {

constexpr const char* newest_protocol = "2025-06-18";
constexpr int max_pages = 64;
constexpr int farewell_ms = 200;
constexpr auto turn_slice = std::chrono::milliseconds(20);  // how soon a waiter is cancelled

bool is_known_protocol(const std::string& version) {
  return version == "2025-06-18" || version == "2025-03-26" || version == "2024-11-05";
}

// Shorter ones are parts of words that are no secret.
constexpr size_t least_secret_bytes = 8;

bool is_secret(const std::string& name, const std::string& value) {
  const auto named = name + "=x9x9x9x9";
  return mask_secrets(named) != named || mask_secrets(value) != value;
}

// Line by line, as a program says them.
std::map<std::string, std::string> secrets_passed(const std::vector<std::string>& names) {
  std::map<std::string, std::string> secrets;
  for (const auto& name : names) {
    const auto value = environment_variable(name).value_or("");
    if (!is_secret(name, value)) continue;
    for (const auto& line : split(value, '\n')) {
      const std::string secret(trim(line));
      if (secret.size() >= least_secret_bytes)
        secrets.emplace(name + "/" + std::to_string(secrets.size()), secret);
    }
  }
  return secrets;
}

}  // namespace

struct McpClient::Impl {
  McpServer server;
  McpOptions options;
  std::timed_mutex mutex;
  std::unique_ptr<McpWire> wire;
  int64_t last_id = 0;

  // The server may ask us things while it works.
  static std::optional<json::Value> on_message(const RpcMessage& message) {
    if (!message.id) return std::nullopt;
    auto reply = json::Value::object();
    reply.set("jsonrpc", "2.0").set("id", *message.id);
    if (message.method == "ping") {
      reply.set("result", json::Value::object());
    } else {
      auto error = json::Value::object();
      error.set("code", -32601).set("message", "this client offers no '" + message.method + "'");
      reply.set("error", std::move(error));
    }
    return reply;
  }

  // The server serves one call at a time.
  Result<std::unique_lock<std::timed_mutex>> turn(const McpBounds& bounds) {
    std::unique_lock lock(mutex, std::defer_lock);
    while (true) {
      const bool mine = lock.try_lock_for(turn_slice);
      if (bounds.cancel.cancelled()) return Error::cancelled();
      if (milliseconds_until(bounds.deadline_ms) == 0) {
        return Error::timeout(mine ? "the MCP server did not answer in time"
                                   : "the MCP server is busy with other calls",
                              "try again, or raise mcp.timeout_ms of the skill file");
      }
      if (mine) return lock;
    }
  }

  McpBounds of_call(const McpBounds& given) const {
    const double own = steady_ms() + server.timeout_ms;
    return {given.deadline_ms > 0 ? given.deadline_ms : own, options.cancel.or_when(given.cancel)};
  }

  Result<json::Value> exchange(const std::string& method, json::Value params,
                               const McpBounds& bounds) {
    const auto id = ++last_id;
    const WireExchange how{bounds, on_message};
    auto response = wire->request(rpc_request(id, method, std::move(params)), id, how);
    if (response.ok()) return rpc_result(*response, values_of(options.secrets));
    const auto code = response.error().code();
    const bool given_up = code == ErrorCode::timeout || code == ErrorCode::cancelled;
    if (given_up && method != "initialize" && wire->alive()) {
      auto why = json::Value::object();
      why.set("requestId", id).set("reason", response.error().message());
      (void)wire->notify(rpc_notification("notifications/cancelled", std::move(why)),
                         {steady_ms() + farewell_ms, {}});
    }
    if (code == ErrorCode::exhausted) wire.reset();  // the stream is cut in the middle
    return response.error();
  }

  Status connect(const McpBounds& bounds) {
    if (wire && wire->alive()) return Status::success();
    wire.reset();
    SLIPWAY_TRY(opened, server.command.empty() ? open_http_wire(server, options)
                                               : open_stdio_wire(server, options));
    wire = std::move(opened);
    auto ready = initialize(bounds);
    if (!ready.ok()) wire.reset();
    return ready;
  }

  Status initialize(const McpBounds& bounds) {
    auto info = json::Value::object();
    info.set("name", "slipway").set("version", "0.1");
    auto params = json::Value::object();
    params.set("protocolVersion", newest_protocol)
        .set("capabilities", json::Value::object())
        .set("clientInfo", std::move(info));
    SLIPWAY_TRY(result, exchange("initialize", std::move(params), bounds));
    const auto version = result.text("protocolVersion");
    if (!is_known_protocol(version)) {
      return Error::unsupported("the MCP server speaks protocol '" + version + "'",
                                "this program speaks 2025-06-18, 2025-03-26 and 2024-11-05");
    }
    wire->set_protocol(version);
    return wire->notify(rpc_notification("notifications/initialized", {}), bounds);
  }

  // A forgotten session (not_found) is renewed once: the server says that it did nothing.
  Result<json::Value> ask(const std::string& method, const json::Value& params,
                          const McpBounds& bounds) {
    SLIPWAY_CHECK(connect(bounds));
    auto result = exchange(method, params, bounds);
    if (result.ok() || result.error().code() != ErrorCode::not_found) return result;
    SLIPWAY_CHECK(connect(bounds));
    return exchange(method, params, bounds);
  }

  Result<json::Value> list(const McpBounds& bounds) {
    auto all = json::Value::array();
    std::vector<std::string> cursors;
    for (int page = 0; page < max_pages; ++page) {
      auto params = json::Value::object();
      if (!cursors.empty()) params.set("cursor", cursors.back());
      SLIPWAY_TRY(result, ask("tools/list", params, bounds));
      const auto* tools = result.get("tools");
      if (!tools || !tools->is_array())
        return Error::unavailable("the MCP server's answer to tools/list has no list 'tools'");
      for (const auto& tool : tools->as_array()) all.push_back(tool);
      if (all.size() > max_mcp_tools)
        return Error::exhausted("the MCP server has more than 256 tools");
      const auto next = result.text("nextCursor");
      if (next.empty()) return all;
      if (std::find(cursors.begin(), cursors.end(), next) != cursors.end())
        return Error::unavailable("the MCP server's list of tools never ends");
      cursors.push_back(next);
    }
    return Error::exhausted("the MCP server's list of tools has more than 64 pages");
  }
};

McpClient::McpClient(McpServer server, McpOptions options) : impl_(std::make_unique<Impl>()) {
  impl_->server = std::move(server);
  impl_->options = std::move(options);
}
McpClient::~McpClient() = default;

Result<json::Value> McpClient::tools(const McpBounds& given) {
  const auto bounds = impl_->of_call(given);
  SLIPWAY_TRY(turn, impl_->turn(bounds));
  SLIPWAY_TRY(list, impl_->list(bounds));
  return without_secrets(std::move(list), values_of(impl_->options.secrets));
}

Result<json::Value> McpClient::call(const std::string& tool, const json::Value& arguments,
                                    const McpBounds& given) {
  const auto bounds = impl_->of_call(given);
  SLIPWAY_TRY(turn, impl_->turn(bounds));
  auto params = json::Value::object();
  params.set("name", tool).set("arguments", arguments);
  SLIPWAY_TRY(result, impl_->ask("tools/call", params, bounds));
  if (!result.is_object())
    return Error::unavailable("the MCP server's answer to tools/call is no object");
  return result;
}

std::map<std::string, std::string> secrets_of(
    const McpServer& server,
    const std::map<std::string, std::map<std::string, std::string>>& by_origin) {
  if (!server.command.empty()) return secrets_passed(server.pass_env);
  const auto url = http::parse_url(server.url);
  if (server.url.empty() || !url.ok()) return {};
  const auto found = by_origin.find(url->origin());
  return found == by_origin.end() ? std::map<std::string, std::string>{} : found->second;
}

}  // namespace slipway::skill
