#include "base/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <utility>

#include "base/clock.h"
#include "base/descriptor.h"
#include "base/files.h"

namespace slipway {
namespace {

Result<std::string> find_program(const std::string& name) {
  const Error missing =
      Error::not_found("no program '" + name + "'", "install it, or check the path");
  if (name.empty()) return missing;
  if (name.find('/') != std::string::npos) return name;  // exec itself says whether it exists
  const auto folders = environment_variable("PATH").value_or("/usr/local/bin:/usr/bin:/bin");
  for (size_t start = 0; start <= folders.size();) {
    const size_t end = std::min(folders.find(':', start), folders.size());
    const std::string folder = folders.substr(start, end - start);
    const std::string candidate = files::join(folder.empty() ? "." : folder, name);
    if (::access(candidate.c_str(), X_OK) == 0 && !files::is_directory(candidate)) return candidate;
    start = end + 1;
  }
  return missing;
}

std::vector<std::string> environment_with(const ProcessOptions& options) {
  std::vector<std::string> all;
  const auto& keep = options.keep_env;
  for (char** at = environ; at && *at; ++at) {
    const std::string entry(*at);
    const auto name = entry.substr(0, entry.find('='));
    if (keep && std::find(keep->begin(), keep->end(), name) == keep->end()) continue;
    if (options.set_env.count(name) == 0) all.push_back(entry);
  }
  for (const auto& [key, value] : options.set_env) all.push_back(key + "=" + value);
  return all;
}

std::vector<char*> pointers_to(std::vector<std::string>& strings) {
  std::vector<char*> out;
  for (std::string& s : strings) out.push_back(s.data());
  out.push_back(nullptr);
  return out;
}

// All the child needs, prepared before fork: after it only async-signal-safe calls are allowed.
struct Launch {
  const char* program;
  char* const* argv;
  char* const* envp;
  const char* folder;  // nullptr: ours
  std::array<int, 3> streams;
  int report;  // write end of the pipe that carries errno back
  pid_t parent;
};

[[noreturn]] void run_child(const Launch& launch) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != launch.parent) ::_exit(127);  // it died before prctl
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
#ifdef CLOSE_RANGE_CLOEXEC
  ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);  // whatever a library opened without the flag
#endif
  bool ok = true;
  for (int i = 0; i < 3; ++i) ok = ok && ::dup2(launch.streams[static_cast<size_t>(i)], i) == i;
  ok = ok && (!launch.folder || ::chdir(launch.folder) == 0);
  if (ok) ::execve(launch.program, launch.argv, launch.envp);
  const int code = errno;
  [[maybe_unused]] const ssize_t n = ::write(launch.report, &code, sizeof code);
  ::_exit(127);
}

// A descriptor above 2, so that dup2 onto 0..2 cannot overwrite a source before it is used.
int above_streams(int fd) { return ::fcntl(fd, F_DUPFD_CLOEXEC, 3); }

Result<pid_t> spawn(std::vector<std::string> argv, const ProcessOptions& options,
                    const std::array<int, 3>& streams) {
  if (argv.empty()) return Error::invalid_input("no program to run");
  SLIPWAY_TRY(program, find_program(argv.front()));
  auto environment = environment_with(options);
  const auto arguments = pointers_to(argv);
  const auto variables = pointers_to(environment);
  SLIPWAY_TRY(report, make_pipe());
  std::array<Fd, 4> high;
  for (size_t i = 0; i < 3; ++i) high[i] = Fd(above_streams(streams[i]));
  high[3] = Fd(above_streams(report.write.get()));
  if (!std::all_of(high.begin(), high.end(), [](const Fd& fd) { return fd.open(); })) {
    return system_error("duplicate a descriptor", errno);
  }
  const std::string& wanted = options.working_directory;
  const char* folder = wanted.empty() ? nullptr : wanted.c_str();
  const Launch launch{program.c_str(), arguments.data(), variables.data(), folder,
                      {high[0].get(), high[1].get(), high[2].get()}, high[3].get(), ::getpid()};
  const pid_t pid = ::fork();
  if (pid < 0) return system_error("start '" + argv.front() + "'", errno);
  if (pid == 0) run_child(launch);
  ::setpgid(pid, pid);  // in both: whoever comes first
  report.write.close();
  high[3].close();
  int code = 0;
  ssize_t n = 0;
  while ((n = ::read(report.read.get(), &code, sizeof code)) < 0 && errno == EINTR) {
  }
  if (n <= 0) return pid;  // closed by exec
  ::waitpid(pid, nullptr, 0);
  if (code == ENOENT && !(folder && !files::is_directory(folder))) {
    return Error::not_found("no program '" + argv.front() + "'", "install it, or check the path");
  }
  if (folder && !files::is_directory(folder)) {
    return Error::not_found("no folder '" + options.working_directory + "' to run '" +
                            argv.front() + "' in");
  }
  return system_error("start '" + argv.front() + "'", code);
}

// Reads what is there, at most 2 MiB so that an endless writer cannot hold up the deadline (a pipe
// holds 1 MiB at most); closes at the end of the stream.
void drain(Fd& fd, std::string& out, size_t limit) {
  std::array<char, 65536> chunk;
  for (int turns = 0; fd.open() && turns < 32; ++turns) {
    const ssize_t n = ::read(fd.get(), chunk.data(), chunk.size());
    if (n > 0) {
      out.append(chunk.data(), std::min(static_cast<size_t>(n), limit - out.size()));
    } else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
      fd.close();
    } else if (errno == EAGAIN) {
      return;
    }
  }
}

void feed(Fd& fd, std::string_view input, size_t& written) {
  while (fd.open() && written < input.size()) {
    const ssize_t n = ::write(fd.get(), input.data() + written, input.size() - written);
    if (n >= 0) {
      written += static_cast<size_t>(n);
    } else if (errno == EAGAIN) {
      return;
    } else if (errno != EINTR) {
      break;  // EPIPE: it does not read its input, which is its right
    }
  }
  fd.close();
}

int exit_code_of(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

// Moves bytes until the child has exited; a grandchild that keeps a pipe open is not waited for.
// Returns false when the deadline has passed.
bool converse(pid_t pid, Fd& in, Fd& out, Fd& err, const ProcessOptions& options,
              ProcessOutput& result) {
  const double deadline = steady_ms() + options.timeout_ms;
  size_t written = 0;
  while (true) {
    feed(in, options.input, written);
    int status = 0;
    const bool exited = ::waitpid(pid, &status, WNOHANG) == pid;
    drain(out, result.out, options.max_output_bytes);
    drain(err, result.err, options.max_output_bytes);
    if (exited) {
      result.exit_code = exit_code_of(status);
      return true;
    }
    const double left = deadline - steady_ms();
    if (left <= 0) return false;
    std::array<pollfd, 3> polls{pollfd{in.get(), POLLOUT, 0}, pollfd{out.get(), POLLIN, 0},
                                pollfd{err.get(), POLLIN, 0}};
    ::poll(polls.data(), polls.size(), static_cast<int>(std::min(left + 1, 10.0)));
  }
}

}  // namespace

std::optional<std::string> environment_variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value ? std::optional<std::string>(value) : std::nullopt;
}

Result<ProcessOutput> run_process(const std::vector<std::string>& argv,
                                  const ProcessOptions& options) {
  SLIPWAY_TRY(in, make_pipe());
  SLIPWAY_TRY(out, make_pipe());
  SLIPWAY_TRY(err, make_pipe());
  SLIPWAY_TRY(pid, spawn(argv, options, {in.read.get(), out.write.get(), err.write.get()}));
  in.read.close();
  out.write.close();
  err.write.close();
  set_nonblocking(in.write);
  set_nonblocking(out.read);
  set_nonblocking(err.read);
  const SigpipeBlock no_sigpipe;
  ProcessOutput result;
  if (converse(pid, in.write, out.read, err.read, options, result)) return result;
  ::kill(-pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
  return Error::timeout("'" + argv.front() + "' did not finish within " +
                            std::to_string(options.timeout_ms) + " ms and was stopped",
                        "allow it more time, or find out what it waits for");
}

Result<BackgroundProcess> BackgroundProcess::start(const std::vector<std::string>& argv,
                                                   const ProcessOptions& options,
                                                   const std::string& log_path) {
  SLIPWAY_CHECK(files::make_directories(files::parent(log_path)));
  const Fd log(::open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (!log.open()) return system_error("write '" + log_path + "'", errno);
  const Fd nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!nothing.open()) return system_error("open /dev/null", errno);
  SLIPWAY_TRY(pid, spawn(argv, options, {nothing.get(), log.get(), log.get()}));
  return BackgroundProcess(pid);
}

Result<BackgroundProcess> BackgroundProcess::start(const std::vector<std::string>& argv,
                                                   const ProcessOptions& options,
                                                   const std::array<int, 3>& streams) {
  SLIPWAY_TRY(pid, spawn(argv, options, streams));
  return BackgroundProcess(pid);
}

BackgroundProcess::BackgroundProcess(BackgroundProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)) {}

BackgroundProcess& BackgroundProcess::operator=(BackgroundProcess&& other) noexcept {
  if (this != &other) {
    stop();
    pid_ = std::exchange(other.pid_, -1);
  }
  return *this;
}

BackgroundProcess::~BackgroundProcess() { stop(); }

bool BackgroundProcess::running() const {
  if (pid_ <= 0) return false;
  siginfo_t info{};
  // WNOWAIT leaves the zombie, so that the pid stays ours until stop().
  const int result = ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT);
  return result == 0 && info.si_pid == 0;
}

void BackgroundProcess::stop() {
  constexpr int grace_ms = 2000;
  if (pid_ <= 0) return;
  ::kill(-pid_, SIGTERM);
  const double deadline = steady_ms() + grace_ms;
  while (running() && steady_ms() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  ::kill(-pid_, SIGKILL);  // the leader if it hangs, and whatever it left behind in its group
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

}  // namespace slipway
