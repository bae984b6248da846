// What the server says by itself: ready-made responses, heads, error bodies, the host guard.
#include <algorithm>
#include <boost/beast/http/status.hpp>

#include "base/text.h"
#include "http/site.h"
#include "json/value.h"

namespace slipway::http {

namespace {

// "localhost:8765" -> "localhost"; "[::1]:80" -> "::1".
std::string host_of(std::string_view authority) {
  if (authority.starts_with('[')) {
    return to_lower(authority.substr(1, authority.find(']') - 1));
  }
  return to_lower(authority.substr(0, authority.find(':')));
}

ServerResponse forbidden(std::string_view header) {
  return ServerResponse::error(
      403, Error::permission_denied("this server does not answer to the request's " +
                                        std::string(header) + " header",
                                    "use the address the server printed when it started"));
}

// The handler's header text must not break out of its line (response splitting).
std::string one_line(std::string text) {
  for (char& c : text) {
    if (c == '\r' || c == '\n' || c == '\0') c = ' ';
  }
  return text;
}

bool is_servers_business(std::string_view name) {
  const std::string lower = to_lower(name);
  return lower == "content-length" || lower == "transfer-encoding" || lower == "connection" ||
         lower == "keep-alive";
}

}  // namespace

std::string head_text(const ServerResponse& response, bool keep_alive) {
  const auto status = boost::beast::http::int_to_status(static_cast<unsigned>(response.status));
  std::string text = "HTTP/1.1 " + std::to_string(response.status) + " " +
                     std::string(boost::beast::http::obsolete_reason(status));
  const auto add = [&](std::string_view name, std::string_view value) {
    text.append("\r\n").append(name).append(": ").append(value);
  };
  bool sniffing_decided = false;
  for (const auto& [name, value] : response.headers) {
    if (name.empty() || is_servers_business(name)) continue;
    sniffing_decided |= to_lower(name) == "x-content-type-options";
    add(one_line(name), one_line(value));
  }
  if (!sniffing_decided) add("X-Content-Type-Options", "nosniff");
  if (!keep_alive) add("Connection", "close");
  return text += "\r\n";
}

bool has_body(int status) { return status >= 200 && status != 204 && status != 304; }

ServerResponse ServerResponse::json(int status, std::string body) {
  return {.status = status,
          .headers = {{"Content-Type", "application/json"}},
          .body = std::move(body)};
}

ServerResponse ServerResponse::text(int status, std::string body) {
  return {.status = status,
          .headers = {{"Content-Type", "text/plain; charset=utf-8"}},
          .body = std::move(body)};
}

ServerResponse ServerResponse::error(const Error& error) {
  return ServerResponse::error(http_status(error.code()), error);
}

ServerResponse ServerResponse::error(int status, const Error& error) {
  json::Value detail;
  detail.set("code", code_name(error.code())).set("message", error.message());
  if (!error.hint().empty()) detail.set("hint", error.hint());
  json::Value body;
  body.set("error", std::move(detail));
  return ServerResponse::json(status, body.dump());
}

Guard only_hosts(std::vector<std::string> hosts) {
  for (std::string& host : hosts) host = to_lower(host);
  return [hosts = std::move(hosts)](const ServerRequest& request) -> std::optional<ServerResponse> {
    const auto known = [&](std::string_view authority) {
      return std::find(hosts.begin(), hosts.end(), host_of(authority)) != hosts.end();
    };
    const std::string* host = find_header(request.headers, "Host");
    if (!host || !known(*host)) return forbidden("Host");
    const std::string* origin = find_header(request.headers, "Origin");
    if (!origin) return std::nullopt;
    const auto url = parse_url(*origin);  // "null" (a sandboxed page) is no URL: refused
    if (!url.ok() || !known(url->authority())) return forbidden("Origin");
    return std::nullopt;
  };
}

}  // namespace slipway::http
