// The page (web/): its files from inside the binary, and the JSON it reads from a store. Nothing
// here writes.
//
//     add_ui(server, {.store = store, .project = "home"});
//     // GET / and http://127.0.0.1:8080/api/runs?filter=kind:eval
//
// Needs a store and nothing else, so that a bundle is shown by the same routes. docs/page.md lists
// the routes of /api; an answer is JSON, an error {"error": {"code", "message", "hint"}} with its
// HTTP status. The files are sent gzip'd with an ETag, under a Content-Security-Policy that lets no
// script run but the page's own. Thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "http/server.h"
#include "json/value.h"
#include "store/store.h"

namespace slipway::serve {

struct UiSource {
  std::shared_ptr<store::Store> store;
  std::string project;  // its name
};

void add_ui(http::Server& server, const UiSource& source);

// The page's own files hold no data: a browser gets them without a token, and the page asks for it.
bool is_ui_file(const std::string& path);

// A route of /api: its value as JSON, its Error with the HTTP status.
using UiAnswer = std::function<Result<json::Value>(const http::ServerRequest&)>;
void add_api_route(http::Server& server, const std::string& path, UiAnswer answer);

// A whole number of the query, or `otherwise`. Errors: invalid_input.
Result<int64_t> query_integer(const http::ServerRequest& request, const std::string& name,
                              int64_t otherwise, int64_t lowest, int64_t highest);
std::string query_text(const http::ServerRequest& request, const std::string& name);

}  // namespace slipway::serve
