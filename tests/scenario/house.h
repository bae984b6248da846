// The home example's own skill service, running on a port of the system's choice, and a project
// whose skills speak to it.
//
//     House house;
//     write_home_skills(box, house);
//     house.state("/lights").dump();
//
// It stops with the object. One thread.
#pragma once

#include <string>

#include "base/process.h"
#include "json/value.h"
#include "sandbox.h"

namespace slipway::scenario {

struct House {
  Sandbox box;
  BackgroundProcess process;
  std::string url;

  House();
  json::Value state(const std::string& path) const;
};

// The example's skill files, pointed at the house.
void write_home_skills(const Sandbox& box, const House& house);

// A file of examples/home; fails the test when it is not there.
std::string home_example(const std::string& name);

}  // namespace slipway::scenario
