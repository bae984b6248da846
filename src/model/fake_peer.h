// For tests: an HTTP peer that misbehaves on demand. It sends exactly the bytes it is told, in the
// pieces it is told.
//
//     FakePeer peer([](size_t nth, const FakeAsk& ask) {
//       return FakeAnswer{{http_answer(200, "{}")}};
//     });
//     client.send({.url = peer.url() + "/v1"});
//
// One connection per request, each on its own thread; `hang` keeps it open without a byte until the
// client has gone.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace slipway::model {

struct FakeAsk {
  std::string head;  // request line and headers
  std::string body;
};

struct FakeAnswer {
  std::vector<std::string> pieces;  // one send() each; the connection is closed after the last
  bool hang = false;
};

std::string http_answer(int status, const std::string& body, const std::string& headers = {});

class FakePeer {
 public:
  using Script = std::function<FakeAnswer(size_t nth, const FakeAsk& ask)>;
  explicit FakePeer(Script script);
  ~FakePeer();
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  size_t asked() const { return asked_; }
  std::vector<FakeAsk> asks() const;

 private:
  void accept_all();
  void serve(int fd);

  Script script_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<size_t> asked_{0};
  mutable std::mutex mutex_;
  std::vector<FakeAsk> asks_;
  std::vector<std::jthread> workers_;
  std::jthread acceptor_;
};

}  // namespace slipway::model
