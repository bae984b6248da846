#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "http/client.h"

namespace slipway::http {

namespace {

constexpr std::string_view kUrlHint = "a URL looks like http://127.0.0.1:8765/path?name=value";

bool is_alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Error bad_url(std::string message) {
  return Error::invalid_input(std::move(message), std::string(kUrlHint));
}

// Only what every URL parser reads alike, so that the host we checked is the host libcurl dials.
bool is_host(std::string_view host, bool bracketed) {
  if (host.empty() || host.size() > 253) return false;
  for (const char c : host) {
    const bool allowed = bracketed ? hex_digit(c) >= 0 || c == ':' || c == '.'
                                   : is_alnum(c) || c == '.' || c == '-' || c == '_';
    if (!allowed) return false;
  }
  return true;
}

Result<int> parse_port(std::string_view text, const std::string& scheme) {
  if (text.empty()) return scheme == "https" ? 443 : 80;
  int port = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (failure != std::errc() || end != text.data() + text.size() || port < 1 || port > 65535) {
    return bad_url("the URL's port is no number from 1 to 65535");
  }
  return port;
}

Status split_authority(std::string_view authority, Url& url) {
  if (authority.find('@') != std::string_view::npos) {
    return Error::invalid_input("the URL holds a user name or password",
                                "send an Authorization header instead");
  }
  const bool bracketed = authority.starts_with('[');
  std::string_view host, rest;
  if (bracketed) {
    const size_t close = authority.find(']');
    if (close == std::string_view::npos) return bad_url("the URL's IPv6 host lacks its ']'");
    host = authority.substr(1, close - 1);
    rest = authority.substr(close + 1);
  } else {
    const size_t colon = authority.find(':');
    host = authority.substr(0, colon);
    rest = colon == std::string_view::npos ? "" : authority.substr(colon);
  }
  if (!is_host(host, bracketed)) return bad_url("the URL has no valid host");
  if (!rest.empty() && rest.front() != ':') return bad_url("the URL's port is not valid");
  SLIPWAY_TRY(port, parse_port(rest.empty() ? rest : rest.substr(1), url.scheme));
  url.host = to_lower(host);
  url.port = port;
  return Status::success();
}

}  // namespace

std::string Url::authority() const {
  const bool ipv6 = host.find(':') != std::string::npos;
  return (ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::string Url::origin() const { return scheme + "://" + authority(); }

std::string Url::text() const { return origin() + path + (query.empty() ? "" : "?" + query); }

Result<Url> parse_url(std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= ' ' || byte >= 0x7f || c == '\\') {
      return bad_url("the URL holds a space, control, backslash or non-ASCII character; "
                     "percent-encode it");
    }
  }
  Url url;
  const size_t colon = text.find("://");
  if (colon == std::string_view::npos) return bad_url("the URL has no scheme");
  url.scheme = to_lower(text.substr(0, colon));
  if (url.scheme != "http" && url.scheme != "https") {
    return bad_url("the URL's scheme is neither http nor https");
  }
  text = text.substr(colon + 3);
  text = text.substr(0, text.find('#'));
  const size_t authority_end = std::min(text.find_first_of("/?"), text.size());
  SLIPWAY_CHECK(split_authority(text.substr(0, authority_end), url));
  text = text.substr(authority_end);
  const size_t question = text.find('?');
  url.path = text.substr(0, question);
  if (url.path.empty()) url.path = "/";
  if (question != std::string_view::npos) url.query = text.substr(question + 1);
  return url;
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (is_alnum(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += {'%', digits[byte >> 4], digits[byte & 15]};
  }
  return out;
}

Result<std::string> percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0) {
      return Error::invalid_input("a '%' is not followed by two hexadecimal digits",
                                  "write a plain '%' as %25");
    }
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

}  // namespace slipway::http
