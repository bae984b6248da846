#include "base/piped_process.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <thread>
#include <utility>

#include "base/clock.h"
#include "base/descriptor.h"

namespace slipway {
namespace {

constexpr size_t max_lines = 256;
constexpr size_t max_last_words = 2048;
constexpr int poll_ms = 20;
constexpr int farewell_ms = 1000;

}  // namespace

struct LineProcess::Impl {
  std::string program;
  size_t max_line_bytes = 0;
  Fd in, out, err;

  mutable std::mutex mutex;
  std::condition_variable_any changed;
  std::deque<std::string> lines;
  std::string partial;
  std::string tail;
  bool gone = false;      // no more lines will come
  bool too_long = false;  // because one had more than max_line_bytes
  std::mutex writing;
  std::jthread thread;  // last: it uses all of the above

  // The kernel ends the child with the thread that started it, so this thread starts and keeps it.
  void live(std::stop_token stop, std::vector<std::string> argv, ProcessOptions options,
            std::array<Fd, 3> theirs, std::promise<Status> started) {
    const std::array<int, 3> streams{theirs[0].get(), theirs[1].get(), theirs[2].get()};
    auto process = BackgroundProcess::start(argv, options, streams);
    for (auto& fd : theirs) fd.close();
    started.set_value(process.ok() ? Status::success() : Status(process.error()));
    if (process.ok()) pump(stop);
    if (process.ok() && stop.stop_requested()) await_end(*process);
    const std::lock_guard lock(mutex);
    gone = true;
    changed.notify_all();
  }

  void pump(const std::stop_token& stop) {
    while (!stop.stop_requested() && out.open()) {
      bool full = false;
      {
        const std::lock_guard lock(mutex);
        full = lines.size() >= max_lines;
      }
      std::array<pollfd, 2> ready{{{full ? -1 : out.get(), POLLIN, 0}, {err.get(), POLLIN, 0}}};
      if (::poll(ready.data(), ready.size(), poll_ms) < 0 && errno != EINTR) return;
      if (ready[1].revents) read_error();
      if (ready[0].revents && !read_output()) break;
    }
    while (err.open() && read_error()) {  // why it ended, if it said so
    }
  }

  // Its input has ended, which asks it to end by itself; what it still says is dropped.
  void await_end(const BackgroundProcess& process) const {
    const double deadline = steady_ms() + farewell_ms;
    std::array<char, 65536> dropped;
    while (process.running() && steady_ms() < deadline) {
      for (const auto* fd : {&out, &err})
        [[maybe_unused]] const auto n = ::read(fd->get(), dropped.data(), dropped.size());
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

  bool read_error() {
    std::array<char, 4096> chunk;
    const ssize_t n = ::read(err.get(), chunk.data(), chunk.size());
    if (n == 0) err.close();
    if (n <= 0) return false;
    const std::lock_guard lock(mutex);
    tail.append(chunk.data(), static_cast<size_t>(n));
    if (tail.size() > max_last_words) tail.erase(0, tail.size() - max_last_words);
    return true;
  }

  bool read_output() {
    std::array<char, 16384> chunk;
    const ssize_t n = ::read(out.get(), chunk.data(), chunk.size());
    if (n < 0) return errno == EINTR || errno == EAGAIN;
    if (n == 0) return false;
    const std::lock_guard lock(mutex);
    std::string_view bytes(chunk.data(), static_cast<size_t>(n));
    while (!bytes.empty()) {
      const auto end = bytes.find('\n');
      partial += bytes.substr(0, end);
      if (partial.size() > max_line_bytes) {
        too_long = true;
        return false;
      }
      if (end == std::string_view::npos) break;
      if (partial.ends_with('\r')) partial.pop_back();
      lines.push_back(std::exchange(partial, {}));
      bytes.remove_prefix(end + 1);
    }
    changed.notify_all();
    return true;
  }

  Error gone_error() const {
    if (too_long) {
      return Error::exhausted("'" + program + "' wrote a line of more than " +
                              std::to_string(max_line_bytes) + " bytes and was stopped");
    }
    return Error::unavailable("'" + program + "' has ended");
  }
};

LineProcess::LineProcess(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LineProcess::~LineProcess() {
  impl_->thread.request_stop();
  impl_->in.close();  // many servers end by themselves when their input does
}

Result<std::unique_ptr<LineProcess>> LineProcess::start(std::vector<std::string> argv,
                                                        ProcessOptions options,
                                                        size_t max_line_bytes) {
  SLIPWAY_TRY(in, make_pipe());
  SLIPWAY_TRY(out, make_pipe());
  SLIPWAY_TRY(err, make_pipe());
  set_nonblocking(in.write);
  set_nonblocking(out.read);
  set_nonblocking(err.read);
  auto impl = std::make_unique<Impl>();
  impl->program = argv.empty() ? "" : argv.front();
  impl->max_line_bytes = max_line_bytes;
  impl->in = std::move(in.write);
  impl->out = std::move(out.read);
  impl->err = std::move(err.read);
  std::array<Fd, 3> theirs{std::move(in.read), std::move(out.write), std::move(err.write)};
  std::promise<Status> promise;
  auto started = promise.get_future();
  impl->thread = std::jthread([me = impl.get(), argv = std::move(argv),
                               options = std::move(options), theirs = std::move(theirs),
                               promise = std::move(promise)](std::stop_token stop) mutable {
    me->live(std::move(stop), std::move(argv), std::move(options), std::move(theirs),
             std::move(promise));
  });
  SLIPWAY_CHECK(started.get());
  return std::make_unique<LineProcess>(std::move(impl));
}

Status LineProcess::write_line(std::string_view line, int timeout_ms) {
  const std::lock_guard one_writer(impl_->writing);
  const SigpipeBlock no_sigpipe;
  std::string bytes(line);
  bytes += '\n';
  const double deadline = steady_ms() + timeout_ms;
  size_t written = 0;
  while (written < bytes.size()) {
    const ssize_t n = ::write(impl_->in.get(), bytes.data() + written, bytes.size() - written);
    if (n >= 0) {
      written += static_cast<size_t>(n);
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return Error::unavailable("'" + impl_->program + "' has ended");
    if (steady_ms() >= deadline)
      return Error::timeout("'" + impl_->program + "' does not read its input");
    pollfd ready{impl_->in.get(), POLLOUT, 0};
    ::poll(&ready, 1, poll_ms);
  }
  return Status::success();
}

Result<std::optional<std::string>> LineProcess::read_line(int timeout_ms) {
  std::unique_lock lock(impl_->mutex);
  impl_->changed.wait_for(lock, std::chrono::milliseconds(timeout_ms),
                          [&] { return !impl_->lines.empty() || impl_->gone; });
  if (!impl_->lines.empty()) {
    std::optional<std::string> line(std::move(impl_->lines.front()));
    impl_->lines.pop_front();
    return line;
  }
  if (impl_->gone) return impl_->gone_error();
  return std::optional<std::string>();
}

bool LineProcess::running() const {
  const std::lock_guard lock(impl_->mutex);
  return !impl_->gone;
}

std::string LineProcess::last_words() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->tail;
}

}  // namespace slipway
