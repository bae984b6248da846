// How a checked call reaches who carries it out: an HTTP request or a tool of an MCP server;
// internal to this layer.
//
//     SLIPWAY_TRY(exchange, transport->prepare(call, function, skill, context));
//     exchange->shown();        // "GET http://127.0.0.1:8765/weather/boston"
//     SLIPWAY_CHECK(exchange->send(outcome));
//
// Checking, permission, confirmation and tracing are the dispatcher's. A transport is thread-safe,
// an exchange belongs to one call; both outlive neither the options nor the skills they were given.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "base/tracer.h"
#include "skill/dispatch.h"

namespace slipway::skill {

class Exchange {
 public:
  virtual ~Exchange() = default;
  virtual std::string shown() const = 0;  // masked, one line
  virtual void describe(Span& span, Outcome& outcome) const = 0;
  // Before an allowed call is sent: what is no longer as the user trusted it; empty: nothing.
  virtual Result<std::string> changed_since_trusted() { return std::string(); }
  // Success only when the service says that it was done.
  virtual Status send(Outcome& outcome) = 0;
};

class Transport {
 public:
  virtual ~Transport() = default;
  // Sends nothing yet.
  virtual Result<std::unique_ptr<Exchange>> prepare(const Call& call, const Function& function,
                                                    const Skill& skill,
                                                    const CallContext& context) = 0;
};

std::unique_ptr<Transport> make_http_transport(const DispatchOptions& options);
std::unique_ptr<Transport> make_mcp_transport(const DispatchOptions& options);

// What a tool's result says, as one value: its structured content, its text (read as JSON where it
// is an object or list), or what else it holds by kind and size.
json::Value mcp_result_value(const json::Value& result);

}  // namespace slipway::skill
