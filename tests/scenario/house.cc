#include "house.h"

#include <doctest/doctest.h>

#include <chrono>
#include <thread>

#include "base/files.h"
#include "http/client.h"

namespace slipway::scenario {
namespace {

BackgroundProcess start(const Sandbox& box) {
  auto process =
      BackgroundProcess::start({HOME_SERVICE, "--port", "0", "--audio", "null", "--music-folder",
                                box.path("music"), "--state-folder", box.path("state")},
                               {}, box.path("service.log"));
  REQUIRE(process.ok());
  return std::move(*process);
}

}  // namespace

House::House() : process(start(box)) {
  const std::string mark = "listening on ";
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (url.empty()) {
    REQUIRE(process.running());
    REQUIRE(std::chrono::steady_clock::now() < deadline);
    const auto log = files::read(box.path("service.log")).value_or("");
    const auto at = log.find(mark);
    const auto end = log.find('\n', at);
    if (at != std::string::npos && end != std::string::npos) {
      url = log.substr(at + mark.size(), end - at - mark.size());
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

json::Value House::state(const std::string& path) const {
  auto response = http::Client().send({.url = url + path});
  REQUIRE(response.ok());
  auto value = json::parse(response->body);
  REQUIRE(value.ok());
  return *value;
}

void write_home_skills(const Sandbox& box, const House& house) {
  for (const auto& name : files::list(files::join(SOURCE_DIR, "examples/home/skills"))) {
    box.write("skills/" + name, home_example("skills/" + name));
    box.replace("skills/" + name, "http://127.0.0.1:8765", house.url);
  }
}

std::string home_example(const std::string& name) {
  auto text = files::read(files::join(SOURCE_DIR, "examples/home/" + name));
  INFO(name);
  REQUIRE(text.ok());
  return std::move(*text);
}

}  // namespace slipway::scenario
