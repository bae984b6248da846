#include "base/descriptor.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace slipway {

void Fd::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

Error system_error(const std::string& doing, int code) {
  return Error::unavailable("cannot " + doing + ": " + std::strerror(code));
}

Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return system_error("open a pipe", errno);
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

void set_nonblocking(const Fd& fd) {
  ::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
}

SigpipeBlock::SigpipeBlock() {
  sigset_t pending;
  ::sigemptyset(&pending);
  ::sigpending(&pending);
  was_pending_ = ::sigismember(&pending, SIGPIPE) == 1;
  ::sigemptyset(&pipe_);
  ::sigaddset(&pipe_, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &pipe_, &old_);
}

SigpipeBlock::~SigpipeBlock() {
  const timespec now{0, 0};
  while (!was_pending_ && ::sigtimedwait(&pipe_, nullptr, &now) == SIGPIPE) {
  }
  ::pthread_sigmask(SIG_SETMASK, &old_, nullptr);
}

}  // namespace slipway
