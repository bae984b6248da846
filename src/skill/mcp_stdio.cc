// MCP over a program's standard input and output: one JSON-RPC message a line.
#include <algorithm>

#include "base/clock.h"
#include "base/piped_process.h"
#include "skill/mcp_wire.h"
#include "skill/redact.h"

namespace slipway::skill {
namespace {

constexpr int slice_ms = 50;           // how soon a cancellation is noticed
constexpr int max_noise_lines = 1000;  // lines that are no message, before we give up

// What a program needs to run at all; everything else of our environment is asked for by name.
std::vector<std::string> kept_environment(const McpServer& server) {
  std::vector<std::string> names{"PATH", "HOME",   "USER",     "LOGNAME", "SHELL", "TERM",
                                 "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR",  "TZ"};
  names.insert(names.end(), server.pass_env.begin(), server.pass_env.end());
  return names;
}

class StdioWire : public McpWire {
 public:
  StdioWire(std::unique_ptr<LineProcess> process, const McpOptions& options)
      : process_(std::move(process)), secrets_(values_of(options.secrets)) {}

  Result<RpcMessage> request(const json::Value& message, int64_t id,
                             const WireExchange& exchange) override {
    SLIPWAY_CHECK(notify(message, exchange.bounds));
    int noise = 0;
    while (true) {
      if (exchange.bounds.cancel.cancelled()) return Error::cancelled();
      const int left = milliseconds_until(exchange.bounds.deadline_ms);
      if (left == 0) return Error::timeout("the MCP server did not answer in time");
      auto line = process_->read_line(std::min(left, slice_ms));
      if (!line.ok()) return ended(line.error());
      if (!*line) continue;
      auto received = parse_rpc(**line);
      if (!received.ok()) {  // a program that prints among its messages
        if (++noise > max_noise_lines)
          return Error::unavailable("the MCP server does not speak JSON-RPC",
                                    "it wrote '" + bounded_line(**line, secrets_) + "'");
        continue;
      }
      if (!received->is_response()) {
        if (const auto reply = exchange.on_message(*received))
          SLIPWAY_CHECK(notify(*reply, exchange.bounds));
      } else if (received->id == json::Value(id)) {
        return received;
      }
    }
  }

  Status notify(const json::Value& message, const McpBounds& bounds) override {
    auto status = process_->write_line(message.dump(), milliseconds_until(bounds.deadline_ms));
    return status.ok() ? status : Status(ended(status.error()));
  }

  void set_protocol(const std::string&) override {}
  bool alive() const override { return process_->running(); }

 private:
  Error ended(const Error& error) const {
    if (error.code() != ErrorCode::unavailable) return error;
    auto words = without_secrets(process_->last_words(), secrets_);
    while (!words.empty() && (words.back() == '\n' || words.back() == '\r')) words.pop_back();
    const auto line = bounded_line(words.substr(words.rfind('\n') + 1));
    return Error::unavailable(
        "the MCP server's program: " + error.message(),
        line.empty() ? "run its command by hand to see why" : "it said: " + line);
  }

  std::unique_ptr<LineProcess> process_;
  std::vector<std::string> secrets_;
};

}  // namespace

Result<std::unique_ptr<McpWire>> open_stdio_wire(const McpServer& server,
                                                 const McpOptions& options) {
  ProcessOptions process;
  process.working_directory = options.working_directory;
  process.set_env = server.env;
  process.keep_env = kept_environment(server);
  SLIPWAY_TRY(started, LineProcess::start(server.command, process, server.max_response_bytes));
  return std::unique_ptr<McpWire>(std::make_unique<StdioWire>(std::move(started), options));
}

}  // namespace slipway::skill
