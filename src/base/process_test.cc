#include "base/process.h"

#include <doctest/doctest.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "base/files.h"
#include "base/ids.h"
#include "base/text.h"

using namespace slipway;

namespace {

Result<ProcessOutput> shell(const std::string& script, ProcessOptions options = {}) {
  return run_process({"sh", "-c", script}, options);
}

std::string temporary(const std::string& name) {
  return (std::filesystem::temp_directory_path() / (name + new_run_id())).string();
}

}  // namespace

TEST_CASE("process: both streams and the exit code arrive") {
  const auto result = shell("echo out; echo err >&2; exit 3");
  REQUIRE(result.ok());
  CHECK(result->out == "out\n");
  CHECK(result->err == "err\n");
  CHECK(result->exit_code == 3);
  CHECK(shell("kill -9 $$")->exit_code == 128 + SIGKILL);
}

TEST_CASE("process: arguments are passed as they are") {
  const auto result = run_process({"printf", "%s|", "a b", "$HOME", "'", ""});
  REQUIRE(result.ok());
  CHECK(result->out == "a b|$HOME|'||");
}

TEST_CASE("process: environment, folder and input") {
  ProcessOptions options;
  options.set_env = {{"SLIPWAY_TEST_WORD", "x=y"}};
  options.working_directory = "/";
  options.input = "in";
  const auto result = shell("cat; printf \" $SLIPWAY_TEST_WORD \"; pwd", options);
  REQUIRE(result.ok());
  CHECK(result->out == "in x=y /\n");
  CHECK(shell("printf \"$PATH\"", {})->out == environment_variable("PATH"));
  CHECK_FALSE(environment_variable("SLIPWAY_TEST_WORD"));
}

TEST_CASE("process: megabytes pass through in both directions at once") {
  ProcessOptions options;
  options.input = std::string(4 << 20, 'x');
  const auto result = run_process({"cat"}, options);
  REQUIRE(result.ok());
  CHECK(result->out == options.input);
}

TEST_CASE("process: input that nobody reads is no error") {
  ProcessOptions options;
  options.input = std::string(4 << 20, 'x');
  const auto result = run_process({"true"}, options);
  REQUIRE(result.ok());
  CHECK(result->exit_code == 0);
}

TEST_CASE("process: output beyond the limit is dropped, not waited for") {
  ProcessOptions options;
  options.max_output_bytes = 1000;
  const auto result = shell("head -c 3000000 /dev/zero; echo done >&2", options);
  REQUIRE(result.ok());
  CHECK(result->out.size() == 1000);
  CHECK(result->err == "done\n");
}

TEST_CASE("process: what does not exist is not_found") {
  CHECK(run_process({"slipway-no-such-program"}).error().code() == ErrorCode::not_found);
  CHECK(run_process({"/no/such/program"}).error().code() == ErrorCode::not_found);
  CHECK(run_process({}).error().code() == ErrorCode::invalid_input);
  ProcessOptions options;
  options.working_directory = "/no/such/folder";
  const auto result = shell("true", options);
  CHECK(result.error().message().find("/no/such/folder") != std::string::npos);
}

TEST_CASE("process: a timeout kills the whole group, also under endless output") {
  const auto pid_file = temporary("timeout-");
  ProcessOptions options;
  options.timeout_ms = 300;
  const auto result = shell("sleep 1000 & echo $! > " + pid_file + "; wait", options);
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().code() == ErrorCode::timeout);
  const auto grandchild = files::read(pid_file);
  REQUIRE(grandchild.ok());
  const auto stat = "/proc/" + std::string(trim(*grandchild)) + "/stat";
  const auto running = [&] {  // dead may mean not yet reaped by init: state Z
    const auto state = files::read(stat);
    return state.ok() && state->find(") Z") == std::string::npos &&
           state->find(") X") == std::string::npos;
  };
  // The kernel delivers the signal when it gets to it, so give it a while; its sleep is far longer.
  bool alive = running();
  for (int i = 0; i < 500 && alive; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    alive = running();
  }
  CHECK_FALSE(alive);
  CHECK(run_process({"yes"}, options).error().code() == ErrorCode::timeout);
  CHECK(files::remove_all(pid_file).ok());
}

TEST_CASE("process: a grandchild that keeps the pipe open is not waited for") {
  const auto result = shell("sleep 1000 & echo $!");
  REQUIRE(result.ok());
  CHECK(::kill(std::stoi(result->out), SIGKILL) == 0);
}

TEST_CASE("background process: logs, runs until stopped, and is gone afterwards") {
  const auto log = temporary("background-") + "/deep/log.txt";
  int pid = -1;
  {
    auto child = BackgroundProcess::start({"sh", "-c", "echo started; exec sleep 1000"}, {}, log);
    REQUIRE(child.ok());
    BackgroundProcess moved = std::move(*child);
    pid = moved.pid();
    CHECK(moved.running());
    CHECK_FALSE(child->running());
    while (files::read(log)->empty()) {
    }
    CHECK(*files::read(log) == "started\n");
  }
  CHECK(::kill(pid, 0) != 0);
  CHECK(files::remove_all(files::parent(files::parent(log))).ok());
}

TEST_CASE("background process: the end and a failure to start show") {
  const auto log = temporary("background-");
  auto child = BackgroundProcess::start({"true"}, {}, log);
  REQUIRE(child.ok());
  while (child->running()) {
  }
  child->stop();
  child->stop();
  CHECK(child->pid() == -1);
  const auto missing = BackgroundProcess::start({"slipway-no-such"}, {}, log);
  CHECK(missing.error().code() == ErrorCode::not_found);
  CHECK(files::remove_all(log).ok());
}
