// The reply, spoken by espeak-ng: a program of its own, started for each reply and ended by `stop`.
//
//     Speaker speaker("espeak-ng");
//     if (speaker.available()) SLIPWAY_CHECK(speaker.say("It is 7 degrees.", cancel));
//
// `say` waits until it is spoken. `stop` may come from another thread. Errors: not_found,
// unavailable, cancelled (stopped).
#pragma once

#include <atomic>
#include <string>

#include "base/cancel.h"
#include "base/result.h"

namespace slipway::speech {

class Speaker {
 public:
  explicit Speaker(std::string program) : program_(std::move(program)) {}
  bool available() const;
  Status say(const std::string& text, CancelToken cancel);
  void stop() { stopped_ = true; }
  bool speaking() const { return speaking_; }

 private:
  std::string program_;  // a name on PATH, or a path
  std::atomic<bool> stopped_ = false, speaking_ = false;
};

}  // namespace slipway::speech
