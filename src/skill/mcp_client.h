// A client of the Model Context Protocol (2025-06-18, also 2025-03-26 and 2024-11-05): one server,
// over standard input and output or over streamable HTTP.
//
//     McpClient client(server, options);
//     SLIPWAY_TRY(tools, client.tools());                   // tools/list, all pages
//     SLIPWAY_TRY(answer, client.call("add", arguments));   // tools/call
//
// It connects when first used and again when the server has gone or forgotten the session; a
// request that the server took is never sent twice. It offers the server nothing: sampling, roots
// and elicitation are refused. Thread-safe; one call at a time, and waiting for its turn is part of
// a call's time. Times are milliseconds. A program is ended with the client. Errors: unavailable
// (with the last thing the program said), timeout and cancelled (the server is told), exhausted
// (max_response_bytes), permission_denied (address, 401, 403), invalid_input (the server calls the
// arguments wrong), unsupported (another protocol).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/cancel.h"
#include "base/result.h"
#include "json/value.h"
#include "skill/signature.h"

namespace slipway::skill {

struct McpOptions {
  std::map<std::string, std::string> secrets;  // for ${NAME} in headers: those of its origin
  std::string working_directory;               // of a program; empty: ours
  CancelToken cancel;
};

// What ends one call early.
struct McpBounds {
  double deadline_ms = 0;  // on steady_ms(); 0: the server's timeout_ms from now
  CancelToken cancel;      // as that of the options
};

class McpClient {
 public:
  McpClient(McpServer server, McpOptions options);
  ~McpClient();
  // The server's tools as they are now.
  Result<json::Value> tools(const McpBounds& bounds = {});
  // The result object of tools/call: content, structuredContent, isError.
  Result<json::Value> call(const std::string& tool, const json::Value& arguments,
                           const McpBounds& bounds = {});

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// What a server is given and may echo: for skills with `${NAME}` headers, the secrets bound to the
// server's origin; for a program, the lines of 8 bytes or more of those variables of `pass_env`
// that are named as a secret is, or look like one (base/text.h, mask_secrets).
std::map<std::string, std::string> secrets_of(
    const McpServer& server,
    const std::map<std::string, std::map<std::string, std::string>>& by_origin);

}  // namespace slipway::skill
