// A request while it is heard: its samples, its trace, and what is worked out before it is over. An
// implementation detail of speech/listener.h.
//
// `work` runs in a thread of its own, in two parts: what was said, then the model's answer to it.
// The first part's results are read after `wait_heard`, the second's after `wait`.
#pragma once

#include <atomic>
#include <functional>
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

  struct Said {
    Result<candidate::Transcript> transcript = candidate::Transcript{};
    bool stopped = false;  // it was "stop", and what went on has been ended
  };
  using Answer = std::optional<Result<model::Completion>>;  // nothing: the model was not asked
  using Hear = std::function<Said(const std::vector<float>& samples, const CancelToken& cancel)>;
  using Ask = std::function<Answer(const Said& said, const CancelToken& cancel)>;
  bool working() const { return thread_.joinable(); }
  void work(Hear hear, Ask ask) {
    cancel_ = CancelSource();
    heard_ = false;
    thread_ = std::jthread([this, hear = std::move(hear), ask = std::move(ask), samples = samples] {
      const auto cancel = cancel_.token().or_when(outer_);
      said_ = hear(samples, cancel);
      heard_ = true;
      heard_.notify_all();
      answer_ = ask(said_, cancel);
    });
  }
  // Only after `work`. The second part may go on.
  const Said& wait_heard() const {
    heard_.wait(false);
    return said_;
  }
  Answer& wait() {
    if (thread_.joinable()) thread_.join();
    return answer_;
  }
  // Ends the work under way; the turn's own, too, so that "stop" reaches the model.
  CancelSource canceller() const { return cancel_; }
  void drop_work() {
    cancel_.cancel();
    if (thread_.joinable()) thread_.join();
    said_ = {};
    answer_.reset();
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
  Said said_;
  Answer answer_;
  std::atomic<bool> heard_ = false;  // said_ stands
  std::jthread thread_;
};

}  // namespace slipway::speech
