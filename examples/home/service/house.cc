#include "house.h"

#include <charconv>
#include <cmath>

#include "base/files.h"
#include "base/text.h"
#include "tunes.h"
#include "weather.h"
#include "words.h"

namespace slipway::home {
namespace {

constexpr size_t max_label_bytes = 200;

std::string alarm_path(const HouseOptions& options) {
  return files::join(options.state_folder, "alarm.wav");
}

bool is_music(const std::string& name) {
  const std::string lower = to_lower(name);
  return lower.ends_with(".wav") || lower.ends_with(".mp3") || lower.ends_with(".flac");
}

// A whole number from 0 to 100, also when it was sent as text.
Result<int> percent_of(const json::Value& body, std::string_view key) {
  double number = body.number(key, -1);
  if (const std::string text = body.text(key); !text.empty()) {
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) number = -1;
  }
  if (number < 0 || number > 100 || number != std::floor(number)) {
    return Error::invalid_input("'" + std::string(key) + "' must be a whole number from 0 to 100");
  }
  return static_cast<int>(number);
}

json::Value light_json(const std::string& room, const Light& light) {
  json::Value value = json::Value::object();
  value.set("room", room).set("on", light.on).set("brightness", light.brightness);
  return value;
}

json::Value timer_answer(const Timer& timer) {
  json::Value value = json::Value::object();
  value.set("id", timer.id).set("label", timer.label).set("duration_ms", timer.duration_ms);
  value.set("spoken", speak_duration(timer.duration_ms));
  return value;
}

}  // namespace

House::House(HouseOptions options, Player& player)
    : options_(std::move(options)),
      player_(player),
      timers_(files::join(options_.state_folder, "timers.json"),
              [this](const Timer&) { player_.sound_alarm(alarm_path(options_)); }) {}

Status House::open() {
  SLIPWAY_CHECK(files::make_directories(options_.music_folder));
  SLIPWAY_CHECK(files::make_directories(options_.state_folder));
  SLIPWAY_CHECK(write_tunes(options_.music_folder));
  SLIPWAY_CHECK(files::write_atomic(alarm_path(options_), alarm_wav()));
  SLIPWAY_CHECK(load_lights());
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
  SLIPWAY_TRY(day, parse_day(when.empty() ? "today" : when, today_days()));
  const Weather weather = weather_at(location, day.date);
  json::Value value = json::Value::object();
  value.set("location", location).set("when", day.spoken).set("in_days", day.in_days);
  value.set("temperature", weather.temperature)
      .set("unit", "celsius")
      .set("conditions", weather.conditions);
  value.set("known_place", weather.known_place);
  return value;
}

std::vector<std::string> House::titles() const {
  std::vector<std::string> titles;
  for (const auto& name : files::list(options_.music_folder)) {
    if (is_music(name)) titles.push_back(name.substr(0, name.rfind('.')));
  }
  return titles;
}

json::Value House::music_state() {
  const PlayerState state = player_.state();
  json::Value value = json::Value::object();
  value.set("status", state.status).set("title", state.title);
  value.set("position_s", std::round(state.position_s * 10) / 10);
  value.set("length_s", std::round(state.length_s * 10) / 10);
  value.set("volume", state.volume).set("device", state.device);
  return value;
}

Result<json::Value> House::play(const std::string& title) {
  if (trim(title).empty()) return Error::invalid_input("no title");
  auto found = find_title(title, titles());
  if (!found) return Error::not_found("no song '" + title + "'");
  for (const auto& name : files::list(options_.music_folder)) {
    if (!is_music(name) || name.substr(0, name.rfind('.')) != *found) continue;
    SLIPWAY_CHECK(player_.play(files::join(options_.music_folder, name), *found));
    break;
  }
  return music_state();
}

Result<json::Value> House::set_volume(const json::Value& body) {
  SLIPWAY_TRY(level, percent_of(body, "level"));
  player_.set_volume(level);
  return music_state();
}

Result<json::Value> House::set_timer(const json::Value& body) {
  const std::string label(trim(body.text("label")));
  if (label.size() > max_label_bytes) return Error::invalid_input("the label is too long");
  SLIPWAY_TRY(duration_ms, parse_duration_ms(body.text("duration")));
  SLIPWAY_TRY(timer, timers_.set(duration_ms, label));
  return timer_answer(timer);
}

Result<json::Value> House::cancel_timer(const json::Value& body) {
  SLIPWAY_TRY(timer, timers_.cancel(std::string(trim(body.text("label")))));
  return timer_answer(timer);
}

json::Value House::lights() {
  std::lock_guard lock(mutex_);
  json::Value array = json::Value::array();
  for (const auto& [room, light] : lights_) array.push_back(light_json(room, light));
  json::Value value = json::Value::object();
  return value.set("lights", std::move(array));
}

Result<json::Value> House::set_light(const std::string& room, const json::Value& body) {
  Light wanted;
  {
    std::lock_guard lock(mutex_);
    auto light = lights_.find(to_lower(trim(room)));
    if (light == lights_.end())
      return Error::not_found("no room '" + room + "'", "GET /lights lists the rooms");
    wanted = light->second;
    if (body.get("percent")) {
      SLIPWAY_TRY(percent, percent_of(body, "percent"));
      wanted.on = percent > 0;
      if (percent > 0) wanted.brightness = percent;
    } else if (const json::Value* on = body.get("on"); on && on->is_bool()) {
      wanted.on = on->as_bool();
    } else {
      return Error::invalid_input("neither 'on' nor 'percent'",
                                  "send {\"on\": true} or {\"percent\": 40}");
    }
    light->second = wanted;
  }
  SLIPWAY_CHECK(files::write_atomic(files::join(options_.state_folder, "lights.json"),
                                    lights().pretty() + "\n"));
  json::Value answer = light_json(to_lower(trim(room)), wanted);
  if (!wanted.on) answer.set("brightness", 0);
  return answer;
}

}  // namespace slipway::home
