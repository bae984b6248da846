#include "speech/whisper.h"

#include <doctest/doctest.h>

#include <cstring>

#include "base/files.h"
#include "base/temporary_folder_test.h"
#include "speech/audio.h"
#include "speech/ctranslate2.h"
#include "speech/weights_test.h"
#include "speech/word_error.h"

using namespace slipway;
using namespace slipway::speech;

TEST_CASE("one ggml is in the program, and it is llama.cpp's") {
  CHECK(speech_engine() == "ggml 0.25.3, whisper.cpp 1.8.5");
}

TEST_CASE("a text that goes round in circles is recognised") {
  CHECK(repeats_itself("turn it on turn it on turn it on"));
  CHECK(repeats_itself("well no no no no"));
  CHECK_FALSE(repeats_itself("no no no"));
  CHECK_FALSE(repeats_itself("turn it on and turn it off"));
  CHECK_FALSE(repeats_itself(""));
}

TEST_CASE("a sentence that is said twice is said once") {
  CHECK(said_once("Turn off TV. Turn off TV.") == "Turn off TV.");
  CHECK(said_once("Turn off TV. Turn off") == "Turn off TV.");
  CHECK(said_once("What is today's date? What is today") == "What is today's date?");
  CHECK(said_once("Next. Next track.") == "Next. Next track.");
  CHECK(said_once("Play it again and again.") == "Play it again and again.");
  CHECK(said_once("").empty());
}

TEST_CASE("what is no model is refused") {
  const auto opened = open_whisper({.path = jfk_wav()});
  REQUIRE_FALSE(opened.ok());
  CHECK(opened.error().code() == ErrorCode::corrupt);
  CHECK(open_whisper({.path = "/nowhere/at-all.bin"}).error().code() == ErrorCode::not_found);
}

TEST_CASE("a file in whisper.cpp's form that claims impossible sizes is refused") {
  const TemporaryFolder folder("whisper");
  // Magic, eleven sizes of the model (weights of type 1), 80 × 201 filters, words.
  const std::vector<int32_t> right = {0x67676d6c, 51864, 1500, 384, 6, 4, 448,
                                      384,        6,     4,    80,  1, 80, 201};
  const auto code_with = [&](size_t at, int32_t wrong, int32_t words) {
    auto numbers = right;
    numbers[at] = wrong;
    numbers.resize(right.size() + 80 * 201);
    numbers.push_back(words);
    std::string bytes(numbers.size() * sizeof(int32_t), '\0');
    std::memcpy(bytes.data(), numbers.data(), bytes.size());
    const auto path = folder / "model.bin";
    REQUIRE(files::write_atomic(path, bytes).ok());
    return open_whisper({.path = path}).error().code();
  };
  for (size_t at = 1; at < right.size(); ++at) {
    for (const int32_t wrong : {-1000, -1, 0, 1 << 30}) {
      if (at != 11) CHECK(code_with(at, wrong, 1) == ErrorCode::corrupt);
    }
  }
  CHECK(code_with(0, right[0], 51865) == ErrorCode::corrupt);
  CHECK(code_with(0, right[0], -1) == ErrorCode::corrupt);
}

TEST_CASE("tiny.en as CTranslate2 distributes it hears every word of Kennedy's") {
  const auto path = model_file("whisper-tiny.en.ct2");
  SLIPWAY_NEEDS(path, "whisper-tiny.en");
  auto whisper = open_whisper({.path = path, .name = "whisper-tiny.en"});
  REQUIRE(whisper.ok());
  auto samples = read_audio(jfk_wav());
  REQUIRE(samples.ok());
  const auto heard = (*whisper)->transcribe(*samples, {});
  REQUIRE(heard.ok());
  const auto said = spoken_words(
      "And so my fellow Americans, ask not what your country can do for you, ask what you can do "
      "for your country.");
  INFO(heard->text);
  CHECK(word_edits(said, spoken_words(heard->text)) == 0);
  CHECK(heard->logprob > -0.5);

  SUBCASE("half a minute is the most at once") {
    const std::vector<float> long_silence(31 * 16'000);
    CHECK((*whisper)->transcribe(long_silence, {}).error().code() == ErrorCode::exhausted);
  }
  SUBCASE("who is not waited for is not worked for") {
    CancelSource source;
    source.cancel();
    CHECK((*whisper)->transcribe(*samples, source.token()).error().code() == ErrorCode::cancelled);
  }
}
