// What the server counts, as Prometheus reads it, and who is still being answered.
//
//     Metrics metrics(64);
//     auto exchange = metrics.enter("/v1/chat/completions", true);   // nullptr: models answer 64
//     exchange->status = 200;                                  // counted when it goes
//
// Thread-safe. Times are seconds, as Prometheus wants them. Format: the text exposition format,
// version 0.0.4, of Prometheus.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "http/server.h"
#include "model/model.h"
#include "serve/shelf.h"

namespace slipway::serve {

class Metrics;

// One request from its arrival to the last byte of its answer.
class Exchange {
  friend class Metrics;

 public:
  Exchange(Metrics& metrics, std::string route, bool asks_model);
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  ~Exchange();
  std::atomic<int> status{500};

 private:
  Metrics& metrics_;
  std::string route_;
  bool asks_model_;
  double start_ms_;
};

class Metrics {
 public:
  // So many that ask a model, and so many others.
  explicit Metrics(int most_each) : most_each_(most_each) {}
  // nullptr when as many of its kind as allowed are being answered.
  std::shared_ptr<Exchange> enter(const std::string& route, bool asks_model);
  void add_completion(const model::Completion& completion);
  void add_turn(bool acted);
  void add_feedback(bool correct);
  int64_t answered() const;
  std::string text(const ShelfUse& models, int64_t spans_lost) const;

 private:
  friend class Exchange;
  static constexpr std::array<double, 12> bounds_s = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                                      0.5,   1,    2.5,   5,    10,  30};
  struct Histogram {
    std::array<int64_t, bounds_s.size() + 1> counts{};
    double sum_s = 0;
  };
  void leave(const Exchange& exchange);

  const int most_each_;
  std::atomic<int> asking_{0};  // wait for a model or are answered by one
  std::atomic<int> others_{0};
  mutable std::mutex mutex_;  // of what follows
  std::map<std::pair<std::string, int>, int64_t> requests_;
  std::map<std::string, Histogram> seconds_;
  int64_t prompt_tokens_ = 0, cached_tokens_ = 0, completion_tokens_ = 0, forced_tokens_ = 0;
  int64_t acted_ = 0, not_acted_ = 0, right_ = 0, wrong_ = 0, refused_ = 0;
};

}  // namespace slipway::serve
