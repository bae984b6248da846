// The Transcriber seam: speech in, text out. What hears (src/speech) implements it; what answers
// need not know how.
//
//     SLIPWAY_TRY(heard, transcriber.transcribe(samples, {}));
//     heard.text          // "set a timer for five minutes"
//
// Samples are 16 kHz, mono, -1 to 1. Thread-safe.
#pragma once

#include <span>
#include <string>

#include "base/cancel.h"
#include "base/result.h"
#include "json/value.h"

namespace slipway::candidate {

struct Transcript {
  std::string text;      // empty: nothing was said
  std::string verbatim;  // before names were put right
  double logprob = 0;    // mean of its tokens, natural logarithm
  double no_speech = 0;  // 0 to 1: how much the recogniser doubts that somebody spoke
  int tokens = 0;
  int context_frames = 0;  // encoded, 20 ms each
  int passes = 1;          // more than one: an earlier one repeated itself
  double ms = 0;
};

class Transcriber {
 public:
  static constexpr int sample_rate = 16'000;
  virtual ~Transcriber() = default;
  // Errors: cancelled, exhausted (longer than it hears at once), internal.
  virtual Result<Transcript> transcribe(std::span<const float> samples, CancelToken cancel) = 0;
  // What decides the text: model, weights' hash, bias. A part of the candidate's description.
  virtual json::Value describe() const = 0;
};

}  // namespace slipway::candidate
