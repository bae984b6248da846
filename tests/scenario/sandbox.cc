#include "sandbox.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "base/files.h"
#include "base/process.h"

namespace slipway::scenario {
namespace {

constexpr int longest_run_ms = 300'000;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

int exit_code_of(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> list;
  for (auto& text : texts) list.push_back(text.data());
  list.push_back(nullptr);
  return list;
}

}  // namespace

json::Value Outcome::parsed() const {
  auto value = json::parse(out);
  INFO("stdout: ", out, "\nstderr: ", err);
  REQUIRE(value.ok());
  return *value;
}

Child::~Child() {
  if (reaped_) return;
  signal(SIGKILL);
  wait();
}

void Child::signal(int number) const { ::kill(pid_, number); }

bool Child::ended() {
  if (!reaped_) reaped_ = ::waitpid(pid_, &status_, WNOHANG) == pid_;
  return reaped_;
}

int Child::wait() {
  while (!reaped_) reaped_ = ::waitpid(pid_, &status_, 0) == pid_;
  return exit_code_of(status_);
}

Sandbox::Sandbox() {
  std::string pattern = (std::filesystem::temp_directory_path() / "slipway-XXXXXX").string();
  REQUIRE(::mkdtemp(pattern.data()) != nullptr);
  root_ = pattern;
  project_ = files::join(root_, "project");
  for (const char* folder : {"project", "home", "config", "cache", "models"}) {
    REQUIRE(files::make_directories(files::join(root_, folder)).ok());
  }
  const auto models = models_folder();
  environment_ = {{"HOME", files::join(root_, "home")},
                  {"XDG_CONFIG_HOME", files::join(root_, "config")},
                  {"XDG_CACHE_HOME", files::join(root_, "cache")},
                  {"SLIPWAY_MODELS", models.empty() ? files::join(root_, "models") : models},
                  {"GIT_CONFIG_GLOBAL", "/dev/null"}};
}

Sandbox::~Sandbox() { static_cast<void>(files::remove_all(root_).ok()); }

std::string Sandbox::path(std::string_view name) const { return files::join(project_, name); }

void Sandbox::write(std::string_view name, std::string_view content) const {
  REQUIRE(files::write_atomic(path(name), content).ok());
}

std::string Sandbox::read(std::string_view name) const {
  auto text = files::read(path(name));
  REQUIRE(text.ok());
  return *text;
}

void Sandbox::replace(std::string_view name, std::string_view from, std::string_view to) const {
  auto text = read(name);
  size_t count = 0;
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size(), ++count) {
    text.replace(at, from.size(), to);
  }
  INFO("'", std::string(from), "' in ", std::string(name));
  REQUIRE(count > 0);
  write(name, text);
}

void Sandbox::write_user_config(std::string_view toml) const {
  REQUIRE(files::write_atomic(files::join(root_, "config/slipway/config.toml"), toml).ok());
}

Outcome Sandbox::run(const std::vector<std::string>& arguments, const std::string& input) const {
  std::vector<std::string> argv = {SLIPWAY_BINARY};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  auto output = run_process(argv, {.working_directory = project_,
                                   .set_env = environment_,
                                   .input = input,
                                   .timeout_ms = longest_run_ms});
  REQUIRE_MESSAGE(output.ok(), (output.ok() ? "" : output.error().to_string()));
  return {output->exit_code, output->out, output->err};
}

Child Sandbox::start(const std::vector<std::string>& arguments) const {
  std::vector<std::string> argv = {SLIPWAY_BINARY};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  std::vector<std::string> variables = {"PATH=" + variable("PATH")};
  for (const auto& [name, value] : environment_) variables.push_back(name + "=" + value);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addchdir_np(&actions, project_.c_str());
  constexpr int flags = O_WRONLY | O_CREAT | O_APPEND;
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, "../stdout.txt", flags, 0644);
  posix_spawn_file_actions_addopen(&actions, 2, "../stderr.txt", flags, 0644);
  pid_t pid = -1;
  const int code = ::posix_spawn(&pid, SLIPWAY_BINARY, &actions, nullptr, pointers(argv).data(),
                                 pointers(variables).data());
  posix_spawn_file_actions_destroy(&actions);
  REQUIRE(code == 0);
  return Child(pid);
}

std::vector<std::string> files_under(const std::string& folder) {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) found.push_back(entry.path().string());
  }
  return found;
}

std::string models_folder() {
  auto folder = variable("SLIPWAY_MODELS");
  if (folder.empty()) {
    const auto cache = variable("XDG_CACHE_HOME");
    folder = files::join(cache.empty() ? files::join(variable("HOME"), ".cache") : cache,
                         "slipway/models");
  }
  const bool here = files::exists(files::join(folder, "gemma-3-270m-q4_k_m.gguf"));
  return here ? files::absolute(folder) : std::string();
}

}  // namespace slipway::scenario
