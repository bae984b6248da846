// The house behind the skills: lights with their state on disk, music, radio, timers and alarms,
// and the HTTP routes of everything.
//
//     House house(options, *player);
//     SLIPWAY_CHECK(house.open());
//     house.add_routes(server);
//
// Thread-safe after open(). Every route answers JSON; an error is {"error": text} with the matching
// status.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "http/server.h"
#include "household.h"
#include "json/value.h"
#include "player.h"
#include "timers.h"

namespace slipway::home {

struct HouseOptions {
  std::string music_folder;
  std::string state_folder;
};

struct Light {
  bool on = false;
  int brightness = 100;  // percent
};

class House {
 public:
  House(HouseOptions options, Player& player);
  Status open();  // writes the tunes when there is no music, loads lights and timers
  void add_routes(http::Server& server);

  // Each is one route, callable without a server.
  Result<json::Value> weather(const std::string& location, const std::string& when) const;
  // By title, else by artist, else any song.
  Result<json::Value> play(const std::string& title, const std::string& artist = "");
  Result<json::Value> set_volume(const json::Value& body);
  Result<json::Value> change_volume(const std::string& direction);  // "up" or "down", by 10
  // A stand-in for a tuner: the station's name over a song of the music folder.
  Result<json::Value> play_radio(const std::string& station);
  Result<json::Value> stop_radio();
  Result<json::Value> set_timer(const json::Value& body);
  Result<json::Value> cancel_timer(const json::Value& body);
  Result<json::Value> set_alarm(const json::Value& body);     // {time, date, label}
  Result<json::Value> cancel_alarm(const json::Value& body);  // {time, label}
  json::Value timers();  // with the alarms in "alarms" and in the summary
  // Lights here, everything else by the household.
  Result<json::Value> state_of(const std::string& thing, const std::string& room);
  // {"on": true} or {"percent": 40}; percent 0 turns the light off. Room "all" is every light.
  Result<json::Value> set_light(const std::string& room, const json::Value& body);
  json::Value lights();
  json::Value music_state();
  std::vector<std::string> titles() const;

 private:
  Status load_lights();
  void add_music_routes(http::Server& server);
  void add_household_routes(http::Server& server);
  void add_list_routes(http::Server& server);
  void add_people_routes(http::Server& server);
  Status play_file(const std::string& song, const std::string& shown);

  HouseOptions options_;
  Player& player_;
  std::mutex mutex_;  // guards lights_
  std::map<std::string, Light> lights_;
  Household household_;
  Timers timers_;
  Timers alarms_;
};

}  // namespace slipway::home
