// What bundle, unbundle, open and sync share.
#pragma once

#include <memory>
#include <optional>

#include "cli/session.h"
#include "lab/handover.h"

namespace slipway::cli {

// The project's store and what belongs to it. `project` stays where it is for as long as the place.
struct HandoverPlace {
  std::unique_ptr<lab::Project> project;
  lab::Place place;
};

Result<HandoverPlace> open_place(Context& context, const Arguments& arguments);

json::Value notices_json(const std::vector<lab::Notice>& notices);
void print_notices(std::ostream& out, const std::vector<lab::Notice>& notices);
json::Value taken_json(const store::Taken& taken);
Option releases_option();

}  // namespace slipway::cli
