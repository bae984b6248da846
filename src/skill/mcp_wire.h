// JSON-RPC 2.0 messages and the two ways of MCP to exchange them; internal to this layer.
//
//     SLIPWAY_TRY(wire, open_wire(server, options));
//     SLIPWAY_TRY(answer, wire->request(message, 7, exchange));
//
// One thread at a time. Errors: see skill/mcp_client.h.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/cancel.h"
#include "base/result.h"
#include "json/value.h"
#include "skill/mcp_client.h"

namespace slipway::skill {

struct RpcMessage {
  std::string method;  // of a request or notification
  std::optional<json::Value> id;
  json::Value params;
  std::optional<json::Value> result, error;  // of a response

  bool is_response() const { return method.empty(); }
};

// Errors: invalid_input, with the position where the text is no JSON.
Result<RpcMessage> parse_rpc(std::string_view text);
Result<RpcMessage> read_rpc(const json::Value& value);
json::Value rpc_request(int64_t id, const std::string& method, json::Value params);
json::Value rpc_notification(const std::string& method, json::Value params);
// The response's result, or its error as one of ours, without the secrets.
Result<json::Value> rpc_result(const RpcMessage& response,
                               const std::vector<std::string>& secrets = {});

// How one request is carried out.
struct WireExchange {
  McpBounds bounds;  // with a deadline
  // For what the server sends meanwhile; what it returns is sent back.
  std::function<std::optional<json::Value>(const RpcMessage&)> on_message;
};

class McpWire {
 public:
  virtual ~McpWire() = default;
  // Sends `message` and waits for the response with this id.
  virtual Result<RpcMessage> request(const json::Value& message, int64_t id,
                                     const WireExchange& exchange) = 0;
  virtual Status notify(const json::Value& message, const McpBounds& bounds) = 0;
  virtual void set_protocol(const std::string& version) = 0;  // once agreed upon
  virtual bool alive() const = 0;                             // false: open another
  virtual std::string last_words() const { return {}; }
};

Result<std::unique_ptr<McpWire>> open_stdio_wire(const McpServer& server,
                                                 const McpOptions& options);
Result<std::unique_ptr<McpWire>> open_http_wire(const McpServer& server, const McpOptions& options);

int milliseconds_until(double deadline_ms);  // at least 0

}  // namespace slipway::skill
