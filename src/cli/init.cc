#include <ostream>

#include "base/files.h"
#include "cli/session.h"
#include "cli/starter.h"

namespace slipway::cli {
namespace {

CommandResult run_init(Context& context, const Arguments& arguments) {
  const auto folder =
      files::join(context.folder, arguments.has("folder") ? arguments.text("folder") : ".");
  if (files::exists(files::join(folder, "slipway.toml"))) {
    return Error::already_exists(files::absolute(folder) + " already has a slipway.toml",
                                 "edit it, or run `slipway init` in another folder");
  }
  auto written = json::Value::array();
  for (const auto& [name, content] : starter_files()) {
    const auto path = files::join(folder, name);
    if (files::exists(path)) continue;  // never overwrite what somebody wrote
    SLIPWAY_CHECK(files::write_atomic(path, content));
    written.push_back(name);
  }
  if (arguments.flag("json")) {
    auto value = json::Value::object();
    context.out
        << value.set("folder", files::absolute(folder)).set("files", std::move(written)).pretty()
        << "\n";
    return 0;
  }
  context.out << "A project is in " << files::absolute(folder) << ":\n";
  for (const auto& name : written.as_array()) context.out << "  " << name.as_string() << "\n";
  context.out << "\nNext:\n"
                 "  slipway models pull gemma-3-270m    fetch the weights it names\n"
                 "  slipway eval                        measure it on data/test.jsonl\n"
                 "  slipway ask --dry-run \"what is the weather in oslo\"\n";
  return 0;
}

}  // namespace

Command init_command() {
  return {.name = "init",
          .summary = "Start a project: slipway.toml, a skill, a prompt and a few rows",
          .examples = {{"slipway init", "in this folder"},
                       {"slipway init my-assistant", "in a new one"}},
          .positionals = {{"folder", "where, if not here", false}},
          .options = {json_option()},
          .run = run_init};
}

}  // namespace slipway::cli
