#include "serve/trace_log.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

namespace slipway::serve {
namespace {

constexpr size_t most_waiting = 16'384;
constexpr auto gather_time = std::chrono::milliseconds(50);

}  // namespace

TraceLog::TraceLog(std::shared_ptr<store::Store> store, std::string run_id,
                   std::function<void(const std::string& line)> on_failure)
    : store_(std::move(store)),
      run_id_(std::move(run_id)),
      on_failure_(std::move(on_failure)),
      writer_([this](const std::stop_token& stop) { write_all(stop); }) {}

TraceLog::~TraceLog() {
  writer_.request_stop();
  writer_.join();
}

void TraceLog::put(std::vector<SpanRecord> spans) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return waiting_.size() < most_waiting; });
  put_ += static_cast<int64_t>(spans.size());
  waiting_.insert(waiting_.end(), std::make_move_iterator(spans.begin()),
                  std::make_move_iterator(spans.end()));
  changed_.notify_all();
}

// Waits for what is there now: others may go on putting.
void TraceLog::flush() {
  std::unique_lock lock(mutex_);
  const int64_t mine = put_;
  wanted_ = std::max(wanted_, mine);
  changed_.notify_all();
  changed_.wait(lock, [&] { return settled_ >= mine; });
}

int64_t TraceLog::lost() const {
  const std::lock_guard lock(mutex_);
  return lost_;
}

// Gathers for a moment, so that requests side by side share one write.
void TraceLog::write_all(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, stop, [&] { return !waiting_.empty(); });
    if (waiting_.empty()) return;  // asked to stop, and nothing is left
    changed_.wait_for(lock, stop, gather_time, [&] {
      return wanted_ > settled_ || waiting_.size() >= most_waiting / 2;
    });
    const auto spans = std::exchange(waiting_, {});
    changed_.notify_all();  // there is room again
    lock.unlock();
    const auto written = store_->put_spans(run_id_, spans);
    if (!written.ok() && on_failure_) {
      on_failure_(std::to_string(spans.size()) + " spans of traces are lost: " +
                  written.error().to_string());
    }
    lock.lock();
    settled_ += static_cast<int64_t>(spans.size());
    if (!written.ok()) lost_ += static_cast<int64_t>(spans.size());
    changed_.notify_all();
  }
}

}  // namespace slipway::serve
