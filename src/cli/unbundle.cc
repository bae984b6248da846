#include <fmt/core.h>

#include <ostream>

#include "base/files.h"
#include "base/hash.h"
#include "base/text.h"
#include "cli/handover.h"

namespace slipway::cli {
namespace {

CommandResult run_unbundle(Context& context, const Arguments& arguments) {
  SLIPWAY_TRY(opened, open_place(context, arguments));
  const auto path = files::join(context.folder, arguments.text("file"));
  SLIPWAY_TRY(done, lab::take_bundle(path, opened.place, {.releases = arguments.flag("releases")}));
  if (arguments.flag("json")) {
    auto value = taken_json(done.taken);
    auto weights = json::Value::array();
    for (const auto& file : done.weights) weights.push_back(file);
    value.set("run_id", done.run_id)
        .set("weights", std::move(weights))
        .set("notices", notices_json(done.notices));
    context.out << value.pretty() << "\n";
    return 0;
  }
  context.out << fmt::format("{} new runs, {} known ones, {} new objects\n", done.taken.runs.size(),
                             done.taken.known_runs, done.taken.objects);
  for (const auto& file : done.weights) context.out << "weights: " << printable_line(file) << "\n";
  print_notices(context.out, done.notices);
  context.out << "Next: slipway runs, slipway reproduce RUN\n";
  return 0;
}

}  // namespace

Command unbundle_command() {
  return {.name = "unbundle",
          .summary = "Take what somebody handed over into this project's store",
          .details =
              "The file is not believed: every object is checked against its hash, everything in "
              "it is bounded, and nothing\n"
              "that was made here changes. Imported runs bear the tag `imported`; they are no "
              "evidence for a promotion here.",
          .examples = {{"slipway unbundle lab.slipway", "twice is as good as once"}},
          .positionals = {{"file", "a .slipway file"}},
          .options = {releases_option(), project_option(), json_option()},
          .run = run_unbundle};
}

}  // namespace slipway::cli
