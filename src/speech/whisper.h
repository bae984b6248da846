// Speech to text by whisper.cpp, on this machine.
//
//     SLIPWAY_TRY(whisper, open_whisper({.path = models + "/whisper-tiny.en.ct2", .bias = bias}));
//     SLIPWAY_TRY(heard, whisper->transcribe(samples, {}));
//
// Reads whisper.cpp's own files and CTranslate2's as the catalog keeps them. Only as much context
// is encoded as the request is long, the answer has at most the tokens that can be said in that
// time, a request said twice is cut, and a text that goes round in circles is thrown away and asked
// again with more context. Greedy, so the same samples give the same text on one engine. At most 30
// s at once. Thread-safe; one request at a time. Errors: not_found, corrupt, unsupported.
#pragma once

#include <memory>
#include <string>

#include "candidate/transcriber.h"
#include "speech/bias.h"

namespace slipway::speech {

struct WhisperOptions {
  std::string path;
  std::string name;            // of the catalog, for the description
  std::string weights_sha256;  // when known
  std::string language = "en";
  int threads = 0;  // 0: the processors we may run on
  Bias bias;        // empty: plain
};

Result<std::shared_ptr<candidate::Transcriber>> open_whisper(const WhisperOptions& options);

// Whether a text is to be thrown away: its end says the same thing again and again.
bool repeats_itself(std::string_view text);

// "Turn off TV. Turn off" -> "Turn off TV.": what follows a sentence and only begins it again is
// no speech.
std::string said_once(std::string_view text);

// "ggml 0.25.3, whisper.cpp 1.8.5": one ggml is in the program, llama.cpp's.
std::string speech_engine();

}  // namespace slipway::speech
