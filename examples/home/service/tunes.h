// Six short tunes as WAV files, so that the music folder is never empty: five traditional melodies
// and one of our own. Triangle waves with a little octave above; 22,050 Hz, 16 bit, mono. Pure
// functions but for write_tunes.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace slipway::home {

// Notes as "c4:1 d4:0.5 r:1": name, octave and length in beats; r is a rest. Errors: invalid_input.
Result<std::string> render_wav(std::string_view notes, double beats_per_minute);

// Writes "<title>.wav" for every tune when the folder has no music yet. Errors: unavailable.
Status write_tunes(const std::string& folder);

// The sound of a timer that fires.
std::string alarm_wav();

}  // namespace slipway::home
