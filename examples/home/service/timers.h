// Timers that fire once, sound an alarm, and survive a restart: every change is on disk before it
// is acknowledged.
//
//     Timers timers("state/timers.json", [](const Timer& t) { beep(); });
//     SLIPWAY_CHECK(timers.load());
//     SLIPWAY_TRY(timer, timers.set(600'000, "pasta"));
//
// Thread-safe. A thread of its own wakes for the next timer; a timer that was due while nothing ran
// fires on load. Errors: exhausted (too many), not_found (no such timer), unavailable (state not
// written), corrupt (state unreadable).
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "json/value.h"

namespace slipway::home {

struct Timer {
  int64_t id = 0;
  std::string label;  // may be empty
  int64_t duration_ms = 0;
  int64_t due_unix_ms = 0;
};

class Timers {
 public:
  static constexpr size_t max_running = 200;
  static constexpr size_t max_fired_kept = 50;

  Timers(std::string state_path, std::function<void(const Timer&)> on_fire);
  ~Timers();
  Status load();  // once, before the rest; starts the thread
  Result<Timer> set(int64_t duration_ms, const std::string& label);
  // The running timer of that label; without one, the timer set last.
  Result<Timer> cancel(const std::string& label);
  // {"running": [{id, label, duration_ms, remaining_ms}], "fired": [...], "fired_count": n,
  // "summary": "..."}
  json::Value to_json();

 private:
  Status save();  // under the lock
  void run(std::stop_token stop);
  void fire_due(std::unique_lock<std::mutex>& lock);

  std::string state_path_;
  std::function<void(const Timer&)> on_fire_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::vector<Timer> running_;  // in the order they were set
  std::vector<Timer> fired_;    // oldest first
  int64_t fired_count_ = 0;
  int64_t next_id_ = 1;
  std::jthread thread_;  // last: ends before what it uses
};

}  // namespace slipway::home
