// The assistant's ear: sound becomes requests, requests become turns of the candidate, replies are
// spoken; every request leaves a trace with the spans vad, asr, model, dispatch and tts.
//
//     Listener listener({detector, transcriber, assistant}, settings, hooks);
//     SLIPWAY_CHECK(listener.listen(*source, cancel));      // until the source ends
//
// While silence is awaited, what was said is transcribed and the model is asked already; nothing is
// called before the request is over. While it answers or speaks, the only thing it obeys is "stop",
// and that always, without a wake word. One thread listens; hooks come one at a time, from any of
// its threads. Times of the stream are milliseconds since its beginning. Errors: those of the
// source; a request that failed is no Error of the listening, its hook says so.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/tracer.h"
#include "candidate/assistant.h"
#include "candidate/transcriber.h"
#include "speech/audio_source.h"
#include "speech/endpointer.h"
#include "speech/speaker.h"
#include "speech/vad.h"
#include "speech/wake_word.h"

namespace slipway::speech {

struct Heard {
  std::string trace_id;
  double begin_ms = 0, end_ms = 0;  // of the stream: first voiced sample, last voiced sample
  candidate::Transcript transcript;
  bool stop = false;   // it was "stop", said while there was something to stop
  bool noise = false;  // nothing that was said to us: not asked
  std::optional<candidate::Turn> turn;
  std::optional<Error> error;
  double done_ms = 0;     // of the stream, when the turn was over; 0 unless the source is live
  double latency_ms = 0;  // done_ms - end_ms
};

struct ListenerParts {
  VoiceDetector& detector;
  candidate::Transcriber& transcriber;
  candidate::Assistant* assistant = nullptr;  // null: what is heard is only reported
  Speaker* speaker = nullptr;                 // null: mute
  WakeWord* wake = nullptr;
};

struct ListenerSettings {
  EndpointSettings endpoint;
  bool dry_run = false;
  bool push_to_talk = false;  // asleep until `pressed`
  int awake_ms = 8000;        // how long after being called a request may begin
  int answer_ms = 30'000;     // how long the model may take to answer
  // Whisper makes up words for noise: a text less likely than this was not said.
  double least_logprob = -1.0;
  double most_no_speech = 0.8;
};

struct ListenerHooks {
  std::function<candidate::Input(const std::string& text)> input;
  std::function<void(const Heard&)> on_heard;  // before the reply is spoken
  std::function<void(std::vector<SpanRecord>)> on_trace;
  std::function<void()> on_awake;
  std::function<bool()> pressed;  // push to talk: the key went down since the last question
};

class Listener {
 public:
  Listener(ListenerParts parts, ListenerSettings settings, ListenerHooks hooks);
  ~Listener();
  // Cancelled, it ends as by stop(), with Error cancelled.
  Status listen(AudioSource& source, CancelToken cancel);
  // Ends the turn that runs and the reply that is spoken. From any thread.
  void stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipway::speech
