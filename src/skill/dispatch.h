// A call becomes a real HTTP request, or a request to an MCP server (skill/transport.h is the
// seam), under the host rule: the origin is the skill file's and nothing an argument says can
// change it; the address is checked when the socket opens; no redirect to another origin; no proxy.
//
//     Dispatcher dispatcher(options);
//     auto outcome = dispatcher.dispatch(call, skills, tracer, &parent);
//     outcome.acted      // true only when the service answered 2xx
//
// Thread-safe.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "base/cancel.h"
#include "base/result.h"
#include "base/tracer.h"
#include "http/client.h"
#include "skill/call.h"
#include "skill/normalise.h"

namespace slipway::skill {

struct DispatchOptions {
  // Values for ${NAME} in headers and query, by origin: {"https://api.example.com:443": {"API_KEY":
  // "..."}}; from the user's own configuration, never from the project folder.
  std::map<std::string, std::map<std::string, std::string>> secrets;
  // Asked for functions whose permission is `confirm`; empty: such calls are refused.
  std::function<bool(const Call&, const Function&)> confirm;
  // McpServer::identity of the programs that the user trusts; no other is started.
  std::set<std::string> trusted_servers;
  std::string working_directory;  // of those programs; empty: ours
  int max_retries = 2;            // idempotent functions only; backoff 100 ms, doubled
  CancelToken cancel;
};

// What was true when the words of one call were said.
struct CallContext {
  std::optional<LocalTime> clock;  // "tomorrow" is told from it
  CancelToken cancel;              // ends this call, as that of the options ends every one
};

struct Outcome {
  bool acted = false;  // from the response, never from the model's words
  int status = 0;      // HTTP; 0 when no answer came, or it came from an MCP server
  json::Value result;  // the response's JSON, or its text as a string
  std::string url;     // masked; "mcp:SKILL/TOOL" of an MCP server
  double elapsed_ms = 0;
  int attempts = 0;
};

// The request a call would make, its arguments normalised (skill/normalise.h); pure, for tests and
// `--dry-run`.
Result<http::Request> build_request(const Call& call, const Function& function, const Skill& skill,
                                    const DispatchOptions& options,
                                    const CallContext& context = {});

class Dispatcher {
 public:
  explicit Dispatcher(DispatchOptions options);
  ~Dispatcher();
  // Errors: permission_denied (deny, not confirmed, address, other origin), unavailable (down, 5xx,
  // with the skill's URL and what to check), timeout, invalid_input (4xx, or an argument that its
  // normaliser cannot read), exhausted (response too large).
  // Destroying the dispatcher ends the programs it started.
  Result<Outcome> dispatch(const Call& call, const SkillSet& skills, const Tracer& tracer,
                           const Span* parent, const CallContext& context = {});
  // What dispatch would send, masked, in one line: "GET http://127.0.0.1:8765/weather/boston".
  // Nothing is sent or started.
  Result<std::string> preview(const Call& call, const SkillSet& skills,
                              const CallContext& context = {});

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipway::skill
