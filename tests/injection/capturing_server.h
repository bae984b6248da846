// A loopback server that keeps every byte of every connection and answers `{"ok": true}`.
//
//     CapturingServer server;
//     ... server.url() ...
//     for (const auto& request : server.take()) ...
//
// Every connection carries one request and is then closed, so that connections can be counted
// outside too. Thread-safe.
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "http/raw_socket_test.h"

namespace slipway::injection {

class CapturingServer {
 public:
  explicit CapturingServer(std::string extra_headers = {}, int status = 200)
      : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = http::RawSocket::loopback(0);
    socklen_t size = sizeof address;
    bind(fd_, reinterpret_cast<const sockaddr*>(&address), size);
    listen(fd_, 64);
    getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ =
        std::jthread([this, status, extra = std::move(extra_headers)] { run(status, extra); });
  }
  ~CapturingServer() {
    shutdown(fd_, SHUT_RDWR);
    thread_.join();
    close(fd_);
  }

  int port() const { return port_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  int connections() const { return connections_; }
  // What came since the last time, oldest first.
  std::vector<std::string> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(requests_, {});
  }

 private:
  void run(int status, const std::string& extra) {
    for (;;) {
      const int peer = accept(fd_, nullptr, nullptr);
      if (peer < 0) return;
      ++connections_;
      http::RawSocket socket(http::RawSocket::Accepted{peer});
      auto request = socket.read_until("\r\n\r\n");
      const auto head = request.find("\r\n\r\n");
      const auto at = request.find("Content-Length: ");
      const size_t length = at < head ? std::stoul(request.substr(at + 16)) : 0;
      while (head != std::string::npos && request.size() < head + 4 + length) {
        const auto more = socket.read_some();
        if (more.empty()) break;
        request += more;
      }
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(request);
      }
      socket.send("HTTP/1.1 " + std::to_string(status) +
                  " Answer\r\nContent-Type: application/json\r\nContent-Length: 12\r\n" + extra +
                  "Connection: close\r\n\r\n{\"ok\": true}");
    }
  }

  int fd_;
  int port_ = 0;
  std::atomic<int> connections_ = 0;
  std::mutex mutex_;
  std::vector<std::string> requests_;
  std::jthread thread_;
};

}  // namespace slipway::injection
