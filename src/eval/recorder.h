// Puts finished cases and their answers on disk from a thread of its own, as many at a time as have
// gathered, so that the engine never waits for a disk.
//
//     Recorder recorder(store, run_id);
//     recorder.add(case_, answer_key, answer);    // blocks only when 1024 are waiting
//     SLIPWAY_CHECK(recorder.finish());           // everything is on disk, or this says why not
//
// add() from any thread; finish() once.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/result.h"
#include "store/store.h"

namespace slipway::eval {

class Recorder {
 public:
  Recorder(std::shared_ptr<store::Store> store, std::string run_id);
  ~Recorder();
  // An empty key remembers no answer.
  void add(store::Case finished, std::string answer_key, json::Value answer);
  Status finish();

 private:
  void write_until_stopped();
  Status write(std::vector<store::Case> cases,
               std::vector<std::pair<std::string, json::Value>> answers);

  std::shared_ptr<store::Store> store_;
  std::string run_id_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<store::Case> cases_;
  std::vector<std::pair<std::string, json::Value>> answers_;
  Status status_;
  bool stopping_ = false;
  std::jthread writer_;
};

}  // namespace slipway::eval
