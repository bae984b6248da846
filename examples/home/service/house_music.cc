// The house's music and radio.
#include <algorithm>
#include <cmath>
#include <functional>

#include "base/files.h"
#include "body.h"
#include "house.h"
#include "words.h"

namespace slipway::home {
namespace {

constexpr int volume_step = 10;  // percent
constexpr std::string_view radio_suffix = " (radio)";

bool is_music(const std::string& name) {
  const std::string lower = to_lower(name);
  return lower.ends_with(".wav") || lower.ends_with(".mp3") || lower.ends_with(".flac");
}

}  // namespace

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

Status House::play_file(const std::string& song, const std::string& shown) {
  for (const auto& name : files::list(options_.music_folder)) {
    if (!is_music(name) || name.substr(0, name.rfind('.')) != song) continue;
    return player_.play(files::join(options_.music_folder, name), shown);
  }
  return Error::not_found("no song '" + song + "'");
}

Result<json::Value> House::play(const std::string& title, const std::string& artist) {
  const std::vector<std::string> known = titles();
  const std::string wanted(trim(trim(title).empty() ? artist : title));
  auto found = find_title(wanted, known);
  if (wanted.empty() && !known.empty()) {  // the song after the one that plays
    auto now = std::find(known.begin(), known.end(), player_.state().title);
    found = now == known.end() || now + 1 == known.end() ? known.front() : *(now + 1);
  }
  if (!found) return Error::not_found("no song '" + wanted + "'");
  SLIPWAY_CHECK(play_file(*found, *found));
  return music_state();
}

Result<json::Value> House::set_volume(const json::Value& body) {
  SLIPWAY_TRY(level, percent_of(body, "level"));
  player_.set_volume(level);
  return music_state();
}

Result<json::Value> House::change_volume(const std::string& direction) {
  if (direction != "up" && direction != "down") {
    return Error::invalid_input("'direction' must be 'up' or 'down'");
  }
  const int step = direction == "up" ? volume_step : -volume_step;
  player_.set_volume(std::clamp(player_.state().volume + step, 0, 100));
  return music_state();
}

Result<json::Value> House::play_radio(const std::string& station) {
  const std::string name(trim(station).empty() ? "the house station" : trim(station));
  if (name.size() > max_text_bytes) return Error::invalid_input("the station's name is too long");
  const std::vector<std::string> known = titles();
  if (known.empty()) return Error::not_found("no songs to broadcast");
  const std::string& song = known[std::hash<std::string>{}(name) % known.size()];
  SLIPWAY_CHECK(play_file(song, name + std::string(radio_suffix)));
  return music_state().set("station", name);
}

Result<json::Value> House::stop_radio() {
  if (player_.state().title.ends_with(radio_suffix)) player_.stop();
  return music_state();
}

}  // namespace slipway::home
