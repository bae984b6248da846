#include "serve/ui.h"

#include <charconv>

#include "base/hash.h"
#include "base/text.h"
#include "lab/provenance.h"
#include "serve/ui_assets.h"
#include "serve/ui_routes.h"

namespace slipway::serve {
namespace {

// Nothing from elsewhere, nothing inline, no markup from a string (trusted types).
constexpr const char* content_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'";

void harden(http::ServerResponse& response) {
  for (const auto& [name, value] :
       {std::pair{"Content-Security-Policy", content_policy},
        std::pair{"X-Content-Type-Options", "nosniff"}, std::pair{"Referrer-Policy", "no-referrer"},
        std::pair{"Cross-Origin-Opener-Policy", "same-origin"},
        std::pair{"Cross-Origin-Resource-Policy", "same-origin"}}) {
    response.headers.emplace_back(name, value);
  }
}

bool knows(const http::ServerRequest& request, std::string_view etag) {
  const auto* known = http::find_header(request.headers, "If-None-Match");
  if (!known) return false;
  for (const auto& one : split(*known, ',')) {
    auto tag = trim(one);
    if (starts_with(tag, "W/")) tag.remove_prefix(2);  // a proxy may have weakened it
    if (tag == etag || tag == "*") return true;
  }
  return false;
}

http::ServerResponse file_response(const UiAsset& asset, const http::ServerRequest& request) {
  http::ServerResponse response;
  harden(response);
  response.headers.emplace_back("ETag", asset.etag);
  response.headers.emplace_back("Cache-Control", "no-cache");  // asked for each time, sent once
  response.headers.emplace_back("Vary", "Accept-Encoding");
  if (knows(request, asset.etag)) {
    response.status = 304;
    return response;
  }
  response.headers.emplace_back("Content-Type", asset.type);
  response.headers.emplace_back("Content-Encoding", "gzip");
  response.body = std::string(asset.gzip);
  return response;
}

http::ServerResponse no_page(const http::ServerRequest&) {
  return http::ServerResponse::text(404,
                                    "This slipway was built without its page (SLIPWAY_UI=OFF). "
                                    "`slipway runs`, `show` and `compare` print the same.\n");
}

Result<json::Value> overview(const UiSource& source) {
  auto aliases = json::Value::object();
  SLIPWAY_TRY(releases, source.store->releases());
  for (const auto& release : releases) {  // newest first
    if (!aliases.get(release.alias)) aliases.set(release.alias, release.candidate_name);
  }
  auto value = json::Value::object();
  value.set("project", source.project)
      .set("version", lab::slipway_version)
      .set("aliases", std::move(aliases));
  return value;
}

}  // namespace

void add_api_route(http::Server& server, const std::string& path, UiAnswer answer) {
  server.route("GET", path, [answer = std::move(answer)](const http::ServerRequest& request) {
    const auto value = answer(request);
    auto response = value.ok() ? http::ServerResponse::json(200, value->dump())
                               : http::ServerResponse::error(value.error());
    harden(response);
    response.headers.emplace_back("Cache-Control", "no-store");
    return response;
  });
}

Result<int64_t> query_integer(const http::ServerRequest& request, const std::string& name,
                              int64_t otherwise, int64_t lowest, int64_t highest) {
  const auto text = query_text(request, name);
  if (text.empty()) return otherwise;
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < lowest ||
      number > highest) {
    return Error::invalid_input("'" + name + "' is not a whole number from " +
                                std::to_string(lowest) + " to " + std::to_string(highest));
  }
  return number;
}

std::string query_text(const http::ServerRequest& request, const std::string& name) {
  const auto found = request.query.find(name);
  return found == request.query.end() ? std::string() : found->second;
}

bool is_ui_file(const std::string& path) {
  for (const auto& asset : ui_assets()) {
    if (asset.path == path) return true;
  }
  return false;
}

void add_ui(http::Server& server, const UiSource& source) {
  for (const auto& asset : ui_assets()) {
    server.route("GET", std::string(asset.path), [&asset](const http::ServerRequest& request) {
      return file_response(asset, request);
    });
  }
  if (ui_assets().empty()) server.route("GET", "/", no_page);
  add_api_route(server, "/api/project",
                [source](const http::ServerRequest&) { return overview(source); });
  add_run_routes(server, source.store);
  add_case_routes(server, source.store);
  add_trace_routes(server, source.store);
  add_lab_routes(server, source.store);
}

}  // namespace slipway::serve
