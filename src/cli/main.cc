// The program: the process's streams, environment and signals become a Context; everything else is
// a command.
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "cli/command.h"

namespace {

slipway::CancelSource& stop_request() {
  static slipway::CancelSource source;
  return source;
}

// The first Ctrl-C asks everything to stop and leave the store consistent; the second ends the
// process.
void on_signal(int signal_number) {
  stop_request().cancel();
  ::signal(signal_number, SIG_DFL);
}

}  // namespace

int main(int argc, char** argv) {
  (void)stop_request();
  ::signal(SIGINT, on_signal);
  ::signal(SIGTERM, on_signal);
  ::signal(SIGPIPE, SIG_IGN);
  std::error_code ignored;
  slipway::cli::Context context{
      .in = std::cin,
      .out = std::cout,
      .err = std::cerr,
      .out_is_terminal = ::isatty(STDOUT_FILENO) == 1,
      .err_is_terminal = ::isatty(STDERR_FILENO) == 1,
      .in_is_terminal = ::isatty(STDIN_FILENO) == 1,
      .folder = std::filesystem::current_path(ignored).string(),
      .environment = [](const std::string& name) -> std::optional<std::string> {
        const char* value = std::getenv(name.c_str());
        return value ? std::optional<std::string>(value) : std::nullopt;
      },
      .executable = std::filesystem::read_symlink("/proc/self/exe", ignored).string(),
      .argv = std::vector<std::string>(argv, argv + argc),
      .cancel = stop_request().token(),
  };
  return slipway::cli::run_program(context, {argv + 1, argv + argc});
}
