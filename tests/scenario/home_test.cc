// The example's skills act on the real home-service.
#include <doctest/doctest.h>

#include "base/files.h"
#include "house.h"
#include "project.h"

using namespace slipway;
using namespace slipway::scenario;

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
  write_project(box, model.url(), house.url);
  REQUIRE(files::remove_all(box.path("skills")).ok());
  write_home_skills(box, house);
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

TEST_CASE("demo climbs another project's ladder and asks it for nothing") {
  Fixture f(says("music.play(title='baby shark')"), weather_service());
  f.box.write("skills/music.json", home_example("skills/music.json"));
  f.box.replace("skills/music.json", "http://127.0.0.1:8765", f.service.url());
  f.box.write("slipway.toml", f.box.read("slipway.toml") +
                                  "\n[ladder]\ndataset = \"test\"\nrungs = [\"plain\"]\n");
  const auto climbed = f.box.run({"demo"});
  INFO(climbed.out, climbed.err);
  CHECK(climbed.exit_code == exits::ok);
  CHECK(contains(climbed.out, "Next:"));
  CHECK(!contains(climbed.out, "baby shark"));
  CHECK(f.service.count() == 0);
  CHECK(!files::exists(f.box.path(".slipway/service")));
  CHECK(f.records().integer("SELECT count(*) FROM runs WHERE kind = 'ladder'") == 1);
  CHECK(f.records().integer("SELECT count(*) FROM runs WHERE kind = 'ask'") == 0);
}
