// The household as JSON and back.
#include "household.h"

namespace slipway::home {
namespace {

template <typename Map>
json::Value map_json(const Map& map) {
  json::Value value = json::Value::object();
  for (const auto& [key, entry] : map) value.set(key, entry);
  return value;
}

json::Value messages_json(const std::vector<Message>& messages) {
  json::Value array = json::Value::array();
  for (const auto& message : messages) {
    json::Value value = json::Value::object();
    value.set("person", message.person).set("text", message.text).set("read", message.read);
    array.push_back(std::move(value));
  }
  return array;
}

// The array at `key`, or none.
const json::Array& items_of(const json::Value& value, std::string_view key) {
  static const json::Array none;
  const json::Value* found = value.get(key);
  return found && found->is_array() ? found->as_array() : none;
}

std::vector<Message> messages_from(const json::Value& value, std::string_view key) {
  std::vector<Message> messages;
  for (const auto& entry : items_of(value, key)) {
    messages.push_back({entry.text("person"), entry.text("text"), entry.flag("read")});
  }
  return messages;
}

}  // namespace

HouseholdState new_household() {
  HouseholdState state;
  for (const char* device : {"tv", "fan", "heater", "air conditioner", "coffee machine",
                             "washing machine", "dishwasher", "vacuum"}) {
    state.devices[device] = false;
  }
  for (const char* door : {"front door", "back door", "garage door", "garden gate"}) {
    state.doors[door] = true;
  }
  for (const char* room : {"kitchen", "living room", "bedroom", "bathroom", "hallway", "garden",
                           "office", "nursery"}) {
    state.heating[room] = 20;
  }
  state.lists["shopping"] = {};
  return state;
}

json::Value household_json(const HouseholdState& state) {
  json::Value events = json::Value::array();
  for (const auto& event : state.events) {
    json::Value value = json::Value::object();
    value.set("title", event.title).set("date", event.date).set("minutes", event.minutes);
    events.push_back(std::move(value));
  }
  json::Value lists = json::Value::object();
  for (const auto& [name, items] : state.lists) {
    json::Value array = json::Value::array();
    for (const auto& item : items) array.push_back(item);
    lists.set(name, std::move(array));
  }
  json::Value value = json::Value::object();
  value.set("devices", map_json(state.devices)).set("doors", map_json(state.doors));
  value.set("heating", map_json(state.heating)).set("events", std::move(events));
  value.set("lists", std::move(lists)).set("facts", map_json(state.facts));
  value.set("outbox", messages_json(state.outbox)).set("inbox", messages_json(state.inbox));
  return value;
}

HouseholdState household_from(const json::Value& value) {
  HouseholdState state = new_household();
  const json::Value none = json::Value::object();
  auto part = [&](std::string_view key) -> const json::Value& {
    const json::Value* found = value.get(key);
    return found && found->is_object() ? *found : none;
  };
  for (auto& [name, on] : state.devices) on = part("devices").flag(name, on);
  for (auto& [name, locked] : state.doors) locked = part("doors").flag(name, locked);
  for (auto& [name, degrees] : state.heating) {
    degrees = static_cast<int>(part("heating").number(name, degrees));
  }
  for (const auto& event : items_of(value, "events")) {
    state.events.push_back({event.text("title"), static_cast<int64_t>(event.number("date")),
                            static_cast<int>(event.number("minutes", -1))});
  }
  for (const auto& [name, items] : part("lists").as_object()) {
    auto& list = state.lists[name];
    if (!items.is_array()) continue;
    for (const auto& item : items.as_array()) {
      if (item.is_string()) list.push_back(item.as_string());
    }
  }
  for (const auto& [key, fact] : part("facts").as_object()) {
    if (fact.is_string()) state.facts[key] = fact.as_string();
  }
  state.outbox = messages_from(value, "outbox");
  state.inbox = messages_from(value, "inbox");
  return state;
}

}  // namespace slipway::home
