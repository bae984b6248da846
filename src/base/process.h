// Runs a program and collects what it printed. No shell is involved, so no quoting can go wrong.
//
//     SLIPWAY_TRY(git, run_process({"git", "rev-parse", "HEAD"}, {.timeout_ms = 5000}));
//
// Linux only (PR_SET_PDEATHSIG). run_process is thread-safe.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace slipway {

struct ProcessOptions {
  std::string working_directory;               // empty: ours
  std::map<std::string, std::string> set_env;  // added to our environment
  // When set, of our environment only these names are handed on.
  std::optional<std::vector<std::string>> keep_env;
  std::string input;                           // its standard input
  int timeout_ms = 30'000;                     // then SIGKILL to its process group
  size_t max_output_bytes = 16 << 20;          // per stream; more is dropped
};

struct ProcessOutput {
  int exit_code = 0;  // 128 + signal when killed
  std::string out;
  std::string err;
};

// Errors: not_found (no such program), timeout.
Result<ProcessOutput> run_process(const std::vector<std::string>& argv,
                                  const ProcessOptions& options = {});

// A variable of our environment, as a program is handed it; nothing when it is not set.
std::optional<std::string> environment_variable(const std::string& name);

// A child that lives as long as this object (SIGTERM, then SIGKILL after 2 s, to its whole group).
// Movable; not thread-safe. The kernel also kills it when the thread that started it ends, so that
// it cannot outlive a crash: start it from a thread that lives as long as it shall.
class BackgroundProcess {
 public:
  // Its output is appended to `log_path`. Of the options only working_directory and the
  // environment count.
  static Result<BackgroundProcess> start(const std::vector<std::string>& argv,
                                         const ProcessOptions& options,
                                         const std::string& log_path);
  // Its standard input, output and error are these descriptors, which stay the caller's to close.
  static Result<BackgroundProcess> start(const std::vector<std::string>& argv,
                                         const ProcessOptions& options,
                                         const std::array<int, 3>& streams);
  BackgroundProcess(BackgroundProcess&& other) noexcept;
  BackgroundProcess& operator=(BackgroundProcess&& other) noexcept;
  ~BackgroundProcess();
  bool running() const;
  int pid() const { return pid_; }
  void stop();

 private:
  explicit BackgroundProcess(int pid) : pid_(pid) {}
  int pid_ = -1;
};

}  // namespace slipway
