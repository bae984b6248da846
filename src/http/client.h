// An HTTP/1.1 and HTTPS client over libcurl: explicit limits, no surprises. It follows no redirect,
// reads no proxy variable, speaks only http and https.
//
//     http::Client client;
//     auto response = client.send({.url = "http://127.0.0.1:8765/weather/boston"});
//     if (response.ok() && response->status == 200) use(response->body);
//
// Thread-safe: any number of threads may call send at once; connections are kept alive and reused.
// Times are milliseconds. Error texts name host and port only, never path or query (they may hold
// a secret). URL rules: RFC 3986, narrowed to what two parsers cannot read differently.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/cancel.h"
#include "base/result.h"

namespace slipway::http {

using Headers = std::vector<std::pair<std::string, std::string>>;  // in order; names: any case
const std::string* find_header(const Headers& headers, std::string_view name);

// Decides, when the socket opens and again before each request is sent, whether this peer address
// may be reached ("127.0.0.1", "::1"). The last word against a name that resolves into a private
// range, also on a connection that another request opened.
using AddressPolicy = std::function<bool(const std::string& ip)>;
// Everything but the public internet: loopback, private, shared, link-local, unique-local,
// multicast, reserved, unspecified, IPv6 forms that carry such an IPv4 address, and what is no
// address at all.
bool is_private_address(const std::string& ip);

struct Request {
  std::string method = "GET";
  std::string url;
  Headers headers;
  std::string body;
  int connect_timeout_ms = 5'000;
  int timeout_ms = 30'000;              // the whole exchange; 0: no limit
  size_t max_response_bytes = 8 << 20;  // then the transfer stops with Error exhausted
  AddressPolicy address_policy;         // empty: every address
  CancelToken cancel;                   // noticed within 50 ms
  // When set, receives body bytes as they arrive (body stays empty), on the calling thread; return
  // false to stop, which is no error.
  std::function<bool(std::string_view)> on_body;
};

struct Response {
  int status = 0;
  Headers headers;
  std::string body;
  double elapsed_ms = 0;

  bool ok() const { return status >= 200 && status < 300; }
};

class Client {
 public:
  Client();
  ~Client();
  // Any status is a Response. Errors: invalid_input (URL, method, header), unavailable (refused,
  // reset, TLS, name), timeout, exhausted, permission_denied (address policy), cancelled.
  Result<Response> send(const Request& request);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Splits "https://host:port/path?query" (a fragment is dropped; user names and passwords, spaces,
// backslashes and non-ASCII bytes are refused). host is lower case, an IPv6 host has no brackets.
struct Url {
  std::string scheme, host, path, query;
  int port = 0;
  std::string origin() const;     // scheme://host:port, the default port made explicit
  std::string authority() const;  // host:port
  std::string text() const;       // the whole URL again
};
Result<Url> parse_url(std::string_view text);
std::string percent_encode(std::string_view text);  // RFC 3986 unreserved characters stay
Result<std::string> percent_decode(std::string_view text);

}  // namespace slipway::http
