#include "serve/access.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/files.h"
#include "base/hash.h"
#include "base/ids.h"
#include "base/text.h"
#include "serve/service.h"
#include "serve/ui.h"

namespace slipway::serve {
namespace {

constexpr std::string_view bearer = "bearer ";
constexpr size_t fewest_token_bytes = 16;

std::string host_of(std::string authority) {
  authority = to_lower(authority);
  if (starts_with(authority, "[")) return authority.substr(0, authority.find(']') + 1);
  return authority.substr(0, authority.find(':'));
}

// A page may speak to the host that it came from, and to no other.
std::optional<http::ServerResponse> only_own_pages(const http::ServerRequest& request) {
  const auto* origin = http::find_header(request.headers, "Origin");
  if (!origin) return std::nullopt;
  const auto* host = http::find_header(request.headers, "Host");
  const auto url = http::parse_url(*origin);
  if (host && url.ok() && host_of(url->authority()) == host_of(*host)) return std::nullopt;
  return error_response(
      Error::permission_denied("this server does not answer to pages of another origin"));
}

// Hashes are compared, so that the time taken tells nothing of the token.
http::Guard needs_token(const std::string& token) {
  return [wanted = sha256_hex(token)](
             const http::ServerRequest& request) -> std::optional<http::ServerResponse> {
    if (request.path == "/healthz" || request.path == "/readyz") return std::nullopt;
    if (is_ui_file(request.path)) return std::nullopt;
    const auto* header = http::find_header(request.headers, "Authorization");
    const bool is_bearer = header && starts_with(to_lower(*header), bearer);
    if (is_bearer && sha256_hex(trim(header->substr(bearer.size()))) == wanted) return std::nullopt;
    json::Value body;
    auto detail = error_json(Error::permission_denied(
        "this server wants a token", "send the header 'Authorization: Bearer TOKEN'"));
    detail.set("type", "authentication_error");
    body.set("error", std::move(detail));
    auto response = http::ServerResponse::json(401, body.dump());
    response.headers.emplace_back("WWW-Authenticate", "Bearer");
    return response;
  };
}

Error failed(const std::string& what, const std::string& path) {
  return Error::unavailable("cannot " + what + " " + path + ": " + std::strerror(errno));
}

// Made with its mode, never readable by others for a moment; a link is not followed.
Status write_secret(const std::string& path, const std::string& text) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return failed("create", path);
  const bool written = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                       ::fsync(fd) == 0;
  const auto failure = written ? Status::success() : Status(failed("write", path));
  ::close(fd);
  return failure;
}

}  // namespace

bool is_loopback(const std::string& ip) { return starts_with(ip, "127.") || ip == "::1"; }

std::vector<http::Guard> guards_of(const Access& access) {
  std::vector<http::Guard> guards;
  if (access.loopback) {
    guards.push_back(http::only_hosts({"localhost", "127.0.0.1", "::1"}));
  } else {
    guards.push_back(only_own_pages);
  }
  if (!access.token.empty()) guards.push_back(needs_token(access.token));
  return guards;
}

std::string token_path(const std::string& folder) { return files::join(folder, "serve-token"); }

Result<std::string> stored_token(const std::string& folder) {
  const auto path = token_path(folder);
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) {
    SLIPWAY_CHECK(files::make_directories(folder));
    SLIPWAY_CHECK(write_secret(path, new_trace_id() + new_trace_id() + "\n"));
  } else if (!S_ISREG(status.st_mode) || (status.st_mode & 077) != 0) {
    return Error::permission_denied(path + " can be read by others",
                                    "remove it, and the next start makes a new token");
  }
  SLIPWAY_TRY(text, files::read(path, 4096));
  const auto token = std::string(trim(text));
  if (token.size() < fewest_token_bytes) {
    return Error::invalid_input(path + " holds no token of at least 16 characters",
                                "remove it, and the next start makes a new one");
  }
  return token;
}

}  // namespace slipway::serve
