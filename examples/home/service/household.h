// What the house keeps besides music, timers and lights: devices, doors, heating, calendar, lists,
// remembered facts and messages. All of it is one JSON file, written before a change is
// acknowledged.
//
//     Household household("state/household.json");
//     SLIPWAY_CHECK(household.load());
//     SLIPWAY_TRY(answer, household.add_item("shopping", "milk and eggs"));
//
// Thread-safe after load(). Every function is one route and answers what it says. Errors:
// invalid_input, not_found, exhausted (a bound below), unavailable (state not written), corrupt.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "json/value.h"

namespace slipway::home {

struct Event {
  std::string title;
  int64_t date = 0;  // days since 1970-01-01
  int minutes = -1;  // after midnight; -1: no time
};

struct Message {
  std::string person;
  std::string text;
  bool read = false;
};

struct HouseholdState {
  std::map<std::string, bool> devices;  // on?
  std::map<std::string, bool> doors;    // locked?
  std::map<std::string, int> heating;   // degrees Celsius by room
  std::vector<Event> events;            // by date and time
  std::map<std::string, std::vector<std::string>> lists;
  std::map<std::string, std::string> facts;
  std::vector<Message> outbox;
  std::vector<Message> inbox;
};

class Household {
 public:
  static constexpr size_t max_entries = 1000;  // of each kind

  explicit Household(std::string state_path);
  Status load();

  Result<json::Value> set_device(const std::string& device, const json::Value& body);
  Result<json::Value> set_door(const std::string& door, const json::Value& body);
  Result<json::Value> set_heating(const json::Value& body);  // {degrees, room}; no room: all
  // {thing, summary} of a device, a door, the temperature (of a room), the time or the date.
  Result<json::Value> state_of(const std::string& thing, const std::string& room);

  Result<json::Value> add_event(const json::Value& body);  // {title, date, time}
  Result<json::Value> events(const std::string& date);
  Result<json::Value> cancel_event(const json::Value& body);  // {title, date}

  // "milk and eggs" are two items. "grocery" is the shopping list, "todo" the to do list.
  Result<json::Value> add_item(const std::string& list, const std::string& item);
  Result<json::Value> remove_item(const std::string& list, const std::string& item);
  Result<json::Value> read_list(const std::string& list);

  Result<json::Value> remember(const json::Value& body);  // {key, value}
  Result<json::Value> recall(const std::string& key);

  Result<json::Value> send(const json::Value& body);     // {to, text}: into the outbox
  Result<json::Value> receive(const json::Value& body);  // {from, text}: into the inbox
  // The unread ones, of one person or all; they are read then.
  Result<json::Value> read_messages(const std::string& sender);
  json::Value outbox();

 private:
  // Applies `edit` to the state and writes it; what cannot be written does not happen.
  Result<json::Value> change(const std::function<Result<json::Value>(HouseholdState&)>& edit);

  std::string state_path_;
  std::mutex mutex_;  // guards state_
  HouseholdState state_;
};

// One JSON object; household_from reads what household_json wrote and leaves out what it does not
// know.
json::Value household_json(const HouseholdState& state);
HouseholdState household_from(const json::Value& value);
// Devices off, doors locked, 20 degrees, an empty shopping list.
HouseholdState new_household();

}  // namespace slipway::home
