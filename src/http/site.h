// What every connection of a server shares, and how one request becomes one response: guards,
// router, handler, and the server's own refusals.
//
//     Site site{.options = {...}};
//     site.router.add("GET", "/", handler);
//     ServerResponse response = site.handle(request, "/");
//
// Private to src/http; knows no socket. handle is for any thread, once routes and guards are set.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/router.h"
#include "http/server.h"

namespace slipway::http {

struct Site {
  ServerOptions options;
  Router router;
  std::vector<Guard> guards;

  // What the guards say of the head, which is all they look at. Never throws.
  std::optional<ServerResponse> refusal(const ServerRequest& request) const;
  // Never throws. `raw_path` is the path as sent, still encoded.
  ServerResponse handle(ServerRequest& request, std::string_view raw_path) const;
  // Calls response.next once; false when it threw, which is reported.
  bool next_piece(const ServerResponse& response, std::optional<std::string>& piece) const;
  ServerResponse failed(const ServerRequest& request, const std::string& what) const;
  void report(const std::string& line) const;
  size_t body_limit(std::string_view target) const;  // as sent
  size_t largest_body() const;
};

// Sets path and query from "/a%20b?c=d" or "http://host/a%20b?c=d"; returns the path as sent.
Result<std::string> read_target(std::string target, ServerRequest& request);
ServerResponse bad_request(std::string message);
// The status line and the handler's headers.
std::string head_text(const ServerResponse& response, bool keep_alive);
bool has_body(int status);

}  // namespace slipway::http
