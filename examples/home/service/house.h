// The house behind the skills: lights with their state on disk, and the HTTP routes of weather,
// music, timers and lights.
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
  Result<json::Value> play(const std::string& title);
  Result<json::Value> set_volume(const json::Value& body);
  Result<json::Value> set_timer(const json::Value& body);
  Result<json::Value> cancel_timer(const json::Value& body);
  // {"on": true} or {"percent": 40}; percent 0 turns the light off.
  Result<json::Value> set_light(const std::string& room, const json::Value& body);
  json::Value lights();
  json::Value music_state();
  std::vector<std::string> titles() const;

 private:
  Status load_lights();
  void add_music_routes(http::Server& server);

  HouseOptions options_;
  Player& player_;
  std::mutex mutex_;  // guards lights_
  std::map<std::string, Light> lights_;
  Timers timers_;
};

}  // namespace slipway::home
