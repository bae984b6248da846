// A file on the web, in pieces: each is one request with a Range, so a stalled connection costs one
// piece and an interrupted pull continues at the last. A server that does not know Range sends the
// whole file, which is then streamed.
#include <algorithm>
#include <charconv>
#include <optional>

#include "base/clock.h"
#include "base/text.h"
#include "http/client.h"
#include "model/pull.h"

namespace slipway::model {
namespace {

constexpr uint64_t piece_bytes = 8 << 20;
constexpr int piece_timeout_ms = 180'000;
constexpr int whole_timeout_ms = 6 * 3'600'000;
constexpr int max_redirects = 5;

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

Result<std::string> redirect_target(const std::string& from, const http::Headers& headers) {
  const std::string* location = http::find_header(headers, "Location");
  SLIPWAY_TRY(base, http::parse_url(from));
  if (!location || location->empty()) return Error::unavailable("a redirect without a target");
  const std::string target = location->front() == '/' && !starts_with(*location, "//")
                                 ? base.origin() + *location
                                 : *location;
  SLIPWAY_TRY(parsed, http::parse_url(target));
  if (base.scheme == "https" && parsed.scheme != "https") {
    return Error::permission_denied("a redirect from https to " + parsed.scheme +
                                    " is not followed");
  }
  return target;
}

// The first and total of "bytes 0-99/1234".
struct ContentRange {
  uint64_t first = 0, total = 0;
};
std::optional<ContentRange> content_range(const http::Headers& headers) {
  const std::string* header = http::find_header(headers, "Content-Range");
  constexpr std::string_view unit = "bytes ";
  if (!header || !starts_with(*header, unit)) return std::nullopt;
  ContentRange range;
  const char* end = header->data() + header->size();
  if (std::from_chars(header->data() + unit.size(), end, range.first).ec != std::errc())
    return std::nullopt;
  const size_t slash = header->find('/');
  if (slash == std::string::npos) return std::nullopt;
  if (std::from_chars(header->data() + slash + 1, end, range.total).ec != std::errc())
    return std::nullopt;
  return range;
}

class Fetch {
 public:
  Fetch(const Source& source, PartFile& file) : source_(source), file_(file), url_(source.url) {}

  Status run() {
    while (file_.bytes() < file_.wanted_bytes()) {
      auto piece = ask(piece_request());
      if (!piece.ok() && piece.error().code() == ErrorCode::exhausted) return stream();
      if (!piece.ok()) return piece.error();
      SLIPWAY_CHECK(take(*piece));
      SLIPWAY_CHECK(file_.commit(0));
    }
    return {};
  }

 private:
  http::Request piece_request() const {
    const uint64_t last = std::min(file_.bytes() + piece_bytes, file_.wanted_bytes()) - 1;
    http::Request request;
    request.headers = {
        {"Range", "bytes=" + std::to_string(file_.bytes()) + "-" + std::to_string(last)}};
    request.timeout_ms = piece_timeout_ms;
    request.max_response_bytes = piece_bytes;
    return request;
  }

  // Repeats what is worth repeating, follows redirects; what comes back is a success or a final
  // error.
  Result<http::Response> ask(http::Request request) {
    const RetryPolicy& policy = file_.options().retry;
    request.cancel = file_.options().cancel;
    int redirects = 0;
    for (int attempt = 0;;) {
      request.url = url_;
      auto response = client_.send(request);
      if (response.ok() && is_redirect(response->status) && redirects++ < max_redirects) {
        SLIPWAY_TRY(target, redirect_target(url_, response->headers));
        url_ = target;
        continue;
      }
      if (response.ok() && (response->status == 200 || response->status == 206)) return response;
      const Error error = response.ok() ? status_error(response->status) : response.error();
      const bool moved = response.ok() && url_ != source_.url && response->status < 500;
      if (!again(response, moved) || ++attempt >= policy.max_attempts) return error;
      if (moved) url_ = source_.url;  // the place we were sent to is valid for a time only
      const double asked =
          response.ok() ? retry_after_ms(response->headers, now_unix_ms()).value_or(0) : 0;
      if (asked > policy.max_asked_ms) return error;
      if (!retry_pause(std::max(asked, backoff_ms(policy, attempt - 1)), request.cancel))
        return Error::cancelled();
    }
  }

  static bool again(const Result<http::Response>& response, bool moved) {
    if (response.ok()) return moved || worth_retrying(response->status);
    const ErrorCode code = response.error().code();
    return code == ErrorCode::unavailable || code == ErrorCode::timeout;
  }

  Error status_error(int status) const {
    const std::string message =
        source_.describe() + " answered with status " + std::to_string(status);
    if (status == 404 || status == 410)
      return Error::not_found(message, "check the catalog's URL, or another source");
    if (status == 401 || status == 403) {
      return Error::permission_denied(
          message, "download the file yourself and name its path, or another source");
    }
    return Error::unavailable(message, "try again later; the pull continues where it stopped");
  }

  Status take(const http::Response& response) {
    if (response.status == 200) {  // the whole file, small enough to have come at once
      SLIPWAY_CHECK(file_.restart());
      SLIPWAY_CHECK(file_.append(response.body));
      return file_.bytes() == file_.wanted_bytes() ? Status() : Status(size_error(file_.bytes()));
    }
    const auto range = content_range(response.headers);
    if (!range || range->first != file_.bytes() || response.body.empty()) {
      return Error::unavailable(source_.describe() + " sent another piece than asked for",
                                "try again, or another source");
    }
    if (range->total != 0 && range->total != file_.wanted_bytes()) return size_error(range->total);
    return file_.append(response.body);
  }

  Error size_error(uint64_t bytes) const {
    return Error::corrupt(source_.describe() + " has " + std::to_string(bytes) +
                              " bytes instead of " + std::to_string(file_.wanted_bytes()),
                          "it is another file than the catalog's; try another source");
  }

  Status stream() {
    SLIPWAY_CHECK(file_.restart());
    Status written;
    http::Request request;
    request.url = url_;
    request.timeout_ms = whole_timeout_ms;
    request.max_response_bytes = file_.wanted_bytes() + piece_bytes;
    request.cancel = file_.options().cancel;
    request.on_body = [&](std::string_view bytes) {
      written = file_.append(bytes);
      return written.ok();
    };
    const auto response = client_.send(request);
    if (written.ok() && response.ok() && response->status == 200) {
      return file_.bytes() == file_.wanted_bytes() ? file_.commit(0)
                                                   : Status(size_error(file_.bytes()));
    }
    SLIPWAY_CHECK(file_.restart());
    if (!written.ok()) return written.error();
    return response.ok() ? status_error(response->status) : response.error();
  }

  const Source& source_;
  PartFile& file_;
  std::string url_;
  http::Client client_;
};

}  // namespace

Status fetch_url(const Source& source, PartFile& file) {
  file.doing("downloading " + source.describe());
  return Fetch(source, file).run();
}

}  // namespace slipway::model
