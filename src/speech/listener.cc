#include "speech/listener.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cctype>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

#include "base/clock.h"
#include "base/text.h"
#include "speech/request.h"
#include "speech/stop_word.h"

namespace slipway::speech {
namespace {

constexpr size_t frame_samples = VoiceDetector::frame_samples;
constexpr size_t run_up_frames = 9;  // kept from before the first voiced frame: 288 ms

bool ends_with_stop(std::string_view text) {
  while (!text.empty() && !std::isalpha(static_cast<unsigned char>(text.back())))
    text.remove_suffix(1);
  const size_t space = text.find_last_of(' ');
  return is_stop(space == std::string_view::npos ? text : text.substr(space + 1));
}

std::string without_stage_directions(std::string_view text) {
  std::string plain;
  int depth = 0;
  for (const char c : text) {
    if (c == '[' || c == '(') ++depth;
    if (depth == 0) plain += c;
    if ((c == ']' || c == ')') && depth > 0) --depth;
  }
  return std::string(trim(plain));
}

// "Turn on the light." -> "turn on the light": the recogniser's full stop and capital were not
// said, and requests are written without them.
std::string as_request(std::string text) {
  if (!text.empty() && text.back() == '.') text.pop_back();
  const bool sentence = text.size() > 1 && std::isupper(static_cast<unsigned char>(text[0])) &&
                        std::islower(static_cast<unsigned char>(text[1]));
  if (sentence) text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  return text;
}

bool says_something(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || static_cast<unsigned char>(c) >= 0x80;
  });
}

}  // namespace

struct Listener::Impl {
  Impl(ListenerParts p, ListenerSettings s, ListenerHooks h)
      : parts(p), settings(s), hooks(std::move(h)), endpointer(settings.endpoint) {}

  ListenerParts parts;
  ListenerSettings settings;
  ListenerHooks hooks;
  Endpointer endpointer;
  bool live = false;
  bool awake = false;
  int64_t frames = 0;
  int64_t awake_until = 0;            // frame
  std::atomic<double> origin_ms = 0;  // of the steady clock: when the stream began
  std::deque<std::vector<float>> run_up;
  std::shared_ptr<Request> request;
  CancelToken listening;  // of listen(): ends what runs, too

  std::mutex hook_mutex;
  std::mutex turn_mutex;  // turn_cancel
  CancelSource turn_cancel;
  std::atomic<bool> busy = false;
  std::jthread turn;  // last: it uses the rest

  bool sleeps() const { return (parts.wake || settings.push_to_talk) && !awake; }

  void stop_all() {
    const std::scoped_lock lock(turn_mutex);
    turn_cancel.cancel();
    if (parts.speaker) parts.speaker->stop();
  }

  void report(const Heard& heard) {
    const std::scoped_lock lock(hook_mutex);
    if (hooks.on_heard) hooks.on_heard(heard);
  }

  void close(Request& done) {
    done.vad().end();
    done.root().end();
    const std::scoped_lock lock(hook_mutex);
    if (hooks.on_trace) hooks.on_trace(done.take_spans());
  }

  bool is_noise(const candidate::Transcript& t) const {
    return !says_something(t.text) || t.logprob < settings.least_logprob ||
           t.no_speech > settings.most_no_speech;
  }

  // What is worked out while silence is awaited. Nothing is called.
  Request::Said hear(Request& of, const std::vector<float>& samples, const CancelToken& cancel) {
    auto span = of.tracer().span("asr", &of.root());
    Request::Said said;
    said.transcript = parts.transcriber.transcribe(samples, cancel);
    if (!said.transcript.ok()) {
      span.fail(said.transcript.error().message());
      return said;
    }
    auto& t = *said.transcript;
    t.text = as_request(without_stage_directions(t.text));
    span.set("asr.text", t.text);
    if (!t.verbatim.empty()) span.set("asr.verbatim", t.verbatim);
    span.set("asr.logprob", t.logprob);
    span.set("asr.context_frames", int64_t{t.context_frames});
    span.set("asr.passes", int64_t{t.passes});
    said.stopped = of.overheard && (ends_with_stop(t.text) || is_stop(t.text));
    if (said.stopped) stop_all();
    return said;
  }

  Request::Answer ask(Request& of, const Request::Said& said, const CancelToken& cancel) {
    const auto& heard = said.transcript;
    if (!heard.ok() || of.overheard || !parts.assistant || is_noise(*heard)) return {};
    auto span = of.tracer().span("model", &of.root());
    auto asked = parts.assistant->ask(hooks.input(heard->text), of.tracer(), span, cancel,
                                      settings.answer_ms);
    if (!asked.ok()) span.fail(asked.error().message());
    return asked;
  }

  void begin_work() {
    Request* of = request.get();
    of->work(
        [this, of](const auto& samples, const auto& cancel) { return hear(*of, samples, cancel); },
        [this, of](const auto& said, const auto& cancel) { return ask(*of, said, cancel); });
  }

  double stream_ms() const { return live ? steady_ms() - origin_ms : 0; }

  Result<candidate::Turn> turn_of(Request& of, const std::string& text,
                                  const CancelToken& cancel) {
    SLIPWAY_TRY(completion, *of.wait());
    return parts.assistant->answer(hooks.input(text), of.tracer(),
                                   {.dry_run = settings.dry_run,
                                    .cancel = cancel,
                                    .parent = &of.root(),
                                    .completion = std::move(completion)});
  }

  void answer(Request& of, Heard& heard, const CancelToken& cancel) {
    auto answered = turn_of(of, heard.transcript.text, cancel);
    if (answered.ok()) {
      heard.turn = std::move(*answered);
    } else {
      heard.error = answered.error();
      of.root().fail(heard.error->message());
    }
    heard.done_ms = stream_ms();
    if (live) heard.latency_ms = heard.done_ms - heard.end_ms;
  }

  void speak(Request& of, const Heard& heard, const CancelToken& cancel) {
    if (!parts.speaker || !heard.turn || heard.turn->reply.empty() || cancel.cancelled()) return;
    auto span = of.tracer().span("tts", &of.root());
    span.set("tts.text", heard.turn->reply);
    if (const auto said = parts.speaker->say(heard.turn->reply, cancel); !said.ok())
      span.fail(said.error().message());
  }

  // The request is over. What it asks for is done in a thread of its own, which waits for the
  // model, so that "stop" is heard.
  void end_request() {
    if (!request->working()) begin_work();
    auto done = std::exchange(request, nullptr);
    done->vad().end();
    const auto& said = done->wait_heard();
    Heard heard;
    heard.trace_id = done->tracer().trace_id();
    heard.begin_ms = static_cast<double>(endpointer.first_voiced() * VoiceDetector::frame_ms);
    heard.end_ms = static_cast<double>(endpointer.past_voiced() * VoiceDetector::frame_ms);
    if (said.transcript.ok()) {
      heard.transcript = *said.transcript;
    } else {
      heard.error = said.transcript.error();
    }
    const auto& text = heard.transcript.text;
    done->root().set("input", text);
    heard.stop = said.stopped;
    heard.noise = !heard.error && !heard.stop && (done->overheard || is_noise(heard.transcript));
    if (heard.error || heard.stop || heard.noise || !parts.assistant) {
      if (heard.error) done->root().fail(heard.error->message());
      report(heard);
      close(*done);
      return;
    }
    begin_turn(std::move(done), std::move(heard));
  }

  void begin_turn(std::shared_ptr<Request> of, Heard heard) {
    if (turn.joinable()) turn.join();
    awake = false;
    CancelToken cancel;
    {
      const std::scoped_lock lock(turn_mutex);
      turn_cancel = of->canceller();
      cancel = turn_cancel.token().or_when(listening);
    }
    busy = true;
    turn = std::jthread([this, of = std::move(of), heard = std::move(heard), cancel]() mutable {
      answer(*of, heard, cancel);
      report(heard);
      speak(*of, heard, cancel);
      close(*of);
      busy = false;
    });
    // A recording read faster than it was spoken goes on when the turn is over.
    if (!live) turn.join();
  }

  void wake_up() {
    awake = true;
    awake_until = frames + settings.awake_ms / VoiceDetector::frame_ms;
    if (request) request->drop_work();
    request = nullptr;  // what was said before and while it was called is no request
    run_up.clear();
    endpointer.reset();
    if (hooks.on_awake) hooks.on_awake();
  }

  void frame(std::span<const float, frame_samples> samples) {
    if (parts.wake && parts.wake->push(samples)) wake_up();
    if (settings.push_to_talk && hooks.pressed && hooks.pressed()) wake_up();
    const auto event = endpointer.push(parts.detector.probability(samples));
    ++frames;
    if (awake && !request && frames > awake_until) awake = false;
    if (event == Endpoint::begin) {
      request = std::make_shared<Request>(listening);
      for (const auto& block : run_up)
        request->samples.insert(request->samples.end(), block.begin(), block.end());
    }
    if (request) {
      request->samples.insert(request->samples.end(), samples.begin(), samples.end());
      // Only before work on it begins: its thread reads this.
      if (busy && !request->working()) request->overheard = true;
    }
    run_up.emplace_back(samples.begin(), samples.end());
    if (run_up.size() > run_up_frames) run_up.pop_front();
    if (!request) return;
    const bool ignored = sleeps() && !request->overheard;
    if (event == Endpoint::pause && !ignored) begin_work();
    if (event == Endpoint::resume) request->drop_work();
    if (event == Endpoint::end && !ignored) end_request();
    if (event == Endpoint::discard || (event == Endpoint::end && ignored)) request = nullptr;
  }
};

Listener::Listener(ListenerParts parts, ListenerSettings settings, ListenerHooks hooks)
    : impl_(std::make_unique<Impl>(parts, settings, std::move(hooks))) {}

Listener::~Listener() {
  if (impl_) impl_->stop_all();
}

void Listener::stop() { impl_->stop_all(); }

Status Listener::listen(AudioSource& source, CancelToken cancel) {
  auto& impl = *impl_;
  impl.live = source.live();
  impl.listening = cancel;
  impl.frames = 0;
  impl.request = nullptr;
  impl.run_up.clear();
  impl.endpointer = Endpointer(impl.settings.endpoint);
  impl.parts.detector.reset();
  impl.origin_ms = steady_ms();
  std::array<float, frame_samples> block{};
  while (true) {
    auto more = source.read(block, cancel);
    if (!more.ok() || !*more) {
      if (!more.ok()) impl.stop_all();
      if (impl.request) impl.request->drop_work();
      if (impl.turn.joinable()) impl.turn.join();
      return more.ok() ? Status() : Status(more.error());
    }
    const double spoken_ms = static_cast<double>(impl.frames + 1) * VoiceDetector::frame_ms;
    impl.origin_ms =
        stream_origin(impl.origin_ms, steady_ms() - spoken_ms, VoiceDetector::frame_ms);
    impl.frame(block);
  }
}

}  // namespace slipway::speech
