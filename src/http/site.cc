#include "http/site.h"

#include <algorithm>
#include <exception>

#include "base/text.h"

namespace slipway::http {

namespace {

ServerResponse not_served(const ServerRequest& request, const std::vector<std::string>& allowed) {
  if (allowed.empty()) {
    return ServerResponse::error(Error::not_found("nothing is served at " + request.path));
  }
  const std::string methods = join(allowed, ", ");
  auto response = ServerResponse::error(
      405, Error::unsupported(request.path + " does not take " + request.method,
                              "use one of: " + methods));
  response.headers.emplace_back("Allow", methods);
  return response;
}

}  // namespace

ServerResponse bad_request(std::string message) {
  return ServerResponse::error(400, Error::invalid_input(std::move(message)));
}

void Site::report(const std::string& line) const {
  if (options.on_failure) options.on_failure(line);
}

// The reason goes to the log only: it may hold what the caller must not see.
ServerResponse Site::failed(const ServerRequest& request, const std::string& what) const {
  report(request.method + " " + request.path + ": " + what);
  return ServerResponse::error(
      500, Error::internal("the server failed on " + request.method + " " + request.path));
}

std::optional<ServerResponse> Site::refusal(const ServerRequest& request) const {
  try {
    for (const Guard& guard : guards) {
      if (auto refused = guard(request)) return refused;
    }
    return std::nullopt;
  } catch (const std::exception& e) {
    return failed(request, e.what());
  } catch (...) {
    return failed(request, "unknown exception");
  }
}

ServerResponse Site::handle(ServerRequest& request, std::string_view raw_path) const {
  if (auto refused = refusal(request)) return std::move(*refused);
  std::string what = "unknown exception";
  try {
    auto match = router.find(request.method, raw_path);
    if (!match.ok()) return bad_request(match.error().message());
    if (!match->handler) return not_served(request, match->allowed);
    request.params = std::move(match->params);
    auto response = (*match->handler)(request);
    if (response.status >= 200 && response.status <= 599) return response;
    what = "the handler returned status " + std::to_string(response.status);
  } catch (const std::exception& e) {
    what = e.what();
  } catch (...) {
  }
  return failed(request, what);
}

bool Site::next_piece(const ServerResponse& response, std::optional<std::string>& piece) const {
  try {
    piece = response.next();
    return true;
  } catch (const std::exception& e) {
    report(std::string("a streamed answer broke off: ") + e.what());
  } catch (...) {
    report("a streamed answer broke off: unknown exception");
  }
  return false;
}

size_t Site::body_limit(std::string_view target) const {
  for (const auto& [prefix, bytes] : options.larger_bodies) {
    if (target.starts_with(prefix)) return bytes;
  }
  return options.max_body_bytes;
}

size_t Site::largest_body() const {
  size_t largest = options.max_body_bytes;
  for (const auto& [prefix, bytes] : options.larger_bodies) largest = std::max(largest, bytes);
  return largest;
}

Result<std::string> read_target(std::string target, ServerRequest& request) {
  if (target.starts_with("http://") || target.starts_with("https://")) {
    SLIPWAY_TRY(url, parse_url(target));
    target = url.path + (url.query.empty() ? "" : "?" + url.query);
  }
  if (!target.starts_with('/')) {
    return Error::invalid_input("the request's target does not start with '/'");
  }
  const size_t question = target.find('?');
  std::string raw_path = target.substr(0, question);
  SLIPWAY_TRY(path, percent_decode(raw_path));
  request.path = std::move(path);
  if (question != std::string::npos) {
    SLIPWAY_TRY(pairs, parse_query(std::string_view(target).substr(question + 1)));
    for (const auto& [name, value] : pairs) request.query[name] = value;
    request.query_pairs = std::move(pairs);
  }
  return raw_path;
}

}  // namespace slipway::http
