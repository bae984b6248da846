#include <fmt/core.h>

#include <ostream>

#include "base/files.h"
#include "cli/handover.h"

namespace slipway::cli {
namespace {

// A project's folder, or the store in it.
Result<std::shared_ptr<store::Store>> other_store(const std::string& folder) {
  const auto inside = files::join(folder, ".slipway");
  const auto place = files::is_directory(inside) ? inside : folder;
  if (files::exists(files::join(folder, "slipway.toml"))) return store::Store::open(inside);
  return store::Store::open(place, false);
}

CommandResult run_sync(Context& context, const Arguments& arguments) {
  SLIPWAY_TRY(here, open_store(context, arguments));
  SLIPWAY_TRY(there, other_store(files::join(context.folder, arguments.text("other"))));
  SLIPWAY_TRY(synced, lab::sync_stores(*here, *there, arguments.flag("releases")));
  if (arguments.flag("json")) {
    auto value = json::Value::object();
    value.set("here", taken_json(synced.here)).set("there", taken_json(synced.there));
    context.out << value.pretty() << "\n";
    return 0;
  }
  context.out << fmt::format("taken from there: {} runs, {} objects\ngiven: {} runs, {} objects\n",
                             synced.here.runs.size(), synced.here.objects, synced.there.runs.size(),
                             synced.there.objects);
  return 0;
}

}  // namespace

Command sync_command() {
  return {.name = "sync",
          .summary = "Give another store of yours what it lacks, and take what this one lacks",
          .details =
              "Both are folders: a laptop's disk, a board's mounted one. A run is the same record "
              "in both; a sync that\n"
              "was cut off is finished by the next. Aliases move by `promote` alone, unless "
              "--releases.",
          .examples = {{"slipway sync /media/board/home", "a project, or its .slipway folder"}},
          .positionals = {{"other", "the other project's folder"}},
          .options = {releases_option(), project_option(), json_option()},
          .run = run_sync};
}

}  // namespace slipway::cli
