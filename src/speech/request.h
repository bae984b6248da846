// A request while it is heard: its samples, its trace, and what is worked out before it is over. An
// implementation detail of speech/listener.h.
//
// `work` runs in a thread of its own; its results are read after `wait`.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/ids.h"
#include "speech/listener.h"

namespace slipway::speech {

class Request {
 public:
  // `cancel` ends the work on it, too.
  explicit Request(CancelToken cancel)
      : outer_(std::move(cancel)),
        tracer_(new_trace_id(),
                [this](SpanRecord span) {
                  const std::scoped_lock lock(mutex_);
                  spans_.push_back(std::move(span));
                }),
        root_(tracer_.span("listen")),
        vad_(tracer_.span("vad", &root_)) {}
  ~Request() { drop_work(); }
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  const Tracer& tracer() const { return tracer_; }
  Span& root() { return root_; }
  Span& vad() { return vad_; }

  struct Work {
    Result<candidate::Transcript> transcript = candidate::Transcript{};
    std::optional<model::Completion> completion;
    bool stopped = false;  // it was "stop", and what went on has been ended
  };
  using Function = std::function<Work(std::vector<float> samples, CancelToken cancel)>;
  bool working() const { return thread_.joinable(); }
  void work(Function function) {
    cancel_ = CancelSource();
    thread_ = std::jthread([this, function = std::move(function), samples = samples]() mutable {
      result_ = function(std::move(samples), cancel_.token().or_when(outer_));
    });
  }
  Work& wait() {
    if (thread_.joinable()) thread_.join();
    return result_;
  }
  void drop_work() {
    cancel_.cancel();
    if (thread_.joinable()) thread_.join();
    result_ = {};
  }
  std::vector<SpanRecord> take_spans() {
    const std::scoped_lock lock(mutex_);
    return std::move(spans_);
  }

  std::vector<float> samples;
  // Some of it was heard while the assistant worked or spoke, perhaps its own voice.
  bool overheard = false;

 private:
  CancelToken outer_;
  std::mutex mutex_;
  std::vector<SpanRecord> spans_;
  Tracer tracer_;
  Span root_, vad_;
  CancelSource cancel_;
  Work result_;
  std::jthread thread_;
};

}  // namespace slipway::speech
