#include "household.h"

#include <algorithm>
#include <cmath>

#include "base/files.h"
#include "base/text.h"
#include "body.h"
#include "when.h"
#include "words.h"

namespace slipway::home {
namespace {

std::string list_name(const std::string& said) {
  const std::string name = to_lower(trim(said));
  if (name.empty() || name == "grocery" || name == "groceries") return "shopping";
  return name == "todo" || name == "to-do" ? "to do" : name;
}

// "tomatoes, onions and garlic" are three; "salt and pepper" two.
std::vector<std::string> items_of(std::string text) {
  for (size_t at; (at = text.find(" and ")) != std::string::npos;) text.replace(at, 5, ",");
  std::vector<std::string> items;
  for (const auto& part : split(text, ',')) {
    if (!trim(part).empty()) items.emplace_back(trim(part));
  }
  return items;
}

std::string spoken_event(const Event& event) {
  return event.title + (event.minutes < 0 ? "" : " at " + speak_time(event.minutes));
}

std::string spoken_when(const Event& event, const Day& day) {
  return day.spoken + (event.minutes < 0 ? "" : " at " + speak_time(event.minutes));
}

}  // namespace

Household::Household(std::string state_path)
    : state_path_(std::move(state_path)), state_(new_household()) {}

Status Household::load() {
  std::lock_guard lock(mutex_);
  if (!files::exists(state_path_)) return Status::success();
  SLIPWAY_TRY(text, files::read(state_path_, 16 << 20));
  auto value = json::parse(text);
  if (!value.ok()) {
    return Error::corrupt(state_path_ + ": " + value.error().message(), "remove the file");
  }
  state_ = household_from(*value);
  return Status::success();
}

Result<json::Value> Household::change(
    const std::function<Result<json::Value>(HouseholdState&)>& edit) {
  std::lock_guard lock(mutex_);
  HouseholdState edited = state_;
  Result<json::Value> answer = edit(edited);
  if (!answer.ok()) return answer;
  SLIPWAY_CHECK(files::write_atomic(state_path_, household_json(edited).pretty() + "\n"));
  state_ = std::move(edited);
  return answer;
}

Result<json::Value> Household::set_device(const std::string& device, const json::Value& body) {
  const json::Value* on = body.get("on");
  if (!on || !on->is_bool()) return Error::invalid_input("no 'on'", "send {\"on\": true}");
  return change([&](HouseholdState& state) -> Result<json::Value> {
    auto found = state.devices.find(to_lower(trim(device)));
    if (found == state.devices.end()) return Error::not_found("no device '" + device + "'");
    found->second = on->as_bool();
    return object_of("device", found->first).set("on", found->second);
  });
}

Result<json::Value> Household::set_door(const std::string& door, const json::Value& body) {
  const json::Value* locked = body.get("locked");
  if (!locked || !locked->is_bool()) {
    return Error::invalid_input("no 'locked'", "send {\"locked\": true}");
  }
  return change([&](HouseholdState& state) -> Result<json::Value> {
    auto found = state.doors.find(to_lower(trim(door)));
    if (found == state.doors.end()) return Error::not_found("no door '" + door + "'");
    found->second = locked->as_bool();
    return object_of("door", found->first).set("locked", found->second);
  });
}

Result<json::Value> Household::set_heating(const json::Value& body) {
  const double degrees = body.number("degrees", -1);
  if (degrees < 5 || degrees > 30 || degrees != std::floor(degrees)) {
    return Error::invalid_input("'degrees' must be a whole number from 5 to 30");
  }
  const std::string room = to_lower(trim(body.text("room")));
  return change([&](HouseholdState& state) -> Result<json::Value> {
    if (!room.empty() && !state.heating.contains(room)) {
      return Error::not_found("no room '" + room + "'");
    }
    for (auto& [name, set] : state.heating) {
      if (room.empty() || name == room) set = static_cast<int>(degrees);
    }
    return object_of("room", room).set("degrees", static_cast<int>(degrees));
  });
}

Result<json::Value> Household::state_of(const std::string& thing, const std::string& room) {
  std::lock_guard lock(mutex_);
  json::Value answer = object_of("thing", thing);
  const LocalTime now = local_now();
  if (thing == "time") return answer.set("summary", "It is " + speak_time(now.minutes) + ".");
  if (thing == "date") return answer.set("summary", "It is " + speak_date(now.date) + ".");
  if (auto found = state_.devices.find(thing); found != state_.devices.end()) {
    answer.set("on", found->second);
    return answer.set("summary", "The " + thing + " is " + (found->second ? "on." : "off."));
  }
  if (auto found = state_.doors.find(thing); found != state_.doors.end()) {
    answer.set("locked", found->second);
    return answer.set("summary",
                      "The " + thing + " is " + (found->second ? "locked." : "unlocked."));
  }
  auto heated = state_.heating.find(room.empty() ? "living room" : to_lower(trim(room)));
  if (thing != "temperature" || heated == state_.heating.end()) {
    return Error::not_found("nothing is known of '" + thing + "' in '" + room + "'");
  }
  answer.set("degrees", heated->second);
  return answer.set("summary", "It is " + std::to_string(heated->second) + " degrees in the " +
                                   heated->first + ".");
}

Result<json::Value> Household::add_event(const json::Value& body) {
  SLIPWAY_TRY(title, text_of(body, "title"));
  const std::string date(trim(body.text("date")));
  SLIPWAY_TRY(day, parse_date(date.empty() ? "today" : date, local_now().date));
  Event event{title, day.date, -1};
  if (const std::string time(trim(body.text("time"))); !time.empty()) {
    SLIPWAY_TRY(parsed, parse_time(time, date));
    event.minutes = settle_minutes(parsed, -1);
  }
  return change([&](HouseholdState& state) -> Result<json::Value> {
    if (state.events.size() >= max_entries) return too_many("events");
    state.events.push_back(event);
    std::stable_sort(state.events.begin(), state.events.end(), [](const auto& a, const auto& b) {
      return std::pair(a.date, a.minutes) < std::pair(b.date, b.minutes);
    });
    return object_of("title", title).set("when", spoken_when(event, day));
  });
}

Result<json::Value> Household::events(const std::string& date) {
  SLIPWAY_TRY(span, parse_span(date, local_now().date));
  std::lock_guard lock(mutex_);
  std::vector<std::string> spoken;
  json::Value array = json::Value::array();
  for (const auto& event : state_.events) {
    if (event.date < span.first.date || event.date >= span.first.date + span.days) continue;
    spoken.push_back(spoken_event(event));
    array.push_back(object_of("title", event.title).set("date", speak_date(event.date)));
  }
  std::string summary = spoken.empty()
                            ? "Nothing is planned " + span.first.spoken + "."
                            : "Planned " + span.first.spoken + ": " + listed(spoken) + ".";
  return object_of("events", std::move(array)).set("summary", std::move(summary));
}

Result<json::Value> Household::cancel_event(const json::Value& body) {
  SLIPWAY_TRY(title, text_of(body, "title"));
  const std::string date(trim(body.text("date")));
  const int64_t today = local_now().date;
  SLIPWAY_TRY(span, parse_span(date, today));
  return change([&](HouseholdState& state) -> Result<json::Value> {
    std::vector<std::string> titles;
    auto eligible = [&](const Event& event) {
      if (date.empty()) return event.date >= today;
      return event.date >= span.first.date && event.date < span.first.date + span.days;
    };
    for (const auto& event : state.events) {
      if (eligible(event)) titles.push_back(event.title);
    }
    const auto meant = find_title(title, titles);
    auto found = std::find_if(state.events.begin(), state.events.end(), [&](const Event& event) {
      return meant && eligible(event) && event.title == *meant;
    });
    if (found == state.events.end()) return Error::not_found("no event '" + title + "'");
    json::Value answer = object_of("title", found->title);
    state.events.erase(found);
    return answer;
  });
}

Result<json::Value> Household::add_item(const std::string& list, const std::string& item) {
  SLIPWAY_TRY(text, text_of(object_of("item", item), "item"));
  const std::string name = list_name(list);
  if (name.size() > max_text_bytes) return Error::invalid_input("the list's name is too long");
  return change([&](HouseholdState& state) -> Result<json::Value> {
    auto& items = state.lists[name];
    for (const auto& each : items_of(text)) items.push_back(each);
    if (items.size() > max_entries || state.lists.size() > max_entries) return too_many("items");
    return object_of("item", text).set("list", name);
  });
}

Result<json::Value> Household::remove_item(const std::string& list, const std::string& item) {
  SLIPWAY_TRY(text, text_of(object_of("item", item), "item"));
  const std::string name = list_name(list);
  return change([&](HouseholdState& state) -> Result<json::Value> {
    auto found = state.lists.find(name);
    if (found == state.lists.end()) return Error::not_found("no list '" + name + "'");
    for (const auto& each : items_of(text)) {
      const auto meant = find_title(each, found->second);
      if (!meant) return Error::not_found("no '" + each + "' on the " + name + " list");
      found->second.erase(std::find(found->second.begin(), found->second.end(), *meant));
    }
    return object_of("item", text).set("list", name);
  });
}

Result<json::Value> Household::read_list(const std::string& list) {
  std::lock_guard lock(mutex_);
  const std::string name = list_name(list);
  auto found = state_.lists.find(name);
  if (found == state_.lists.end()) return Error::not_found("no list '" + name + "'");
  json::Value items = json::Value::array();
  for (const auto& item : found->second) items.push_back(item);
  std::string summary = found->second.empty()
                            ? "The " + name + " list is empty."
                            : "On the " + name + " list: " + listed(found->second) + ".";
  return object_of("items", std::move(items)).set("summary", std::move(summary));
}

}  // namespace slipway::home
