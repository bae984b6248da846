#include "household.h"

#include <doctest/doctest.h>

#include "base/files.h"
#include "base/ids.h"
#include "house.h"
#include "when.h"

namespace slipway::home {
namespace {

struct Folder {
  std::string path = "/tmp/household-test-" + new_span_id();
  Folder() { REQUIRE(files::make_directories(path).ok()); }
  ~Folder() { (void)files::remove_all(path); }
  std::string state() const { return path + "/household.json"; }
};

json::Value body(const char* text) { return *json::parse(text); }

TEST_CASE("devices, doors and heating: set, told, unknown ones, restart") {
  Folder folder;
  Household household(folder.state());
  REQUIRE(household.load().ok());
  CHECK(household.set_device("TV", body(R"({"on": true})"))->flag("on"));
  CHECK(household.set_device("toaster", body(R"({"on": true})")).error().code() ==
        ErrorCode::not_found);
  CHECK(household.set_device("tv", body("{}")).error().code() == ErrorCode::invalid_input);
  CHECK(household.state_of("front door", "")->flag("locked"));
  CHECK_FALSE(household.set_door("front door", body(R"({"locked": false})"))->flag("locked"));
  CHECK(household.set_heating(body(R"({"degrees": 17, "room": "bedroom"})")).ok());
  CHECK_FALSE(household.set_heating(body(R"({"degrees": 31})")).ok());
  CHECK_FALSE(household.set_heating(body(R"({"degrees": 20, "room": "attic"})")).ok());
  Household again(folder.state());
  REQUIRE(again.load().ok());
  CHECK(again.state_of("tv", "")->text("summary") == "The tv is on.");
  CHECK(again.state_of("front door", "")->text("summary") == "The front door is unlocked.");
  CHECK(again.state_of("temperature", "bedroom")->number("degrees") == 17);
  CHECK(again.state_of("temperature", "")->number("degrees") == 20);
  CHECK(again.state_of("soul", "").error().code() == ErrorCode::not_found);
}

TEST_CASE("calendar: add, list by day and span, cancel") {
  Folder folder;
  Household household(folder.state());
  auto add = [&](const char* event) { return household.add_event(body(event)).ok(); };
  REQUIRE(add(R"({"title": "dinner", "date": "tomorrow", "time": "7 pm"})"));
  REQUIRE(add(R"({"title": "dentist", "date": "tomorrow", "time": "9"})"));
  REQUIRE(household.add_event(body(R"({"title": "nap"})")).ok());
  CHECK(household.events("tomorrow")->text("summary") ==
        "Planned tomorrow: dentist at 9:00 am and dinner at 7:00 pm.");
  CHECK(household.events("")->get("events")->size() == 1);
  CHECK(household.events("this week")->get("events")->size() == 3);
  CHECK(household.add_event(body(R"({"title": "x", "date": "someday"})")).error().code() ==
        ErrorCode::invalid_input);
  CHECK_FALSE(household.add_event(body(R"({"date": "tomorrow"})")).ok());
  CHECK_FALSE(household.cancel_event(body(R"({"title": "dinner", "date": "today"})")).ok());
  CHECK(household.cancel_event(body(R"({"title": "Dinner"})"))->text("title") == "dinner");
  CHECK(household.events("tomorrow")->get("events")->size() == 1);
}

TEST_CASE("lists: several items in one breath, other names of a list, restart") {
  Folder folder;
  Household household(folder.state());
  REQUIRE(household.add_item("grocery", "tomatoes, onions and garlic").ok());
  REQUIRE(household.add_item("packing", "warm socks").ok());
  CHECK(household.remove_item("shopping", "onions").ok());
  CHECK(household.remove_item("shopping", "caviar").error().code() == ErrorCode::not_found);
  CHECK(household.add_item("shopping", " ").error().code() == ErrorCode::invalid_input);
  Household again(folder.state());
  REQUIRE(again.load().ok());
  CHECK(again.read_list("shopping")->text("summary") ==
        "On the shopping list: tomatoes and garlic.");
  CHECK(again.read_list("packing")->get("items")->size() == 1);
  CHECK(again.read_list("wish").error().code() == ErrorCode::not_found);
}

TEST_CASE("facts and messages") {
  Folder folder;
  Household household(folder.state());
  const json::Value fact = body(R"({"key": "Emma's favourite song", "value": "baby shark"})");
  REQUIRE(household.remember(fact).ok());
  CHECK(household.recall("emma's favourite song")->text("value") == "baby shark");
  CHECK(household.recall("shoe size").error().code() == ErrorCode::not_found);
  CHECK(household.send(body(R"({"to": "anna", "text": "hi"})"))->text("to") == "anna");
  CHECK_FALSE(household.send(body(R"({"to": "anna"})")).ok());
  CHECK(household.outbox().get("messages")->size() == 1);
  REQUIRE(household.receive(body(R"({"from": "tom", "text": "late"})")).ok());
  CHECK(household.read_messages("anna")->number("count") == 0);
  CHECK(household.read_messages("tom")->text("summary") == "tom writes: late.");
  CHECK(household.read_messages("")->number("count") == 0);
}

TEST_CASE("what cannot be written does not happen, and a broken file is an error") {
  Folder folder;
  REQUIRE(files::write_atomic(folder.path + "/file", "no folder").ok());
  Household nowhere(folder.path + "/file/household.json");
  CHECK_FALSE(nowhere.add_item("shopping", "milk").ok());
  CHECK(nowhere.read_list("shopping")->get("items")->size() == 0);
  REQUIRE(files::write_atomic(folder.state(), "{").ok());
  CHECK(Household(folder.state()).load().error().code() == ErrorCode::corrupt);
}

TEST_CASE("the house: alarms, all lights, radio, any song") {
  Folder folder;
  auto player = std::move(Player::open(AudioMode::null_device)).value();
  House house({folder.path + "/music", folder.path + "/state"}, *player);
  REQUIRE(house.open().ok());
  CHECK(house.set_alarm(body(R"({"time": "6:20", "date": "tomorrow", "label": "gym"})"))
            ->text("spoken") == "6:20 am tomorrow");
  CHECK_FALSE(house.set_alarm(body(R"({"time": "soon"})")).ok());
  CHECK(house.timers().text("summary") == "No timer is running. Alarm: gym at 6:20.");
  CHECK_FALSE(house.cancel_alarm(body(R"({"time": "9 pm"})")).ok());
  CHECK(house.cancel_alarm(body(R"({"time": "6:20"})")).ok());
  CHECK(house.set_light("all", body(R"({"on": true})")).ok());
  CHECK(house.state_of("lights", "office")->text("summary") == "The office light is on.");
  CHECK(house.set_light("all", body(R"({"percent": 0})")).ok());
  CHECK(house.state_of("lights", "")->text("summary") == "No light is on.");
  CHECK(house.play_radio("jazz fm")->text("title") == "jazz fm (radio)");
  CHECK(house.stop_radio()->text("status") == "stopped");
  CHECK(house.play("")->text("status") == "playing");
  CHECK(house.stop_radio()->text("status") == "playing");
  CHECK(house.change_volume("up")->number("volume") == 80);
  CHECK_FALSE(house.change_volume("left").ok());
}

}  // namespace
}  // namespace slipway::home
