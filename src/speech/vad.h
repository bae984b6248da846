// Is somebody speaking? Silero's detector, 32 ms at a time.
//
//     SLIPWAY_TRY(detector, VoiceDetector::open());
//     const float p = detector->probability(frame);     // 0 to 1
//
// Remembers what it heard; `reset` makes it forget. The model is part of the program. One thread.
#pragma once

#include <memory>
#include <span>

#include "base/result.h"

namespace slipway::speech {

class VoiceDetector {
 public:
  static constexpr size_t frame_samples = 512;  // of 16 kHz
  static constexpr int frame_ms = 32;
  static Result<std::unique_ptr<VoiceDetector>> open();
  ~VoiceDetector();
  float probability(std::span<const float, frame_samples> frame);
  void reset();

 private:
  struct Impl;
  explicit VoiceDetector(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipway::speech
