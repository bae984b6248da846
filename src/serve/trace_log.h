// Puts the traces of requests into the store from a thread of its own, so that no answer waits for
// the disk.
//
//     TraceLog log(store, run_id, on_failure);
//     log.put(std::move(spans));
//     log.flush();      // all that was put before is on disk, or lost
//
// What was put is on disk within 100 ms. When the disk falls behind, 16,384 spans wait and put
// blocks. The spans of a failed write are lost and counted; on_failure gets a line. Thread-safe.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/tracer.h"
#include "store/store.h"

namespace slipway::serve {

class TraceLog {
 public:
  // `on_failure` is called in a thread of the log's own, before the loss is counted.
  TraceLog(std::shared_ptr<store::Store> store, std::string run_id,
           std::function<void(const std::string& line)> on_failure);
  ~TraceLog();  // flushes
  void put(std::vector<SpanRecord> spans);
  void flush();
  int64_t lost() const;  // spans

 private:
  void write_all(const std::stop_token& stop);

  std::shared_ptr<store::Store> store_;
  std::string run_id_;
  std::function<void(const std::string& line)> on_failure_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::vector<SpanRecord> waiting_;
  int64_t put_ = 0, settled_ = 0, lost_ = 0;  // spans; settled: written or lost
  int64_t wanted_ = 0;                        // somebody waits until so many are settled
  std::jthread writer_;  // last: it uses the members above
};

}  // namespace slipway::serve
