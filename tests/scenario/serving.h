// `slipway serve` of a sandbox's project, started on a port of the system's choice.
//
//     Serving serving(box, {"--candidate", "production"});
//     serving.post("/v1/assistant", R"({"input": "boston"})").body;
//     serving.child.signal(SIGTERM);
//
// Fails the test when it does not start. One thread.
#pragma once

#include <string>
#include <vector>

#include "http/client.h"
#include "json/value.h"
#include "sandbox.h"

namespace slipway::scenario {

struct Serving {
  const Sandbox& box;
  Child child;
  json::Value started;  // what `serve --json` printed
  http::Client client;

  explicit Serving(const Sandbox& in, std::vector<std::string> more = {});
  http::Response post(const std::string& path, const std::string& body,
                      const std::string& token = {});
  std::string said() const;  // both streams
};

// Fails the test when it is no JSON.
json::Value parsed(const std::string& text);

}  // namespace slipway::scenario
