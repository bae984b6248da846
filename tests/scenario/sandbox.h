// A folder of its own for one scenario: a project, a home without anybody's settings, and the real
// program run inside it.
//
//     Sandbox box;
//     box.write("slipway.toml", "...");
//     Outcome outcome = box.run({"eval", "--json"});    // exit code, stdout, stderr
//     Child child = box.start({"eval"});                // for signals
//
// The folder goes with the object. One thread.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "json/value.h"

namespace slipway::scenario {

struct Outcome {
  int exit_code = -1;  // 128 + signal when killed
  std::string out;
  std::string err;

  json::Value parsed() const;  // stdout; fails the test when it is no JSON
};

// A running slipway.
class Child {
 public:
  explicit Child(int pid) : pid_(pid) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();  // SIGKILL, if it still runs
  void signal(int number) const;
  bool ended();  // without waiting
  int wait();    // the exit code, 128 + signal when killed

 private:
  int pid_;
  int status_ = 0;
  bool reaped_ = false;
};

class Sandbox {
 public:
  Sandbox();
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;
  ~Sandbox();

  const std::string& project() const { return project_; }
  const std::string& root() const { return root_; }
  std::string path(std::string_view name) const;  // inside the project
  void write(std::string_view name, std::string_view content) const;
  std::string read(std::string_view name) const;
  void replace(std::string_view name, std::string_view from, std::string_view to) const;
  void write_user_config(std::string_view toml) const;
  void set_env(const std::string& name, const std::string& value) { environment_[name] = value; }

  Outcome run(const std::vector<std::string>& arguments, const std::string& input = {}) const;
  // Its streams go to stdout.txt and stderr.txt of the project's parent.
  Child start(const std::vector<std::string>& arguments) const;

 private:
  std::string root_;
  std::string project_;
  std::map<std::string, std::string> environment_;
};

// Every file under `folder`, by path.
std::vector<std::string> files_under(const std::string& folder);

// The folder that holds gemma-3-270m's weights, or empty: then the caller says so and returns.
std::string models_folder();

}  // namespace slipway::scenario

// Ends the test case, loudly, on a machine without the weights.
#define SLIPWAY_NEEDS_MODEL()                                                            \
  if (slipway::scenario::models_folder().empty()) {                                      \
    MESSAGE("SKIPPED: gemma-3-270m is not here; `slipway models pull gemma-3-270m`");    \
    return;                                                                              \
  }
