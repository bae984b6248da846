#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "speech/audio.h"
#include "speech/bias.h"
#include "speech/endpointer.h"
#include "speech/mend.h"
#include "speech/stop_word.h"
#include "speech/weights_test.h"
#include "speech/token_bias.h"
#include "speech/vad.h"
#include "speech/wake_word.h"
#include "speech/word_error.h"

using namespace slipway;
using namespace slipway::speech;

namespace {

// Pushes `n` frames and returns the last event that was one.
Endpoint push(Endpointer& endpointer, float probability, int n) {
  Endpoint last = Endpoint::none;
  for (int i = 0; i < n; ++i) {
    if (const auto event = endpointer.push(probability); event != Endpoint::none) last = event;
  }
  return last;
}

std::string temporary(const std::string& name) {
  return std::string(std::getenv("TMPDIR") ? std::getenv("TMPDIR") : "/tmp") + "/slipway-" + name;
}

}  // namespace

TEST_CASE("a request begins, pauses, goes on and ends") {
  Endpointer endpointer({});
  CHECK(push(endpointer, 0.1F, 20) == Endpoint::none);
  CHECK(push(endpointer, 0.9F, 10) == Endpoint::begin);
  CHECK(push(endpointer, 0.4F, 3) == Endpoint::none);  // a weak sound goes on, but begins nothing
  CHECK(push(endpointer, 0.1F, 4) == Endpoint::pause);
  CHECK(push(endpointer, 0.9F, 1) == Endpoint::resume);
  CHECK(push(endpointer, 0.1F, 10) == Endpoint::pause);
  CHECK(push(endpointer, 0.1F, 1) == Endpoint::end);
  CHECK(endpointer.first_voiced() == 20);
  CHECK(endpointer.past_voiced() == 38);
  CHECK_FALSE(endpointer.speaking());
}

TEST_CASE("a click is no request, and a sermon is cut") {
  Endpointer endpointer({});
  CHECK(push(endpointer, 0.9F, 2) == Endpoint::begin);
  CHECK(push(endpointer, 0.0F, 20) == Endpoint::discard);
  CHECK(push(endpointer, 0.9F, 28'000 / 32 + 1) == Endpoint::end);
}

TEST_CASE("only a bare stop is a stop") {
  for (const char* text : {"stop", "Stop.", "Stop! Stop!", "please stop", "Never mind."})
    CHECK(is_stop(text));
  for (const char* text : {"stop my timer", "do not stop", "", "shop", "cancel the alarm"})
    CHECK_FALSE(is_stop(text));
}

TEST_CASE("words are compared as they are spoken") {
  const auto edits = [](const char* a, const char* b) {
    return word_edits(spoken_words(a), spoken_words(b));
  };
  CHECK(edits("Set it to 25 %.", "set it to twenty-five percent") == 0);
  CHECK(edits("what's the time", "Whats the time?") == 0);
  CHECK(edits("turn on the light", "turn the light") == 1);
  CHECK(edits("turn on the light", "turn off the lights please") == 3);
  CHECK(edits("four and a half hours", "4.5 hours.") == 0);
  CHECK(edits("", "anything at all") == 3);
}

TEST_CASE("a recording is read as it was written") {
  std::vector<float> samples(4000);
  for (size_t i = 0; i < samples.size(); ++i)
    samples[i] = 0.5F * std::sin(static_cast<float>(i) * 0.1F);
  const auto path = temporary("audio.wav");
  REQUIRE(write_wav(path, samples).ok());
  const auto again = read_audio(path);
  REQUIRE(again.ok());
  REQUIRE(again->size() == samples.size());
  for (size_t i = 0; i < samples.size(); i += 97)
    CHECK((*again)[i] == doctest::Approx(samples[i]).epsilon(0.001));
  // Cut off anywhere it is shorter, or an Error.
  const auto bytes = files::read(path);
  for (size_t n = 0; n < 60; ++n) {
    REQUIRE(files::write_atomic(path, bytes->substr(0, n)).ok());
    const auto cut = read_audio(path);
    CHECK((!cut.ok() || cut->size() < samples.size()));
  }
  CHECK(read_audio(path + ".none").error().code() == ErrorCode::not_found);
  static_cast<void>(files::remove_all(path).ok());
}

TEST_CASE("the detector hears Kennedy's pauses") {
  auto detector = VoiceDetector::open();
  REQUIRE(detector.ok());
  auto samples = read_audio(jfk_wav());
  REQUIRE(samples.ok());
  Endpointer endpointer({});
  int begun = 0, ended = 0;
  samples->resize(samples->size() + 16'000);
  for (size_t at = 0; at + VoiceDetector::frame_samples <= samples->size();
       at += VoiceDetector::frame_samples) {
    const auto p = (*detector)->probability(
        std::span<const float, VoiceDetector::frame_samples>(samples->data() + at, 512));
    const auto event = endpointer.push(p);
    begun += event == Endpoint::begin ? 1 : 0;
    ended += event == Endpoint::end ? 1 : 0;
  }
  CHECK(ended >= 2);
  CHECK(begun >= ended);
  (*detector)->reset();
  const std::vector<float> silence(VoiceDetector::frame_samples);
  CHECK((*detector)->probability(std::span<const float, 512>(silence.data(), 512)) < 0.2);
}

TEST_CASE("the bias is what the skills name") {
  auto skill = skill::parse_skill(R"({"slipway_skill": 1, "name": "lights", "tools": [
    {"type": "function", "function": {"name": "turn_on", "description": "Turn on the light of a room",
     "parameters": {"type": "object", "properties": {
       "room": {"type": "string", "enum": ["kitchen", "living room"]},
       "when": {"type": "string", "description": "Time, as it was said: 'half past six'"}}}}}]})");
  REQUIRE(skill.ok());
  skill::SkillSet skills;
  REQUIRE(skills.add(*skill).ok());
  const auto bias = bias_from(skills);
  CHECK(bias.phrases == std::vector<std::string>{"kitchen", "living room", "half past six"});
}

TEST_CASE("names that sound alike are put right, and nothing else") {
  const Mender mender({.names = {"bed light", "outdoor humidity", "kitchen lights", "time"},
                       .words = {"turn", "on", "the", "light", "kitchen", "what", "is", "value"}});
  CHECK(mender.mend("Turn bad light on.") == "Turn bed light on.");
  CHECK(mender.mend("What is the outdo humidity?") == "What is the outdoor humidity?");
  CHECK(mender.mend("Turn on the kitchen light.") == "Turn on the kitchen light.");  // was meant
  CHECK(mender.mend("Turn on the Kitchen lights.") == "Turn on the Kitchen lights.");
  CHECK(mender.mend("Turn off our kitchen lights.") == "Turn off our kitchen lights.");
  CHECK(mender.mend("Turn on the 8 lights.") == "Turn on the 8 lights.");
  CHECK(mender.mend("Play something by the Beatles") == "Play something by the Beatles");
  CHECK(mender.mend("").empty());
}

TEST_CASE("tokens that begin or continue a phrase are raised") {
  const auto tokens = [](const std::string& text) {
    return text == " ab" ? std::vector<int32_t>{1, 2} : std::vector<int32_t>{1, 3, 4};
  };
  const TokenBias bias({.phrases = {"ab", "xyz"}}, tokens, 8);
  std::vector<float> logits(8, 0.F);
  bias.apply({}, logits.data());
  CHECK(logits[1] > 0);
  CHECK(logits[2] == 0);
  std::fill(logits.begin(), logits.end(), 0.F);
  bias.apply(std::vector<int32_t>{7, 1}, logits.data());
  CHECK(logits[2] > logits[1]);
  CHECK(logits[3] > logits[1]);
  CHECK(logits[4] == 0);
}

TEST_CASE("Kennedy does not call the assistant") {
  const auto library = model_file("libtensorflowlite_c-x86_64.so");
  const auto model = model_file("okay_nabu.mww");
  SLIPWAY_NEEDS(library, "tensorflow-lite-x86_64");
  SLIPWAY_NEEDS(model, "okay_nabu");
  auto wake = WakeWord::open({library, model});
  REQUIRE(wake.ok());
  CHECK((*wake)->phrase() == "Okay Nabu");
  auto samples = read_audio(jfk_wav());
  REQUIRE(samples.ok());
  CHECK_FALSE((*wake)->push(*samples));
  // What stands in for a library or a model is refused.
  CHECK_FALSE(WakeWord::open({jfk_wav(), model}).ok());
  CHECK_FALSE(WakeWord::open({library, jfk_wav()}).ok());
}
