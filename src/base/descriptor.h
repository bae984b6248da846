// File descriptors that close themselves, and the pipes between us and a child; internal to this
// layer.
//
//     SLIPWAY_TRY(pipe, make_pipe());          // closed on exec; pipe.read, pipe.write
//     set_nonblocking(pipe.read);
//
// Values of one thread. Errors: unavailable (no descriptors left).
#pragma once

#include <csignal>
#include <string>
#include <utility>

#include "base/result.h"

namespace slipway {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    close();
    fd_ = std::exchange(other.fd_, -1);
    return *this;
  }
  ~Fd() { close(); }
  int get() const { return fd_; }
  bool open() const { return fd_ >= 0; }
  void close();

 private:
  int fd_ = -1;
};

struct Pipe {
  Fd read;
  Fd write;
};

Error system_error(const std::string& doing, int code);
Result<Pipe> make_pipe();
void set_nonblocking(const Fd& fd);

// Writing to a child that has gone must give EPIPE, not kill us: this thread holds SIGPIPE back.
class SigpipeBlock {
 public:
  SigpipeBlock();
  ~SigpipeBlock();
  SigpipeBlock(const SigpipeBlock&) = delete;
  SigpipeBlock& operator=(const SigpipeBlock&) = delete;

 private:
  sigset_t pipe_;
  sigset_t old_;
  bool was_pending_ = false;
};

}  // namespace slipway
