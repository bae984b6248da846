#include "model/fake_peer.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>

#include "base/text.h"

namespace slipway::model {
namespace {

constexpr int poll_ms = 20;

// Waits until the socket has something to read (or is closed); false when the peer is stopping.
bool readable(int fd, const std::atomic<bool>& stopping) {
  while (!stopping) {
    pollfd poll_on{fd, POLLIN, 0};
    if (::poll(&poll_on, 1, poll_ms) > 0) return true;
  }
  return false;
}

size_t content_length(const std::string& head) {
  const std::string lower = to_lower(head);
  const size_t at = lower.find("content-length:");
  return at == std::string::npos ? 0 : std::strtoul(lower.c_str() + at + 15, nullptr, 10);
}

}  // namespace

std::string http_answer(int status, const std::string& body, const std::string& headers) {
  return "HTTP/1.1 " + std::to_string(status) +
         " X\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         headers + "\r\n" + body;
}

FakePeer::FakePeer(Script script) : script_(std::move(script)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener_, generic, length) != 0 || ::listen(listener_, 64) != 0 ||
      ::getsockname(listener_, generic, &length) != 0) {
    std::abort();  // no loopback, no test
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::jthread([this] { accept_all(); });
}

FakePeer::~FakePeer() {
  stopping_ = true;
  acceptor_.join();
  workers_.clear();
  ::close(listener_);
}

std::vector<FakeAsk> FakePeer::asks() const {
  const std::lock_guard lock(mutex_);
  return asks_;
}

void FakePeer::accept_all() {
  while (readable(listener_, stopping_)) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd >= 0) workers_.emplace_back([this, fd] { serve(fd); });
  }
}

void FakePeer::serve(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  std::string text;
  size_t head_end = std::string::npos;
  while (head_end == std::string::npos ||
         text.size() < head_end + 4 + content_length(text.substr(0, head_end))) {
    char buffer[4096];
    const ssize_t n = readable(fd, stopping_) ? ::recv(fd, buffer, sizeof buffer, 0) : 0;
    if (n <= 0) {
      ::close(fd);
      return;
    }
    text.append(buffer, static_cast<size_t>(n));
    head_end = text.find("\r\n\r\n");
  }
  const FakeAsk ask{text.substr(0, head_end), text.substr(head_end + 4)};
  {
    const std::lock_guard lock(mutex_);
    asks_.push_back(ask);
  }
  const FakeAnswer answer = script_(asked_++, ask);
  for (const std::string& piece : answer.pieces) {
    if (::send(fd, piece.data(), piece.size(), MSG_NOSIGNAL) < 0) break;
  }
  if (answer.hang && readable(fd, stopping_)) {
    char byte = 0;
    static_cast<void>(::recv(fd, &byte, 1, 0));
  }
  ::close(fd);
}

}  // namespace slipway::model
