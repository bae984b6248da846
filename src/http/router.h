// Finds the handler of a method and path among patterns such as "/runs/{id}/files/{path*}".
//
//     Router router;
//     router.add("GET", "/weather/{location}", handler);
//     auto match = router.find("GET", "/weather/new%20york");  // params: location = "new york"
//
// Private to src/http. add() first, then find() from any thread. Segments are decoded after the
// path is split, so %2F stays inside its parameter.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "http/server.h"

namespace slipway::http {

class Router {
 public:
  struct Match {
    const Handler* handler = nullptr;
    std::map<std::string, std::string> params;
    std::vector<std::string> allowed;  // without a handler: the methods this path has; empty: 404
  };

  void add(std::string method, std::string_view pattern, Handler handler);
  // Error invalid_input: bad percent-encoding.
  Result<Match> find(std::string_view method, std::string_view raw_path) const;

 private:
  enum class Kind { literal, param, rest };  // in the order of preference
  struct Segment {
    Kind kind;
    std::string text;
  };
  struct Route {
    std::string method;
    std::vector<Segment> segments;
    Handler handler;
  };
  static bool more_specific(const Route& a, const Route& b);
  static bool matches(const Route& route, const std::vector<std::string>& path,
                      std::map<std::string, std::string>& params);

  std::vector<Route> routes_;  // most specific first
};

// Decodes "a=1&b=x+y". Error invalid_input: bad percent-encoding.
Result<std::vector<std::pair<std::string, std::string>>> parse_query(std::string_view query);

}  // namespace slipway::http
