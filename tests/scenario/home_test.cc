// The example's skills act on the real home-service.
#include <doctest/doctest.h>

#include <chrono>
#include <thread>

#include "base/files.h"
#include "base/process.h"
#include "http/client.h"
#include "project.h"

using namespace slipway;
using namespace slipway::scenario;

namespace {

// home-service on a port of the system's choice.
struct House {
  Sandbox box;
  BackgroundProcess process;
  std::string url;

  House() : process(start(box)) {
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

  static BackgroundProcess start(const Sandbox& box) {
    auto process = BackgroundProcess::start(
        {HOME_SERVICE, "--port", "0", "--audio", "null", "--music-folder", box.path("music"),
         "--state-folder", box.path("state")},
        {}, box.path("service.log"));
    REQUIRE(process.ok());
    return std::move(*process);
  }

  json::Value state(const std::string& path) const {
    auto response = http::Client().send({.url = url + path});
    REQUIRE(response.ok());
    auto value = json::parse(response->body);
    REQUIRE(value.ok());
    return *value;
  }
};

// The example's own skill files, which speak to the house on its port of today.
void write_home_project(const Sandbox& box, const std::string& endpoint, const House& house) {
  const auto example = files::join(SOURCE_DIR, "examples/home");
  write_project(box, endpoint, house.url);
  REQUIRE(files::remove_all(box.path("skills")).ok());
  for (const auto& name : files::list(files::join(example, "skills"))) {
    auto text = files::read(files::join(example, "skills/" + name));
    REQUIRE(text.ok());
    box.write("skills/" + name, *text);
    box.replace("skills/" + name, "http://127.0.0.1:8765", house.url);
  }
}

}  // namespace

TEST_CASE("\"play baby shark\" plays baby shark") {
  House house;
  Peer model(says([](const std::string& asked) {
    if (asked == "play baby shark") return "music.play(title='baby shark')";
    if (asked == "stop it") return "music.stop()";
    if (asked == "pasta is on") return "timers.set_timer(duration='10 minutes', label='pasta')";
    if (asked == "it is dark") return "lights.turn_on(room='kitchen')";
    return "music.play(title='no such song at all')";
  }));
  Sandbox box;
  write_home_project(box, model.url(), house);
  CHECK(house.state("/music/state").text("status") == "stopped");

  const auto played = box.run({"ask", "play", "baby", "shark"});
  INFO(played.out, played.err);
  CHECK(played.exit_code == exits::ok);
  CHECK(contains(played.out, "✓ music.play(title='baby shark')"));
  CHECK(contains(played.out, "Playing"));
  CHECK(house.state("/music/state").text("status") == "playing");
  CHECK(house.state("/music/state").text("title") == "baby shark");

  CHECK(box.run({"ask", "stop it"}).exit_code == exits::ok);
  CHECK(house.state("/music/state").text("status") == "stopped");

  CHECK(box.run({"ask", "pasta is on"}).exit_code == exits::ok);
  CHECK(contains(house.state("/timers").dump(), "pasta"));

  CHECK(box.run({"ask", "it is dark"}).exit_code == exits::ok);
  CHECK(contains(house.state("/lights").dump(), "kitchen"));

  const auto unknown = box.run({"ask", "play something odd"});
  INFO(unknown.out);
  CHECK(unknown.exit_code == exits::said_no);
  CHECK(contains(unknown.out, "404"));
  CHECK(Records(box.path(".slipway")).sound());
}
