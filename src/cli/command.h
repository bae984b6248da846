// A command: what it is called, what it takes, and a function over an explicit context, so that
// tests call it in-process.
//
//     Command runs_command() {
//       return {.name = "runs", .summary = "List what was done", .run = run_runs};
//     }
//
// Argument parsing happens in cli/parser.cc and nowhere else.
#pragma once

#include <functional>
#include <iosfwd>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/result.h"

namespace slipway::cli {

struct Option {
  std::string name;  // "model": given as --model
  std::string help;
  std::string value;      // placeholder such as NAME; empty: a flag
  std::string otherwise;  // default, shown in --help
  char letter = 0;        // 'o': given as -o, too
};

struct Positional {
  std::string name;
  std::string help;
  bool required = true;
  bool many = false;  // takes the rest
};

class Arguments {
 public:
  bool flag(const std::string& name) const;
  // An option's or positional's value; empty when absent.
  std::string text(const std::string& name) const;
  bool has(const std::string& name) const;
  std::vector<std::string> list(const std::string& name) const;
  Result<int64_t> integer(const std::string& name, int64_t lowest, int64_t highest) const;
  // "512M", "4G": K, M and G are powers of 1024.
  Result<uint64_t> bytes(const std::string& name) const;
  Result<double> number(const std::string& name, double lowest, double highest) const;
  void set(const std::string& name, std::vector<std::string> values);

 private:
  std::map<std::string, std::vector<std::string>> values_;
};

// Everything a command may touch. The streams and the environment are given, never taken.
struct Context {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;  // progress and errors
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  bool in_is_terminal = false;
  std::string folder;  // the working directory
  std::function<std::optional<std::string>(const std::string&)> environment;
  std::string executable;  // the path of this program
  std::vector<std::string> argv;
  CancelToken cancel;
};

// 0 ok; 1 a check said no; the rest by base/error.h.
using CommandResult = Result<int>;

struct Command {
  std::string name;
  std::string summary;                                        // one line
  std::string details;                                        // a paragraph of --help
  std::vector<std::pair<std::string, std::string>> examples;  // line, what it does
  std::vector<Positional> positionals;
  std::vector<Option> options;
  CommandResult (*run)(Context&, const Arguments&) = nullptr;
};

Option json_option();
Option project_option();

Command init_command();
Command ask_command();
Command listen_command();
Command eval_command();
Command runs_command();
Command show_command();
Command compare_command();
Command models_command();
Command demo_command();
Command tune_command();
Command adapters_command();
Command data_command();
Command skills_command();
Command call_command();
Command serve_command();
Command gate_command();
Command promote_command();
Command rollback_command();
Command releases_command();
Command reproduce_command();
Command report_command();
Command optimize_command();
Command sweep_command();
Command bundle_command();
Command open_command();
Command unbundle_command();
Command sync_command();
std::vector<Command> all_commands();

// Parses and runs; prints errors to context.err; returns the exit code. `arguments` without the
// program's name.
int run_program(Context& context, const std::vector<std::string>& arguments);

}  // namespace slipway::cli
