// Where sound comes from, block by block: a microphone, or a recording that stands in for one.
//
//     SLIPWAY_TRY(source, open_microphone({}));
//     while (true) {
//       SLIPWAY_TRY(more, source->read(block, cancel));   // waits; false: the recording is over
//     }
//
// 16 kHz, mono, -1 to 1. A microphone that is not read loses the oldest sound after 10 s. One
// reader. Errors: unavailable (no such device), cancelled.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/result.h"

namespace slipway::speech {

class AudioSource {
 public:
  virtual ~AudioSource() = default;
  // Fills the block, or returns false at the end. Errors: cancelled, unavailable.
  virtual Result<bool> read(std::span<float> block, CancelToken cancel) = 0;
  // The stream's clock is the wall's: sound arrives as it is spoken.
  virtual bool live() const = 0;
};

// The samples and, after them, a second of silence. `in_real_time`: as slowly as they were spoken.
std::unique_ptr<AudioSource> play_samples(std::vector<float> samples, bool in_real_time);

// When a live stream began, after one more block of `block_ms`: the block that came with the least
// delay tells, as if it had begun at `came_ms` (when the block was read, less all sound up to its
// end). A slow clock and lost sound make every later block look late, so old blocks count less by
// and by. Pure.
double stream_origin(double before_ms, double came_ms, double block_ms);

struct MicrophoneOptions {
  std::string device;   // part of its name; empty: the system's own choice
  bool silent = false;  // a device that hears nothing, for tests on machines without one
};
Result<std::unique_ptr<AudioSource>> open_microphone(const MicrophoneOptions& options);

}  // namespace slipway::speech
