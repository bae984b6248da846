#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>
#include <ostream>

#include "base/text.h"
#include "cli/command.h"
#include "json/value.h"
#include "lab/provenance.h"

namespace slipway::cli {
namespace {

// Where CLI11 puts what it parsed, until it becomes Arguments.
struct Bound {
  const Command* command = nullptr;
  CLI::App* app = nullptr;
  std::map<std::string, std::vector<std::string>> values;
  std::map<std::string, bool> flags;
};

std::string footer(const Command& command) {
  std::string text = command.details.empty() ? "" : command.details + "\n\n";
  if (command.examples.empty()) return text;
  text += "Examples:\n";
  for (const auto& [line, what] : command.examples) text += "  " + line + "\n      " + what + "\n";
  return text;
}

void bind(CLI::App& program, const Command& command, Bound& bound) {
  bound.command = &command;
  bound.app = program.add_subcommand(command.name, command.summary);
  bound.app->footer(footer(command));
  for (const auto& positional : command.positionals) {
    auto* option =
        bound.app->add_option(positional.name, bound.values[positional.name], positional.help);
    option->type_name("");
    if (positional.required) option->required();
    option->expected(positional.many ? -1 : 1);
    // Without this the first positional takes the words of the ones after it.
    option->allow_extra_args(positional.many);
  }
  for (const auto& option : command.options) {
    const auto letter = option.letter ? std::string("-") + option.letter + "," : std::string();
    const auto name = letter + "--" + option.name;
    if (option.value.empty()) {
      bound.app->add_flag(name, bound.flags[option.name], option.help);
      continue;
    }
    auto help = option.help + (option.otherwise.empty() ? "" : " [" + option.otherwise + "]");
    bound.app->add_option(name, bound.values[option.name], help)
        ->type_name(option.value)
        ->expected(1)
        ->allow_extra_args(false)  // `ask --candidate a play it`: the words are not candidates
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  }
}

Arguments arguments_of(const Bound& bound) {
  Arguments arguments;
  for (const auto& [name, values] : bound.values) {
    if (!values.empty()) arguments.set(name, values);
  }
  for (const auto& [name, given] : bound.flags) {
    if (given) arguments.set(name, {"true"});
  }
  for (const auto& option : bound.command->options) {
    if (!option.otherwise.empty() && !arguments.has(option.name))
      arguments.set(option.name, {option.otherwise});
  }
  return arguments;
}

int usage_error(Context& context, const CLI::ParseError& error,
                const std::vector<std::string>& words, const std::vector<Command>& commands) {
  std::vector<std::string> names;
  for (const auto& command : commands) names.push_back(command.name);
  const auto known =
      !words.empty() && std::find(names.begin(), names.end(), words[0]) != names.end();
  std::string hint = known ? "see `slipway " + words[0] + " --help`" : "see `slipway --help`";
  std::string message = error.what();
  if (!known && !words.empty() && words[0][0] != '-') {
    message = "no command '" + words[0] + "'";
    if (auto near = nearest(words[0], names)) hint = "did you mean '" + *near + "'?";
  }
  context.err << "slipway: " << message << "; " << hint << "\n";
  return exit_code(ErrorCode::invalid_input);
}

}  // namespace

bool Arguments::flag(const std::string& name) const { return values_.contains(name); }
bool Arguments::has(const std::string& name) const { return values_.contains(name); }

std::string Arguments::text(const std::string& name) const {
  const auto found = values_.find(name);
  return found == values_.end() || found->second.empty() ? std::string() : found->second.back();
}

std::vector<std::string> Arguments::list(const std::string& name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::vector<std::string>() : found->second;
}

Result<int64_t> Arguments::integer(const std::string& name, int64_t lowest, int64_t highest) const {
  const auto value = text(name);
  int64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size() || number < lowest ||
      number > highest) {
    return Error::invalid_input("--" + name + " '" + value + "' is not a whole number from " +
                                std::to_string(lowest) + " to " + std::to_string(highest));
  }
  return number;
}

Result<uint64_t> Arguments::bytes(const std::string& name) const {
  const auto value = text(name);
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  const std::string unit(end, value.data() + value.size());
  const auto power = std::string("KMG").find(unit);
  const int shift = unit.empty() ? 0 : 10 * (static_cast<int>(power) + 1);
  if (error != std::errc() || unit.size() > 1 || power == std::string::npos || number == 0 ||
      number > (UINT64_MAX >> shift)) {
    return Error::invalid_input("--" + name + " '" + value + "' is not a size in bytes",
                                "write a whole number and K, M or G: 512M, 4G");
  }
  return number << shift;
}

Result<double> Arguments::number(const std::string& name, double lowest, double highest) const {
  const auto value = text(name);
  double number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size() ||
      !(number >= lowest && number <= highest)) {
    return Error::invalid_input("--" + name + " '" + value + "' is not a number from " +
                                json::Value(lowest).dump() + " to " + json::Value(highest).dump());
  }
  return number;
}

void Arguments::set(const std::string& name, std::vector<std::string> values) {
  values_[name] = std::move(values);
}

Option json_option() {
  return {"json", "print JSON for programs instead of text for people", "", ""};
}
Option project_option() {
  return {"project", "the project's folder, if not this one", "FOLDER", ""};
}

int run_program(Context& context, const std::vector<std::string>& words) {
  const auto commands = all_commands();
  CLI::App program("Slipway takes an LLM application from demo to production on your own hardware.",
                   "slipway");
  program.set_version_flag("--version", std::string("slipway ") + lab::slipway_version);
  program.require_subcommand(1);
  program.footer("`slipway COMMAND --help` shows examples. Start with `slipway demo`.");
  std::vector<Bound> bound(commands.size());
  for (size_t i = 0; i < commands.size(); ++i) bind(program, commands[i], bound[i]);

  std::vector<std::string> reversed(words.rbegin(), words.rend());
  if (reversed.empty()) reversed = {"--help"};
  try {
    program.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    const auto* shown = &program;
    for (const auto& b : bound) {
      if (b.app->parsed()) shown = b.app;
    }
    context.out << shown->help();
    return 0;
  } catch (const CLI::CallForVersion&) {
    context.out << "slipway " << lab::slipway_version << "\n";
    return 0;
  } catch (const CLI::ParseError& error) {
    return usage_error(context, error, words, commands);
  }
  for (const auto& b : bound) {
    if (!b.app->parsed()) continue;
    auto result = b.command->run(context, arguments_of(b));
    context.out.flush();
    if (result.ok()) return *result;
    context.err << "slipway: " << result.error().to_string() << "\n";
    return exit_code(result.error().code());
  }
  return exit_code(ErrorCode::internal);
}

}  // namespace slipway::cli
