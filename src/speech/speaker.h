// The reply, spoken by espeak-ng: a program of its own, started for each reply and ended by `stop`.
//
//     Speaker speaker("espeak-ng");
//     if (speaker.available()) SLIPWAY_CHECK(speaker.say("It is 7 degrees.", cancel));
//
// `say` waits until it is spoken, but not for ever: a program that hangs is ended. `stop` may come
// from another thread. Errors: not_found, unavailable, cancelled (stopped), timeout.
#pragma once

#include <atomic>
#include <string>

#include "base/cancel.h"
#include "base/result.h"

namespace slipway::speech {

class Speaker {
 public:
  // A text may take `patience_ms` and 200 ms for each of its bytes.
  explicit Speaker(std::string program, int patience_ms = 10'000)
      : program_(std::move(program)), patience_ms_(patience_ms) {}
  bool available() const;
  Status say(const std::string& text, CancelToken cancel);
  void stop() { stopped_ = true; }
  bool speaking() const { return speaking_; }

 private:
  std::string program_;  // a name on PATH, or a path
  int patience_ms_;
  std::atomic<bool> stopped_ = false, speaking_ = false;
};

}  // namespace slipway::speech
