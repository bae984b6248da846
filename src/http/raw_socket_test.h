// Plain loopback sockets for tests: bytes in, bytes out, nothing interpreted. A silent peer fails
// the read after ten seconds instead of hanging the test.
//
//     RawSocket socket(port);
//     socket.send("GET / HTTP/1.1\r\n\r\n");
//     std::string answer = socket.read_all();
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace slipway::http {

class RawSocket {
 public:
  explicit RawSocket(int port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const sockaddr_in address = loopback(port);
    connected_ = connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    limit_waiting();
  }
  struct Accepted {
    int fd;
  };
  explicit RawSocket(Accepted accepted) : fd_(accepted.fd), connected_(true) { limit_waiting(); }
  RawSocket(RawSocket&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), connected_(other.connected_) {}
  RawSocket& operator=(RawSocket&&) = delete;
  ~RawSocket() {
    if (fd_ >= 0) close(fd_);
  }

  static sockaddr_in loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }

  bool connected() const { return connected_; }
  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;  // the peer has left; what it said is still to be read
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
  }
  void end_sending() { shutdown(fd_, SHUT_WR); }
  // At most 64 KiB; empty at the end.
  std::string read_some() {
    std::array<char, 64 << 10> bytes;
    const ssize_t received = recv(fd_, bytes.data(), bytes.size(), 0);
    return received > 0 ? std::string(bytes.data(), static_cast<size_t>(received)) : "";
  }
  std::string read_until(std::string_view mark) {
    std::string all;
    while (all.find(mark) == std::string::npos) {
      const std::string more = read_some();
      if (more.empty()) break;
      all += more;
    }
    return all;
  }
  std::string read_all() {
    std::string all;
    for (std::string more = read_some(); !more.empty(); more = read_some()) all += more;
    return all;
  }

 private:
  void limit_waiting() {
    const timeval limit{.tv_sec = 10, .tv_usec = 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  int fd_;
  bool connected_ = false;
};

// Answers one connection with fixed bytes once a request's head has come, then closes it.
class RawPeer {
 public:
  explicit RawPeer(std::string answer) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = RawSocket::loopback(0);
    socklen_t size = sizeof address;
    bind(fd_, reinterpret_cast<const sockaddr*>(&address), size);
    listen(fd_, 8);
    getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this, answer = std::move(answer)] {
      const int peer = accept(fd_, nullptr, nullptr);
      if (peer < 0) return;
      RawSocket socket(RawSocket::Accepted{peer});
      request_ = socket.read_until("\r\n\r\n");
      socket.send(answer);
    });
  }
  ~RawPeer() {
    shutdown(fd_, SHUT_RDWR);
    join();
    close(fd_);
  }
  int port() const { return port_; }
  std::string url(const std::string& path = "/") const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
  }
  const std::string& request() {  // after the exchange
    join();
    return request_;
  }

 private:
  void join() {
    if (thread_.joinable()) thread_.join();
  }
  int fd_;
  int port_ = 0;
  std::string request_;
  std::jthread thread_;
};

}  // namespace slipway::http
