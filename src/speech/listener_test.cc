#include "speech/listener.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>

#include "base/temporary_folder_test.h"
#include "speech/audio.h"
#include "speech/weights_test.h"

using namespace slipway;
using namespace slipway::speech;

namespace {

// Hears the same whatever is said.
class Deaf : public candidate::Transcriber {
 public:
  explicit Deaf(std::string text) : text_(std::move(text)) {}
  Result<candidate::Transcript> transcribe(std::span<const float> samples, CancelToken) override {
    const std::scoped_lock lock(mutex_);
    lengths_.push_back(samples.size());
    candidate::Transcript heard;
    heard.text = text_;
    heard.logprob = logprob;
    return heard;
  }
  json::Value describe() const override { return json::Value::object(); }
  std::vector<size_t> lengths() const {
    const std::scoped_lock lock(mutex_);
    return lengths_;
  }
  double logprob = -0.1;

 private:
  std::string text_;
  mutable std::mutex mutex_;
  std::vector<size_t> lengths_;
};

// Is at it until it is told to stop.
class Slow : public candidate::Transcriber {
 public:
  Result<candidate::Transcript> transcribe(std::span<const float>, CancelToken cancel) override {
    begun = true;
    while (!cancel.cancelled() && !let_go) std::this_thread::yield();
    return Error::cancelled();
  }
  json::Value describe() const override { return json::Value::object(); }
  std::atomic<bool> begun = false, let_go = false;
};

// A recording that is read faster than it was spoken, and yet is taken for a microphone.
class Hasty : public AudioSource {
 public:
  explicit Hasty(std::vector<float> samples) : source_(play_samples(std::move(samples), false)) {}
  Result<bool> read(std::span<float> block, CancelToken cancel) override {
    return source_->read(block, std::move(cancel));
  }
  bool live() const override { return true; }

 private:
  std::unique_ptr<AudioSource> source_;
};

// A model that writes the same, and counts how often it was asked.
class Parrot : public model::Model {
 public:
  const model::ModelInfo& info() const override { return info_; }
  Result<model::Completion> complete(const model::Request& request) override {
    asked += 1;
    timeout_ms = request.timeout_ms;
    while (hangs && !request.cancel.cancelled()) std::this_thread::yield();
    if (request.cancel.cancelled()) return Error::cancelled();
    if (fails) return Error::unavailable("no model");
    model::Completion completion;
    completion.text = "none()";
    return completion;
  }
  Status complete_all(std::span<const model::Request>, const Done&, CancelToken) override {
    return {};
  }
  Result<std::string> render(const std::vector<model::Message>&) const override {
    return std::string();
  }
  Result<std::vector<int32_t>> tokenize(std::string_view) const override {
    return std::vector<int32_t>();
  }
  std::atomic<int> asked{0}, timeout_ms{0};
  std::atomic<bool> hangs{false}, fails{false};

 private:
  model::ModelInfo info_;
};

struct Fixture {
  std::unique_ptr<VoiceDetector> detector;
  std::shared_ptr<Parrot> model = std::make_shared<Parrot>();
  std::unique_ptr<candidate::Assistant> assistant;
  std::vector<float> samples;
  std::vector<Heard> heard;
  std::vector<std::vector<SpanRecord>> traces;
  ListenerHooks hooks;

  Fixture() {
    auto opened = VoiceDetector::open();
    REQUIRE(opened.ok());
    detector = std::move(*opened);
    candidate::Candidate c;
    c.prompt = {"p", "{{ input }}"};
    c.skills = std::make_shared<skill::SkillSet>();
    assistant = std::make_unique<candidate::Assistant>(c, model, nullptr);
    auto read = read_audio(jfk_wav());
    REQUIRE(read.ok());
    samples = std::move(*read);
    hooks.input = [](const std::string& text) {
      candidate::Input input;
      input.text = text;
      return input;
    };
    hooks.on_heard = [this](const Heard& h) { heard.push_back(h); };
    hooks.on_trace = [this](std::vector<SpanRecord> spans) { traces.push_back(std::move(spans)); };
  }

  Status listen(candidate::Transcriber& transcriber, bool in_real_time = false,
                Speaker* speaker = nullptr, CancelToken cancel = {}) {
    Listener listener({*detector, transcriber, assistant.get(), speaker}, {}, hooks);
    return listener.listen(*play_samples(samples, in_real_time), cancel);
  }
};

std::vector<std::string> names(const std::vector<SpanRecord>& spans) {
  std::vector<std::string> all;
  for (const auto& span : spans) all.push_back(span.name);
  return all;
}

// A program that speaks by running `script`.
std::string voice(const TemporaryFolder& folder, const std::string& script) {
  const auto program = folder / "voice";
  REQUIRE(files::write_atomic(program, "#!/bin/sh\n" + script + "\n").ok());
  REQUIRE(::chmod(program.c_str(), 0755) == 0);
  return program;
}

bool has(const std::vector<std::string>& all, const std::string& name) {
  return std::find(all.begin(), all.end(), name) != all.end();
}

}  // namespace

TEST_CASE("every request is one turn and one trace") {
  Fixture f;
  Deaf transcriber("Turn on the light.");
  REQUIRE(f.listen(transcriber).ok());
  REQUIRE(f.heard.size() >= 2);
  CHECK(f.traces.size() == f.heard.size());
  for (const auto& h : f.heard) {
    REQUIRE(h.turn);
    CHECK(h.end_ms > h.begin_ms);
    CHECK_FALSE(h.noise);
    CHECK(h.transcript.text == "turn on the light");
  }
  const auto spans = names(f.traces.front());
  for (const char* name : {"listen", "vad", "asr", "model", "model.complete", "turn"})
    CHECK(has(spans, name));
  // The model was asked while silence was awaited, and not again.
  CHECK(f.model->asked == static_cast<int>(transcriber.lengths().size()));
  CHECK(f.model->timeout_ms == 30'000);
  // One root, the rest below it.
  int roots = 0;
  for (const auto& span : f.traces.front()) roots += span.parent_span_id.empty() ? 1 : 0;
  CHECK(roots == 1);
}

TEST_CASE("what was not said is not asked") {
  Fixture f;
  SUBCASE("nothing") {
    Deaf transcriber("[BLANK_AUDIO]");
    REQUIRE(f.listen(transcriber).ok());
  }
  SUBCASE("an unlikely text") {
    Deaf transcriber("Okay.");
    transcriber.logprob = -1.4;
    REQUIRE(f.listen(transcriber).ok());
  }
  REQUIRE_FALSE(f.heard.empty());
  for (const auto& h : f.heard) CHECK(h.noise);
  CHECK(f.model->asked == 0);
}

TEST_CASE("asleep, nothing is heard") {
  Fixture f;
  Deaf transcriber("turn on the light");
  int presses = 1;
  f.hooks.pressed = [&] { return presses-- == 1; };
  Listener listener({*f.detector, transcriber, f.assistant.get()}, {.push_to_talk = true}, f.hooks);
  REQUIRE(listener.listen(*play_samples(f.samples, false), {}).ok());
  CHECK(f.heard.size() == 1);  // the press at the beginning opens the ear for one request
}

TEST_CASE("stop ends the reply that is being spoken") {
  Fixture f;
  Deaf transcriber("stop");
  // A voice that would go on for twenty seconds: only "stop" ends it within the recording.
  const TemporaryFolder folder("voice");
  Speaker speaker(voice(folder, "exec sleep 20"));
  REQUIRE(f.listen(transcriber, true, &speaker).ok());
  REQUIRE(f.heard.size() >= 2);
  CHECK_FALSE(f.heard[0].stop);  // there was nothing to stop: the candidate was asked
  CHECK(f.heard[1].stop);
  CHECK_FALSE(speaker.speaking());
}

TEST_CASE("stop is heard while the model hangs, and ends that") {
  Fixture f;
  Deaf transcriber("stop");
  f.model->hangs = true;
  f.hooks.on_heard = [&](const Heard& h) {
    if (h.stop) f.model->hangs = false;
    f.heard.push_back(h);
  };
  std::atomic<bool> gave_up = false;
  std::jthread watch([&](const std::stop_token& over) {
    for (int i = 0; i < 1000 && !over.stop_requested(); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    if (over.stop_requested()) return;
    gave_up = true;
    f.model->hangs = false;
  });
  Hasty source(f.samples);
  Listener listener({*f.detector, transcriber, f.assistant.get()}, {}, f.hooks);
  REQUIRE(listener.listen(source, {}).ok());
  CHECK_FALSE(gave_up);
  const auto& all = f.heard;
  CHECK(std::any_of(all.begin(), all.end(), [](const Heard& h) { return h.stop; }));
  CHECK(std::any_of(all.begin(), all.end(), [](const Heard& h) {
    return !h.stop && h.error && h.error->code() == ErrorCode::cancelled;
  }));
}

TEST_CASE("a model that fails is asked once") {
  Fixture f;
  Deaf transcriber("turn on the light");
  f.model->fails = true;
  REQUIRE(f.listen(transcriber).ok());
  REQUIRE_FALSE(f.heard.empty());
  for (const auto& h : f.heard) CHECK(h.error);
  CHECK(f.model->asked == static_cast<int>(transcriber.lengths().size()));
}

TEST_CASE("a voice that hangs is ended") {
  const TemporaryFolder folder("voice");
  Speaker speaker(voice(folder, "exec sleep 20"), 100);
  const auto said = speaker.say("a", {});
  REQUIRE_FALSE(said.ok());
  CHECK(said.error().code() == ErrorCode::timeout);
  CHECK_FALSE(speaker.speaking());
}

TEST_CASE("a slow sound card and lost sound do not make every later request late") {
  constexpr double block_ms = 32;
  double origin = 0, came = 0;
  for (int i = 0; i < 10'000; ++i) {
    came += 0.0002 * block_ms;
    origin = stream_origin(origin, came, block_ms);
  }
  CHECK(origin == doctest::Approx(came));
  came += 50;
  for (int i = 0; i < 2000; ++i) origin = stream_origin(origin, came, block_ms);
  CHECK(origin == doctest::Approx(came));
  CHECK(stream_origin(origin, came + 200, block_ms) < came + 1);  // one late block
}

TEST_CASE("cancelled, a recording's turn ends at once") {
  Fixture f;
  CancelSource source;
  SUBCASE("while it speaks") {
    Deaf transcriber("turn on the light");
    const TemporaryFolder folder("voice");
    Speaker speaker(voice(folder, "sleep 20; touch \"$0.said\""));
    std::jthread canceller([&](const std::stop_token& stop) {
      while (!speaker.speaking() && !stop.stop_requested()) std::this_thread::yield();
      source.cancel();
    });
    const auto ended = f.listen(transcriber, false, &speaker, source.token());
    REQUIRE_FALSE(ended.ok());
    CHECK(ended.error().code() == ErrorCode::cancelled);
    CHECK_FALSE(files::exists(folder / "voice.said"));
    CHECK(f.heard.size() == 1);
  }
  SUBCASE("while it is written down") {
    Slow transcriber;
    std::jthread canceller([&](const std::stop_token& stop) {
      while (!transcriber.begun && !stop.stop_requested()) std::this_thread::yield();
      std::this_thread::sleep_for(std::chrono::milliseconds(500));  // until it is waited for
      source.cancel();
      for (int i = 0; i < 1000 && !stop.stop_requested(); ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
      transcriber.let_go = !stop.stop_requested();
    });
    CHECK(f.listen(transcriber, false, nullptr, source.token()).error().code() ==
          ErrorCode::cancelled);
    CHECK_FALSE(transcriber.let_go);
  }
}

TEST_CASE("a microphone that hears nothing, and no microphone of that name") {
  auto microphone = open_microphone({.silent = true});
  REQUIRE(microphone.ok());
  std::vector<float> block(512, 1.F);
  const auto more = (*microphone)->read(block, {});
  REQUIRE(more.ok());
  CHECK(*more);
  CHECK((*microphone)->live());
  CancelSource source;
  source.cancel();
  std::vector<float> too_much(200'000);
  CHECK((*microphone)->read(too_much, source.token()).error().code() == ErrorCode::cancelled);
  CHECK_FALSE(open_microphone({.device = "no such device", .silent = true}).ok());
}
