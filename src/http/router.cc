#include "http/router.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace slipway::http {

namespace {

Result<std::string> decode(std::string_view text) {
  SLIPWAY_TRY(plain, percent_decode(text));
  if (plain.find('\0') != std::string::npos) {
    return Error::invalid_input("the request's target holds a zero byte");
  }
  return plain;
}

}  // namespace

bool Router::more_specific(const Route& a, const Route& b) {
  return std::lexicographical_compare(
      a.segments.begin(), a.segments.end(), b.segments.begin(), b.segments.end(),
      [](const Segment& left, const Segment& right) { return left.kind < right.kind; });
}

void Router::add(std::string method, std::string_view pattern, Handler handler) {
  Route route{.method = std::move(method), .segments = {}, .handler = std::move(handler)};
  for (const std::string& text : split(pattern, '/')) {
    const bool named = text.size() > 2 && text.front() == '{' && text.back() == '}';
    if (!named) {
      route.segments.push_back({Kind::literal, text});
      continue;
    }
    const std::string name = text.substr(1, text.size() - 2);
    const bool rest = name.back() == '*';
    route.segments.push_back(
        {rest ? Kind::rest : Kind::param, rest ? name.substr(0, name.size() - 1) : name});
  }
  const auto place = std::upper_bound(routes_.begin(), routes_.end(), route, more_specific);
  routes_.insert(place, std::move(route));
}

bool Router::matches(const Route& route, const std::vector<std::string>& path,
                     std::map<std::string, std::string>& params) {
  params.clear();
  for (size_t i = 0; i < route.segments.size(); ++i) {
    const Segment& segment = route.segments[i];
    if (i >= path.size()) return false;
    if (segment.kind == Kind::rest) {
      params[segment.text] = join({path.begin() + static_cast<long>(i), path.end()}, "/");
      return true;
    }
    if (segment.kind == Kind::literal && segment.text != path[i]) return false;
    if (segment.kind == Kind::param) {
      if (path[i].empty()) return false;
      params[segment.text] = path[i];
    }
  }
  return path.size() == route.segments.size();
}

Result<Router::Match> Router::find(std::string_view method, std::string_view raw_path) const {
  std::vector<std::string> path;
  for (const std::string& segment : split(raw_path, '/')) {
    SLIPWAY_TRY(plain, decode(segment));
    path.push_back(std::move(plain));
  }
  Match match;
  const auto search = [&](std::string_view wanted) {
    for (const Route& route : routes_) {
      if (route.method != wanted || !matches(route, path, match.params)) continue;
      match.handler = &route.handler;
      return;
    }
  };
  search(method);
  if (!match.handler && method == "HEAD") search("GET");
  if (match.handler) return match;
  for (const Route& route : routes_) {
    if (!matches(route, path, match.params)) continue;
    match.allowed.push_back(route.method);
    if (route.method == "GET") match.allowed.push_back("HEAD");
  }
  std::sort(match.allowed.begin(), match.allowed.end());
  match.allowed.erase(std::unique(match.allowed.begin(), match.allowed.end()), match.allowed.end());
  return match;
}

Result<std::vector<std::pair<std::string, std::string>>> parse_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> out;
  for (std::string pair : split(query, '&')) {
    if (pair.empty()) continue;
    std::replace(pair.begin(), pair.end(), '+', ' ');
    const size_t equals = pair.find('=');
    SLIPWAY_TRY(name, decode(std::string_view(pair).substr(0, equals)));
    SLIPWAY_TRY(value,
                decode(equals == std::string::npos ? std::string_view{}
                                                   : std::string_view(pair).substr(equals + 1)));
    out.emplace_back(std::move(name), std::move(value));
  }
  return out;
}

}  // namespace slipway::http
