#include "house.h"

#include <doctest/doctest.h>

#include <future>

#include "base/files.h"
#include "base/ids.h"
#include "tunes.h"

namespace slipway::home {
namespace {

struct Folder {
  std::string path = "/tmp/home-service-test-" + new_span_id();
  ~Folder() { (void)files::remove_all(path); }
};

json::Value body(const char* text) { return *json::parse(text); }

struct Home {
  Folder folder;
  std::unique_ptr<Player> player = std::move(Player::open(AudioMode::null_device)).value();
  std::unique_ptr<House> house;
  Home() { reopen(); }
  void reopen() {
    house.reset();
    house = std::make_unique<House>(HouseOptions{folder.path + "/music", folder.path + "/state"},
                                    *player);
    REQUIRE(house->open().ok());
  }
};

TEST_CASE("music: an empty folder gets tunes, which really play, pause, go on and stop") {
  Home home;
  CHECK(home.house->titles().size() == 6);
  auto state = home.house->play("Baby Shark");
  REQUIRE(state.ok());
  CHECK(state->text("status") == "playing");
  CHECK(state->text("title") == "baby shark");
  CHECK(state->text("device") == "Null");
  CHECK(state->number("length_s") > 5);
  REQUIRE(home.player->pause().ok());
  CHECK(home.house->music_state().text("status") == "paused");
  REQUIRE(home.player->resume().ok());
  CHECK(home.house->music_state().text("status") == "playing");
  home.player->stop();
  CHECK(home.house->music_state().text("status") == "stopped");
  CHECK_FALSE(home.player->pause().ok());
  CHECK(home.house->play("bohemian rhapsody").error().code() == ErrorCode::not_found);
  CHECK(home.house->set_volume(body(R"({"level": "40"})"))->number("volume") == 40);
  CHECK_FALSE(home.house->set_volume(body(R"({"level": 101})")).ok());
  CHECK_FALSE(home.house->set_volume(body(R"({"level": 1.5})")).ok());
}

TEST_CASE("lights: state, brightness, unknown rooms, restart") {
  Home home;
  CHECK(home.house->set_light("Living Room", body(R"({"on": true})"))->flag("on"));
  CHECK(home.house->set_light("office", body(R"({"percent": 40})"))->number("brightness") == 40);
  CHECK_FALSE(home.house->set_light("office", body(R"({"percent": 0})"))->flag("on"));
  CHECK(home.house->set_light("cellar", body(R"({"on": true})")).error().code() ==
        ErrorCode::not_found);
  CHECK(home.house->set_light("office", body("{}")).error().code() == ErrorCode::invalid_input);
  const std::string before = home.house->lights().dump();
  home.reopen();
  CHECK(home.house->lights().dump() == before);
}

TEST_CASE("timers: set, list, cancel by label or the last, restart") {
  Home home;
  CHECK(home.house->set_timer(body(R"({"duration": "half an hour", "label": "pasta"})"))
            ->text("spoken") == "30 minutes");
  CHECK(home.house->set_timer(body(R"({"duration": "2 hours"})")).ok());
  CHECK(home.house->set_timer(body(R"({"duration": "3 hours"})")).ok());
  CHECK_FALSE(home.house->set_timer(body(R"({"duration": "soon"})")).ok());
  home.reopen();
  CHECK(home.house->cancel_timer(body("{}"))->number("duration_ms") == 3 * 3'600'000);
  CHECK(home.house->cancel_timer(body(R"({"label": "Pasta"})"))->text("label") == "pasta");
  CHECK(home.house->cancel_timer(body(R"({"label": "rice"})")).error().code() ==
        ErrorCode::not_found);
  CHECK(home.house->cancel_timer(body("{}")).ok());
  CHECK(home.house->cancel_timer(body("{}")).error().code() == ErrorCode::not_found);
}

TEST_CASE("timers: firing is told once, and a timer due while nothing ran fires on load") {
  Folder folder;
  const std::string path = folder.path + "/timers.json";
  {
    std::promise<std::string> fired;
    Timers timers(path, [&](const Timer& timer) { fired.set_value(timer.label); });
    REQUIRE(timers.load().ok());
    REQUIRE(timers.set(3'600'000, "later").ok());
    REQUIRE(timers.set(1, "tea").ok());
    CHECK(fired.get_future().get() == "tea");
    auto state = timers.to_json();
    CHECK(state.number("fired_count") == 1);
    CHECK(state.get("running")->size() == 1);
    CHECK(state.text("summary").find("the later timer with ") != std::string::npos);
  }
  auto saved = json::parse(*files::read(path));
  REQUIRE(saved.ok());
  saved->get("running")->as_array()[0].set("due_unix_ms", 1);
  REQUIRE(files::write_atomic(path, saved->dump()).ok());
  std::promise<std::string> fired;
  Timers timers(path, [&](const Timer& timer) { fired.set_value(timer.label); });
  REQUIRE(timers.load().ok());
  CHECK(fired.get_future().get() == "later");
  CHECK(timers.to_json().number("fired_count") == 2);
}

TEST_CASE("timers: a broken state file is an error, not a lost timer") {
  Folder folder;
  REQUIRE(files::write_atomic(folder.path + "/timers.json", "{").ok());
  Timers timers(folder.path + "/timers.json", [](const Timer&) {});
  CHECK(timers.load().error().code() == ErrorCode::corrupt);
}

TEST_CASE("weather") {
  Home home;
  auto weather = home.house->weather("boston", "tomorrow");
  REQUIRE(weather.ok());
  CHECK(weather->text("when") == "tomorrow");
  CHECK(weather->number("in_days") == 1);
  CHECK_FALSE(weather->text("conditions").empty());
  CHECK_FALSE(home.house->weather(" ", "").ok());
  CHECK_FALSE(home.house->weather("boston", "someday").ok());
}

TEST_CASE("notes") {
  auto wav = render_wav("a4:1 r:.5 bb3:2", 120);
  REQUIRE(wav.ok());
  CHECK(wav->size() == 44 + 2 * (11025 + 5512 + 22050));
  for (const char* notes : {"h4:1", "a4", "a4:0", "a9:1", "a4:99"})
    CHECK_FALSE(render_wav(notes, 120).ok());
}

}  // namespace
}  // namespace slipway::home
