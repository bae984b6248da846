// A small project for scenarios: one weather skill, one prompt, a few rows, and a model behind a
// scripted endpoint.
//
//     Fixture f(says("weather.get_weather(location='boston')"), weather_service());
//     check_refused(f.box.run({"eval", "--candidate", "plian"}), 3, {"did you mean 'plain'?"});
//     f.check_sound();      // the store is whole, and the run made beforehand is still listed
//
// One thread.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "peer.h"
#include "records.h"
#include "sandbox.h"

namespace slipway::scenario {

// The exit codes of docs/format/cli.md, written out: a scenario is a promise to scripts.
namespace exits {
inline constexpr int ok = 0, said_no = 1, bad_input = 2, not_found = 3, not_permitted = 4,
                     unavailable = 5, corrupt = 6, cancelled = 130;
}

void write_project(const Sandbox& box, const std::string& endpoint, const std::string& service);
std::string weather_skill(const std::string& base_url);

// Answers {"temperature": 7} to everything.
Peer::Script weather_service();

// The exit code, nothing on stdout, and one line on stderr that says all of `says`.
void check_refused(const Outcome& outcome, int exit_code,
                   std::initializer_list<std::string_view> says);

bool contains(std::string_view text, std::string_view part);

struct Fixture {
  Peer model;
  Peer service;
  Sandbox box;
  std::string first_run;  // an evaluation made beforehand
  std::string first_cases;

  Fixture(Peer::Script model_says, Peer::Script service_says);
  Records records() const { return Records(box.path(".slipway")); }
  // Puts the project's files back and checks that nothing was lost.
  void check_sound() const;
};

}  // namespace slipway::scenario
