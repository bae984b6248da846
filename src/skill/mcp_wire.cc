#include "skill/mcp_wire.h"

#include <algorithm>

#include "base/clock.h"
#include "skill/redact.h"

namespace slipway::skill {

Result<RpcMessage> read_rpc(const json::Value& value) {
  if (!value.is_object() || value.text("jsonrpc") != "2.0")
    return Error::invalid_input("a message is an object with \"jsonrpc\": \"2.0\"");
  RpcMessage message;
  if (const auto* id = value.get("id"); id && !id->is_null()) {
    if (!id->is_integer() && !id->is_string())
      return Error::invalid_input("id must be a text or a whole number");
    message.id = *id;
  }
  if (const auto* method = value.get("method")) {
    if (!method->is_string() || method->as_string().empty())
      return Error::invalid_input("method must be text");
    message.method = method->as_string();
    if (const auto* params = value.get("params")) message.params = *params;
    return message;
  }
  if (const auto* error = value.get("error")) {
    if (!error->is_object()) return Error::invalid_input("error must be an object");
    message.error = *error;
  } else if (const auto* result = value.get("result")) {
    message.result = *result;
  } else {
    return Error::invalid_input("neither a method nor a result nor an error");
  }
  return message;
}

Result<RpcMessage> parse_rpc(std::string_view text) {
  SLIPWAY_TRY(value, json::parse(text));
  return read_rpc(value);
}

json::Value rpc_notification(const std::string& method, json::Value params) {
  auto message = json::Value::object();
  message.set("jsonrpc", "2.0").set("method", method);
  if (!params.is_null()) message.set("params", std::move(params));
  return message;
}

json::Value rpc_request(int64_t id, const std::string& method, json::Value params) {
  auto message = rpc_notification(method, std::move(params));
  message.set("id", id);
  return message;
}

Result<json::Value> rpc_result(const RpcMessage& response,
                               const std::vector<std::string>& secrets) {
  if (response.result) return *response.result;
  const auto code = response.error ? response.error->number("code") : 0;
  const auto said = response.error ? bounded_line(response.error->text("message"), secrets) : "";
  const auto text = "the MCP server answered error " + json::Value(code).dump() +
                    (said.empty() ? "" : ": " + said);
  if (code == -32602) return Error::invalid_input(text, "check the arguments");
  if (code == -32601) return Error::unsupported(text);
  return Error::unavailable(text, "look at that server's log");
}

int milliseconds_until(double deadline_ms) {
  return static_cast<int>(std::clamp(deadline_ms - steady_ms(), 0.0, 1e9));
}

}  // namespace slipway::skill
