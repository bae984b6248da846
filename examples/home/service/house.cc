#include "house.h"

#include "base/files.h"
#include "base/text.h"
#include "body.h"
#include "tunes.h"
#include "weather.h"
#include "when.h"

namespace slipway::home {
namespace {

std::string alarm_path(const HouseOptions& options) {
  return files::join(options.state_folder, "alarm.wav");
}

json::Value light_json(const std::string& room, const Light& light) {
  json::Value value = json::Value::object();
  value.set("room", room).set("on", light.on).set("brightness", light.brightness);
  return value;
}

// {"on": true} or {"percent": 40} done to one light.
Status apply_light(const json::Value& body, Light& light) {
  if (body.get("percent")) {
    SLIPWAY_TRY(percent, percent_of(body, "percent"));
    light.on = percent > 0;
    if (percent > 0) light.brightness = percent;
    return Status::success();
  }
  const json::Value* on = body.get("on");
  if (!on || !on->is_bool()) {
    return Error::invalid_input("neither 'on' nor 'percent'",
                                "send {\"on\": true} or {\"percent\": 40}");
  }
  light.on = on->as_bool();
  return Status::success();
}

}  // namespace

House::House(HouseOptions options, Player& player)
    : options_(std::move(options)),
      player_(player),
      household_(files::join(options_.state_folder, "household.json")),
      timers_(files::join(options_.state_folder, "timers.json"),
              [this](const Timer&) { player_.sound_alarm(alarm_path(options_)); }),
      alarms_(files::join(options_.state_folder, "alarms.json"),
              [this](const Timer&) { player_.sound_alarm(alarm_path(options_)); }) {}

Status House::open() {
  SLIPWAY_CHECK(files::make_directories(options_.music_folder));
  SLIPWAY_CHECK(files::make_directories(options_.state_folder));
  SLIPWAY_CHECK(write_tunes(options_.music_folder));
  SLIPWAY_CHECK(files::write_atomic(alarm_path(options_), alarm_wav()));
  SLIPWAY_CHECK(load_lights());
  SLIPWAY_CHECK(household_.load());
  SLIPWAY_CHECK(alarms_.load());
  return timers_.load();
}

Status House::load_lights() {
  std::lock_guard lock(mutex_);
  for (const char* room : {"kitchen", "living room", "bedroom", "bathroom", "hallway", "garden",
                           "office", "nursery"}) {
    lights_[room] = Light{};
  }
  const std::string path = files::join(options_.state_folder, "lights.json");
  if (!files::exists(path)) return Status::success();
  SLIPWAY_TRY(text, files::read(path, 1 << 20));
  auto saved = json::parse(text);
  if (!saved.ok()) return Error::corrupt(path + ": " + saved.error().message(), "remove the file");
  const json::Value* array = saved->get("lights");
  if (!array || !array->is_array()) return Status::success();
  for (const auto& value : array->as_array()) {
    auto light = lights_.find(value.text("room"));
    if (light == lights_.end()) continue;
    light->second = {value.flag("on"), static_cast<int>(value.number("brightness", 100))};
  }
  return Status::success();
}

Result<json::Value> House::weather(const std::string& location, const std::string& when) const {
  if (trim(location).empty()) return Error::invalid_input("no location");
  SLIPWAY_TRY(day, parse_date(when.empty() ? "today" : when, today_days()));
  const Weather weather = weather_at(location, day.date);
  json::Value value = json::Value::object();
  value.set("location", location).set("when", day.spoken).set("in_days", day.in_days);
  value.set("temperature", weather.temperature)
      .set("unit", "celsius")
      .set("conditions", weather.conditions);
  value.set("known_place", weather.known_place);
  return value;
}

json::Value House::lights() {
  std::lock_guard lock(mutex_);
  json::Value array = json::Value::array();
  for (const auto& [room, light] : lights_) array.push_back(light_json(room, light));
  json::Value value = json::Value::object();
  return value.set("lights", std::move(array));
}

Result<json::Value> House::set_light(const std::string& room, const json::Value& body) {
  const std::string name = to_lower(trim(room));
  Light wanted;
  {
    std::lock_guard lock(mutex_);
    if (name != "all" && !lights_.contains(name)) {
      return Error::not_found("no room '" + room + "'", "GET /lights lists the rooms");
    }
    auto edited = lights_;
    for (auto& [each, light] : edited) {
      if (name != "all" && each != name) continue;
      SLIPWAY_CHECK(apply_light(body, light));
      wanted = light;
    }
    lights_ = std::move(edited);
  }
  SLIPWAY_CHECK(files::write_atomic(files::join(options_.state_folder, "lights.json"),
                                    lights().pretty() + "\n"));
  json::Value answer = light_json(name, wanted);
  if (!wanted.on) answer.set("brightness", 0);
  return answer;
}

Result<json::Value> House::state_of(const std::string& thing, const std::string& room) {
  if (thing != "lights") return household_.state_of(thing, room);
  std::lock_guard lock(mutex_);
  std::vector<std::string> on;
  for (const auto& [name, light] : lights_) {
    if (light.on && (room.empty() || name == to_lower(trim(room)))) on.push_back(name);
  }
  const std::string where = room.empty() ? "No light is on." : "The " + room + " light is off.";
  const std::string lit =
      on.size() == 1 ? "The " + on[0] + " light is on." : "Lights are on in " + listed(on) + ".";
  return object_of("thing", thing).set("summary", on.empty() ? where : lit);
}

}  // namespace slipway::home
