// When does a request begin, and when is it over? A small automaton over the probabilities of
// speech, a frame of 32 ms at a time.
//
//     Endpointer endpointer({});
//     switch (endpointer.push(probability)) {
//       case Endpoint::pause: ...   // silent long enough to begin working on what was said
//       case Endpoint::resume: ...  // it went on: that work is void
//       case Endpoint::end: ...     // silent long enough to act
//     }
//
// Speech begins at `begin_probability` and goes on above `stay_probability` (hysteresis, as in
// Silero's own segmentation). What is shorter than `least_speech_ms` was no request. A plain value.
#pragma once

#include <cstdint>

namespace slipway::speech {

struct EndpointSettings {
  float begin_probability = 0.5F;
  float stay_probability = 0.35F;
  int least_speech_ms = 160;
  int pause_ms = 128;       // of silence
  int end_ms = 352;         // of silence
  int longest_ms = 28'000;  // then the request ends, whatever is said
};

enum class Endpoint { none, begin, pause, resume, end, discard };

class Endpointer {
 public:
  explicit Endpointer(EndpointSettings settings) : settings_(settings) {}
  Endpoint push(float probability);
  void reset();
  bool speaking() const { return speaking_; }
  // In frames pushed so far: the first voiced one of the request, and one past the last.
  int64_t first_voiced() const { return first_; }
  int64_t past_voiced() const { return past_; }

 private:
  Endpoint finish();
  EndpointSettings settings_;
  int64_t frame_ = 0;  // of the next push
  int64_t first_ = 0, past_ = 0;
  int64_t voiced_ = 0;
  bool speaking_ = false, paused_ = false;
};

}  // namespace slipway::speech
