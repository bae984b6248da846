// Recordings with what is said in them, and how they are heard: by the same ear as `listen`.
//
//     SLIPWAY_TRY(clips, load_clips("clips/manifest.jsonl", 0));
//     SLIPWAY_TRY(heard, hear_clip(clips[0], *detector, *transcriber, cancel));
//     word_edits(spoken_words(clips[0].text), spoken_words(heard.text));
//
// A manifest is JSON Lines: `file` (relative to the manifest's folder), `text` (what is said;
// empty: nothing) and, optionally, `output` (the right calls) and `context`. Rows without a text
// are left out: nothing can be scored on them. Errors: invalid_input with the line, those of
// read_audio.
#pragma once

#include <string>
#include <vector>

#include "candidate/transcriber.h"
#include "json/value.h"
#include "speech/vad.h"

namespace slipway::speech {

struct Clip {
  std::string id;  // the file's name as written
  std::string path;
  std::string text;
  std::string output;  // may be empty
  json::Value context;
};

// `most`: 0 is all.
Result<std::vector<Clip>> load_clips(const std::string& manifest, size_t most);

struct ClipHeard {
  std::string text;  // of all requests in it; empty: nothing was asked
  double asr_ms = 0;
  int requests = 0;
};

Result<ClipHeard> hear_clip(const Clip& clip, VoiceDetector& detector,
                            candidate::Transcriber& transcriber, CancelToken cancel);

}  // namespace slipway::speech
