#include "speech/endpointer.h"

#include "speech/vad.h"

namespace slipway::speech {

void Endpointer::reset() {
  speaking_ = paused_ = false;
  voiced_ = 0;
}

Endpoint Endpointer::finish() {
  const bool was_request = voiced_ * VoiceDetector::frame_ms >= settings_.least_speech_ms;
  reset();
  return was_request ? Endpoint::end : Endpoint::discard;
}

Endpoint Endpointer::push(float probability) {
  const int64_t at = frame_++;
  if (!speaking_) {
    if (probability < settings_.begin_probability) return Endpoint::none;
    speaking_ = true;
    first_ = at;
    past_ = at + 1;
    voiced_ = 1;
    return Endpoint::begin;
  }
  if ((at - first_) * VoiceDetector::frame_ms >= settings_.longest_ms) return finish();
  // In silence, as much as it took to begin is needed to go on: a breath does not void the work.
  const float needed = paused_ ? settings_.begin_probability : settings_.stay_probability;
  if (probability >= needed) {
    past_ = at + 1;
    ++voiced_;
    if (!paused_) return Endpoint::none;
    paused_ = false;
    return Endpoint::resume;
  }
  const int64_t silent_ms = (at + 1 - past_) * VoiceDetector::frame_ms;
  if (silent_ms >= settings_.end_ms) return finish();
  if (paused_ || silent_ms < settings_.pause_ms) return Endpoint::none;
  paused_ = true;
  return Endpoint::pause;
}

}  // namespace slipway::speech
