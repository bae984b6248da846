#include "tunes.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

#include "base/files.h"
#include "base/text.h"

namespace slipway::home {
namespace {

constexpr int sample_rate = 22050;

struct Tune {
  const char* title;
  double beats_per_minute;
  const char* notes;
};

constexpr Tune tunes[] = {
    {"twinkle twinkle little star", 110,
     "c4:1 c4:1 g4:1 g4:1 a4:1 a4:1 g4:2 f4:1 f4:1 e4:1 e4:1 d4:1 d4:1 c4:2 "
     "g4:1 g4:1 f4:1 f4:1 e4:1 e4:1 d4:2 g4:1 g4:1 f4:1 f4:1 e4:1 e4:1 d4:2 "
     "c4:1 c4:1 g4:1 g4:1 a4:1 a4:1 g4:2 f4:1 f4:1 e4:1 e4:1 d4:1 d4:1 c4:2"},
    {"frere jacques", 120,
     "c4:1 d4:1 e4:1 c4:1 c4:1 d4:1 e4:1 c4:1 e4:1 f4:1 g4:2 e4:1 f4:1 g4:2 "
     "g4:.5 a4:.5 g4:.5 f4:.5 e4:1 c4:1 g4:.5 a4:.5 g4:.5 f4:.5 e4:1 c4:1 c4:1 g3:1 c4:2 c4:1 g3:1 "
     "c4:2"},
    {"ode to joy", 120,
     "e4:1 e4:1 f4:1 g4:1 g4:1 f4:1 e4:1 d4:1 c4:1 c4:1 d4:1 e4:1 e4:1.5 d4:.5 d4:2 "
     "e4:1 e4:1 f4:1 g4:1 g4:1 f4:1 e4:1 d4:1 c4:1 c4:1 d4:1 e4:1 d4:1.5 c4:.5 c4:2"},
    {"mary had a little lamb", 130,
     "e4:1 d4:1 c4:1 d4:1 e4:1 e4:1 e4:2 d4:1 d4:1 d4:2 e4:1 g4:1 g4:2 "
     "e4:1 d4:1 c4:1 d4:1 e4:1 e4:1 e4:1 e4:1 d4:1 d4:1 e4:1 d4:1 c4:4"},
    {"jingle bells", 160,
     "e4:1 e4:1 e4:2 e4:1 e4:1 e4:2 e4:1 g4:1 c4:1.5 d4:.5 e4:4 f4:1 f4:1 f4:1.5 f4:.5 f4:1 e4:1 "
     "e4:1 e4:.5 e4:.5 "
     "e4:1 d4:1 d4:1 e4:1 d4:2 g4:2 e4:1 e4:1 e4:2 e4:1 e4:1 e4:2 e4:1 g4:1 c4:1.5 d4:.5 e4:4 "
     "f4:1 f4:1 f4:1.5 f4:.5 f4:1 e4:1 e4:1 e4:.5 e4:.5 g4:1 g4:1 f4:1 d4:1 c4:4"},
    {"baby shark", 126,
     "a3:1 c4:1 f4:.5 f4:.5 c4:1 a3:1 c4:1 f4:.5 e4:.5 d4:1 bb3:1 d4:1 g4:.5 g4:.5 f4:1 e4:1 c4:1 "
     "r:1 c4:1 "
     "a3:1 c4:1 f4:.5 f4:.5 c4:1 a3:1 c4:1 f4:.5 e4:.5 d4:1 g4:1 f4:.5 e4:.5 d4:.5 c4:.5 e4:1 f4:2 "
     "r:1"}};

// Hertz of "c4", "bb3", "f#4" (equal temperament, A4 = 440); 0 for a rest; negative when it is no
// note.
double frequency_of(std::string_view name) {
  if (name == "r") return 0;
  constexpr int semitones[] = {9, 11, 0, 2, 4, 5, 7};  // a to g above c
  if (name.size() < 2 || name.size() > 3 || name[0] < 'a' || name[0] > 'g') return -1;
  int note = semitones[name[0] - 'a'];
  if (name.size() == 3) note += name[1] == '#' ? 1 : -1;
  if (name.size() == 3 && name[1] != '#' && name[1] != 'b') return -1;
  int octave = name.back() - '0';
  if (octave < 0 || octave > 8) return -1;
  return 440 * std::pow(2, (note + 12 * (octave + 1) - 69) / 12.0);
}

// One note with a soft start and a decay, so that repeated notes can be told apart.
void append_note(std::vector<int16_t>& samples, double frequency, double seconds) {
  const auto count = static_cast<size_t>(seconds * sample_rate);
  for (size_t i = 0; i < count; ++i) {
    const double time = static_cast<double>(i) / sample_rate;
    const double turn = std::fmod(time * frequency, 1.0);
    const double triangle = 4 * std::abs(turn - .5) - 1;
    const double octave = std::sin(4 * std::numbers::pi * frequency * time);
    const double envelope =
        std::min(1.0, time * 100) * std::min(1.0, (seconds - time) * 50) * std::exp(-2 * time);
    samples.push_back(
        static_cast<int16_t>(9000 * envelope * (frequency > 0 ? .8 * triangle + .2 * octave : 0)));
  }
}

void append_little_endian(std::string& bytes, uint32_t value, int count) {
  for (int i = 0; i < count; ++i) bytes += static_cast<char>((value >> (8 * i)) & 0xFF);
}

std::string wav_of(const std::vector<int16_t>& samples) {
  const auto size = static_cast<uint32_t>(samples.size() * 2);
  std::string bytes = "RIFF";
  append_little_endian(bytes, 36 + size, 4);
  bytes += "WAVEfmt ";
  append_little_endian(bytes, 16, 4);
  append_little_endian(bytes, 1, 2);  // PCM
  append_little_endian(bytes, 1, 2);  // channels
  append_little_endian(bytes, sample_rate, 4);
  append_little_endian(bytes, sample_rate * 2, 4);
  append_little_endian(bytes, 2, 2);  // bytes a frame
  append_little_endian(bytes, 16, 2);
  bytes += "data";
  append_little_endian(bytes, size, 4);
  for (int16_t sample : samples) append_little_endian(bytes, static_cast<uint16_t>(sample), 2);
  return bytes;
}

}  // namespace

Result<std::string> render_wav(std::string_view notes, double beats_per_minute) {
  std::vector<int16_t> samples;
  for (const auto& note : split(notes, ' ')) {
    if (note.empty()) continue;
    const size_t colon = note.find(':');
    const double frequency = frequency_of(std::string_view(note).substr(0, colon));
    double beats = 0;
    if (colon != std::string::npos)
      std::from_chars(note.data() + colon + 1, note.data() + note.size(), beats);
    if (frequency < 0 || beats <= 0 || beats > 16) {
      return Error::invalid_input("'" + note + "' is no note", "write it like c4:1");
    }
    append_note(samples, frequency, beats * 60 / beats_per_minute);
  }
  return wav_of(samples);
}

Status write_tunes(const std::string& folder) {
  if (!files::list(folder).empty()) return Status::success();
  for (const auto& tune : tunes) {
    SLIPWAY_TRY(wav, render_wav(tune.notes, tune.beats_per_minute));
    SLIPWAY_CHECK(files::write_atomic(files::join(folder, std::string(tune.title) + ".wav"), wav));
  }
  return Status::success();
}

std::string alarm_wav() {
  std::vector<int16_t> samples;
  for (int i = 0; i < 3; ++i) {
    append_note(samples, 880, .25);
    append_note(samples, 0, .15);
  }
  return wav_of(samples);
}

}  // namespace slipway::home
