// Puts the traces of requests into the store from a thread of its own, so that no answer waits for
// the disk.
//
//     TraceLog log(store, run_id);
//     log.put(std::move(spans));
//     SLIPWAY_CHECK(log.flush());      // all that was put before is on disk
//
// What was put is on disk within 100 ms. When the disk falls behind, 16,384 spans wait and put
// blocks. Thread-safe. A failed write is counted and shown by the next flush; the spans are lost.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "base/tracer.h"
#include "store/store.h"

namespace slipway::serve {

class TraceLog {
 public:
  TraceLog(std::shared_ptr<store::Store> store, std::string run_id);
  ~TraceLog();  // flushes
  void put(std::vector<SpanRecord> spans);
  Status flush();

 private:
  void write_all(const std::stop_token& stop);

  std::shared_ptr<store::Store> store_;
  std::string run_id_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::vector<SpanRecord> waiting_;
  bool writing_ = false;
  bool hurry_ = false;  // somebody waits in flush
  std::optional<Error> failure_;
  std::jthread writer_;  // last: it uses the members above
};

}  // namespace slipway::serve
