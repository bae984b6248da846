#include "serving.h"

#include <doctest/doctest.h>

#include <chrono>
#include <thread>

#include "base/files.h"

namespace slipway::scenario {
namespace {

std::vector<std::string> arguments(std::vector<std::string> more) {
  more.insert(more.begin(), {"serve", "--port", "0", "--json"});
  return more;
}

}  // namespace

Serving::Serving(const Sandbox& in, std::vector<std::string> more)
    : box(in), child(in.start(arguments(std::move(more)))) {
  const auto path = files::join(box.root(), "stdout.txt");
  std::string line;
  while (line.find('\n') == std::string::npos && !child.ended()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    line = files::read(path).value_or("");
  }
  INFO(files::read(files::join(box.root(), "stderr.txt")).value_or(""));
  started = parsed(line.substr(0, line.find('\n')));
}

http::Response Serving::post(const std::string& path, const std::string& body,
                             const std::string& token) {
  http::Request request{.method = "POST", .url = started.text("url") + path, .body = body};
  request.headers = {{"Content-Type", "application/json"}};
  if (!token.empty()) request.headers.emplace_back("Authorization", "Bearer " + token);
  const auto port = request.url.rfind("//0.0.0.0");
  if (port != std::string::npos) request.url.replace(port, 9, "//127.0.0.1");
  auto response = client.send(request);
  REQUIRE(response.ok());
  return *response;
}

std::string Serving::said() const {
  return files::read(files::join(box.root(), "stdout.txt")).value_or("") +
         files::read(files::join(box.root(), "stderr.txt")).value_or("");
}

json::Value parsed(const std::string& text) {
  auto value = json::parse(text);
  INFO(text);
  REQUIRE(value.ok());
  return std::move(*value);
}

}  // namespace slipway::scenario
