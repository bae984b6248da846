#include <fmt/core.h>

#include <ostream>

#include "base/files.h"
#include "cli/data.h"
#include "cli/session.h"
#include "dataset/bfcl.h"
#include "dataset/snips.h"

namespace slipway::cli {
namespace {

struct Written {
  std::string path;
  size_t rows = 0;
};

Result<std::vector<Written>> write_files(const std::string& folder,
                                         const std::vector<dataset::ImportedFile>& imported) {
  std::vector<Written> written;
  for (const auto& file : imported) {
    const auto path = files::join(folder, file.name + ".jsonl");
    SLIPWAY_CHECK(files::write_atomic(path, dataset::to_jsonl(file.examples)));
    written.push_back({path, file.examples.size()});
  }
  return written;
}

Result<std::vector<Written>> import_files(const std::string& format, const std::string& from,
                                          const std::string& out) {
  if (format == "bfcl") {
    SLIPWAY_TRY(imported, dataset::import_bfcl(from));
    return write_files(out, imported);
  }
  if (format == "snips") {
    SLIPWAY_TRY(imported, dataset::import_snips(from));
    SLIPWAY_TRY(written, write_files(out, imported.files));
    const auto path = files::join(out, "snips.json");
    SLIPWAY_CHECK(files::write_atomic(path, skill::skill_to_json(imported.skill).pretty() + "\n"));
    written.push_back({path, imported.skill.functions.size()});
    return written;
  }
  return Error::invalid_input("no format '" + format + "'", "the formats are bfcl and snips");
}

CommandResult run_import(Context& context, const Arguments& arguments) {
  const auto names = arguments.list("name");
  if (names.size() != 2)
    return Error::invalid_input("`data import` wants a format and a folder",
                                "for example: slipway data import snips ../snips --out data");
  const auto from = files::join(context.folder, names[1]);
  const auto out =
      files::join(context.folder, arguments.has("out") ? arguments.text("out") : "data");
  SLIPWAY_TRY(written, import_files(names[0], from, out));
  if (arguments.flag("json")) {
    auto list = json::Value::array();
    for (const auto& file : written) {
      auto one = json::Value::object();
      list.push_back(one.set("path", file.path).set("rows", file.rows));
    }
    auto value = json::Value::object();
    context.out << value.set("files", std::move(list)).pretty() << "\n";
    return 0;
  }
  for (const auto& file : written) {
    const bool is_skill = file.path.ends_with(".json");
    context.out << fmt::format("{}  {} {}\n", file.path, file.rows,
                               is_skill ? "functions" : "rows");
  }
  return 0;
}

CommandResult run_data(Context& context, const Arguments& arguments) {
  const auto action = arguments.text("action");
  if (action == "check") return check_data(context, arguments);
  if (action == "import") return run_import(context, arguments);
  if (action == "vary") return vary_data(context, arguments);
  return Error::invalid_input("no action '" + action + "'",
                              "the actions are check, import and vary");
}

}  // namespace

Command data_command() {
  return {
      .name = "data",
      .summary = "Check datasets before they are trusted, import others', vary rows",
      .details =
          "check: rows that cannot be read, duplicates and near-duplicates, leaks between "
          "splits (exit code 1),\n"
          "balance by function and tag. import: bfcl or snips, into rows and, for snips, a "
          "skill file. vary: a train set and copies of its rows in which the words of other rows "
          "stand\n"
          "(of arguments that are x-slipway-said), to train on.",
      .examples = {{"slipway data check", "all datasets of slipway.toml"},
                   {"slipway data check train test --threshold 0.8", "these two, more strictly"},
                   {"slipway data import snips ../snips --out data",
                    "train.jsonl, dev.jsonl and the skill file snips.json"},
                   {"slipway data import bfcl ../bfcl --out data/bfcl", "a file a category"},
                   {"slipway data vary train --copies 2",
                    "data/train-varied.jsonl, up to three times as many"}},
      .positionals = {{"action", "check, import or vary"},
                      {"name", "datasets of slipway.toml; or a format and its folder", false,
                       true}},
      .options = {{"threshold", "similarity of near-duplicates, 0 to 1", "NUMBER", "0.85"},
                  {"pairs", "show and store at most this many pairs", "N", "1000"},
                  {"out", "the folder of imported files (data), the file of varied rows", "PATH",
                   ""},
                  {"copies", "of every row, each varied anew", "N", "1"},
                  {"share", "of the words that are replaced, 0 to 1", "NUMBER", "0.75"},
                  {"joined", "of the names among them that are put together from two", "NUMBER",
                   "0.33"},
                  {"seed", "of the choice", "N", "0"},
                  project_option(),
                  json_option()},
      .run = run_data};
}

}  // namespace slipway::cli
