#include "serve/trace_log.h"

#include <chrono>
#include <iterator>
#include <utility>

namespace slipway::serve {
namespace {

constexpr size_t most_waiting = 16'384;
constexpr auto gather_time = std::chrono::milliseconds(50);

}  // namespace

TraceLog::TraceLog(std::shared_ptr<store::Store> store, std::string run_id)
    : store_(std::move(store)),
      run_id_(std::move(run_id)),
      writer_([this](const std::stop_token& stop) { write_all(stop); }) {}

TraceLog::~TraceLog() {
  writer_.request_stop();
  writer_.join();
}

void TraceLog::put(std::vector<SpanRecord> spans) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return waiting_.size() < most_waiting; });
  waiting_.insert(waiting_.end(), std::make_move_iterator(spans.begin()),
                  std::make_move_iterator(spans.end()));
  changed_.notify_all();
}

Status TraceLog::flush() {
  std::unique_lock lock(mutex_);
  hurry_ = true;
  changed_.notify_all();
  changed_.wait(lock, [&] { return waiting_.empty() && !writing_; });
  hurry_ = false;
  if (!failure_) return Status::success();
  return *std::exchange(failure_, std::nullopt);
}

// Gathers for a moment, so that requests side by side share one write.
void TraceLog::write_all(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, stop, [&] { return !waiting_.empty(); });
    if (waiting_.empty()) return;  // asked to stop, and nothing is left
    changed_.wait_for(lock, stop, gather_time,
                      [&] { return hurry_ || waiting_.size() >= most_waiting / 2; });
    auto spans = std::exchange(waiting_, {});
    writing_ = true;
    changed_.notify_all();  // there is room again
    lock.unlock();
    const auto written = store_->put_spans(run_id_, spans);
    lock.lock();
    writing_ = false;
    if (!written.ok()) failure_ = written.error();
    changed_.notify_all();
  }
}

}  // namespace slipway::serve
