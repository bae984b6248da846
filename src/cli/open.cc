#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <ostream>
#include <thread>

#include "base/files.h"
#include "base/text.h"
#include "cli/handover.h"
#include "serve/reading.h"

namespace slipway::cli {
namespace {

constexpr auto signal_pause = std::chrono::milliseconds(50);
const std::vector<std::string> reading_commands = {"runs", "show", "compare", "releases"};

// A folder of its own, gone with the object.
class Fresh {
 public:
  explicit Fresh(const Context& context) {
    auto name = files::join(context.environment("TMPDIR").value_or("/tmp"), "slipway-open-XXXXXX");
    if (::mkdtemp(name.data())) path_ = name;
  }
  Fresh(const Fresh&) = delete;
  Fresh& operator=(const Fresh&) = delete;
  ~Fresh() {
    if (!path_.empty()) (void)files::remove_all(path_).ok();
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

CommandResult serve_store(Context& context, const Arguments& arguments,
                          const std::shared_ptr<store::Store>& store) {
  serve::ReadingSettings settings;
  settings.store = store;
  settings.project = files::filename(arguments.text("file"));
  SLIPWAY_TRY(port, arguments.integer("port", 0, 65535));
  settings.port = static_cast<int>(port);
  SLIPWAY_TRY(server, serve::ReadingServer::start(settings));
  const auto notices = lab::notices_of(*store);
  if (arguments.flag("json")) {
    auto value = json::Value::object();
    value.set("url", server->url()).set("notices", notices_json(notices));
    context.out << value.dump() << "\n" << std::flush;
  } else {
    SLIPWAY_TRY(runs, store->list_runs({.limit = 10'000}));
    print_notices(context.out, notices);
    context.out << settings.project << " holds " << runs.size() << " runs; look at them on "
                << server->url() << "\nCtrl-C ends it; nothing of it stays.\n"
                << std::flush;
  }
  while (!context.cancel.cancelled()) std::this_thread::sleep_for(signal_pause);
  server->stop();
  return 0;
}

// The words of another command, on the bundle's store.
CommandResult run_on(Context& context, const Arguments& arguments, const std::string& folder) {
  auto words = arguments.list("command");
  if (std::find(reading_commands.begin(), reading_commands.end(), words[0]) ==
      reading_commands.end()) {
    return Error::invalid_input("'" + words[0] + "' does not work on an opened bundle",
                                "one of " + join(reading_commands, ", "));
  }
  if (arguments.flag("json")) words.emplace_back("--json");
  if (arguments.flag("all")) words.emplace_back("--all");
  SLIPWAY_CHECK(
      files::write_atomic(files::join(folder, "slipway.toml"), "slipway = 1\nname = \"bundle\"\n"));
  Context inside = context;
  inside.folder = folder;
  return run_program(inside, words);
}

CommandResult run_open(Context& context, const Arguments& arguments) {
  const Fresh fresh(context);
  if (fresh.path().empty())
    return Error::unavailable("no temporary folder can be made", "check TMPDIR");
  SLIPWAY_TRY(store,
              lab::open_bundle(files::join(context.folder, arguments.text("file")), fresh.path()));
  if (!arguments.list("command").empty()) return run_on(context, arguments, fresh.path());
  return serve_store(context, arguments, store);
}

}  // namespace

Command open_command() {
  return {
      .name = "open",
      .summary = "Look at a bundle: on a page, or with runs, show, compare, releases",
      .details =
          "It is unpacked into a temporary folder that goes when the command ends; no project "
          "is needed and nothing\n"
          "goes over the network.",
      .examples = {{"slipway open lab.slipway", "a page on this machine, until Ctrl-C"},
                   {"slipway open lab.slipway runs", "what is in it"},
                   {"slipway open lab.slipway show 3f2a --json", "one run, for a script"}},
      .positionals = {{"file", "a .slipway file"},
                      {"command", "runs, show, compare or releases, with its words", false, true}},
      .options = {{"port", "0: the system chooses", "PORT", "8080"},
                  {"all", "for show: passed cases too", "", ""},
                  json_option()},
      .run = run_open};
}

}  // namespace slipway::cli
