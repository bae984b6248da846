#include "speech/audio.h"

#include <miniaudio/miniaudio.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "base/files.h"
#include "candidate/transcriber.h"

namespace slipway::speech {
namespace {

constexpr uint64_t most_file_bytes = uint64_t{1} << 30;
constexpr size_t most_samples = size_t{3600} * candidate::Transcriber::sample_rate;

}  // namespace

Result<std::vector<float>> read_audio(const std::string& path) {
  SLIPWAY_TRY(bytes, files::read(path, most_file_bytes));
  const auto config = ma_decoder_config_init(ma_format_f32, 1, candidate::Transcriber::sample_rate);
  ma_decoder decoder;
  if (ma_decoder_init_memory(bytes.data(), bytes.size(), &config, &decoder) != MA_SUCCESS)
    return Error::corrupt("'" + path + "' is no recording", "give a WAV, FLAC or MP3 file");
  std::vector<float> samples;
  constexpr size_t block = 16'384;
  while (samples.size() <= most_samples) {
    const size_t before = samples.size();
    samples.resize(before + block);
    ma_uint64 read = 0;
    ma_decoder_read_pcm_frames(&decoder, samples.data() + before, block, &read);
    samples.resize(before + read);
    if (read == 0) break;
  }
  ma_decoder_uninit(&decoder);
  if (samples.size() > most_samples)
    return Error::exhausted("'" + path + "' is longer than an hour", "cut it into shorter files");
  // A broken file may hold numbers that are none.
  for (float& sample : samples) sample = std::isfinite(sample) ? std::clamp(sample, -1.F, 1.F) : 0;
  return samples;
}

Status write_wav(const std::string& path, std::span<const float> samples) {
  std::string out;
  const auto number = [&](uint32_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
  };
  const auto size = static_cast<uint32_t>(samples.size() * 2);
  constexpr uint32_t rate = candidate::Transcriber::sample_rate;
  out += "RIFF", number(36 + size, 4), out += "WAVEfmt ", number(16, 4);
  number(1, 2), number(1, 2), number(rate, 4), number(rate * 2, 4), number(2, 2), number(16, 2);
  out += "data", number(size, 4);
  for (const float sample : samples) {
    const auto value = static_cast<int16_t>(std::lround(std::clamp(sample, -1.F, 1.F) * 32767));
    number(static_cast<uint16_t>(value), 2);
  }
  return files::write_atomic(path, out);
}

}  // namespace slipway::speech
