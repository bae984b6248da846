// Recordings as samples: 16 kHz, mono, -1 to 1, whatever the file has.
//
//     SLIPWAY_TRY(samples, read_audio("jfk.wav"));     // WAV, FLAC or MP3
//
// Thread-safe. Errors: not_found, corrupt (no sound in it), exhausted (more than an hour).
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace slipway::speech {

Result<std::vector<float>> read_audio(const std::string& path);
// 16-bit WAV.
Status write_wav(const std::string& path, std::span<const float> samples);

}  // namespace slipway::speech
