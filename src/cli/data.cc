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
  std::string path, text;
  size_t rows = 0;  // functions, of a skill file
};

std::vector<Written> rows_of(const std::string& folder,
                             const std::vector<dataset::ImportedFile>& imported) {
  std::vector<Written> files;
  for (const auto& file : imported) {
    files.push_back({files::join(folder, file.name + ".jsonl"), dataset::to_jsonl(file.examples),
                     file.examples.size()});
  }
  return files;
}

Result<std::vector<Written>> import_files(const std::string& format, const std::string& from,
                                          const std::string& out) {
  if (format == "bfcl") {
    SLIPWAY_TRY(imported, dataset::import_bfcl(from));
    return rows_of(out, imported);
  }
  if (format == "snips") {
    SLIPWAY_TRY(imported, dataset::import_snips(from));
    auto files = rows_of(out, imported.files);
    files.push_back({files::join(out, "snips.json"),
                     skill::skill_to_json(imported.skill).pretty() + "\n",
                     imported.skill.functions.size()});
    return files;
  }
  return Error::invalid_input("no format '" + format + "'", "the formats are bfcl and snips");
}

// All or none: a project's own rows may have such names.
Status write_new(const std::vector<Written>& imported) {
  for (const auto& file : imported) {
    if (!files::exists(file.path)) continue;
    SLIPWAY_TRY(there, files::read(file.path));
    if (there != file.text)
      return Error::already_exists("'" + file.path + "' is there, and is another",
                                   "give another folder with --out, or move it away");
  }
  for (const auto& file : imported) SLIPWAY_CHECK(files::write_atomic(file.path, file.text));
  return {};
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
  SLIPWAY_CHECK(write_new(written));
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
                      {"name", "datasets of slipway.toml, or files; or a format and its folder",
                       false, true}},
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
