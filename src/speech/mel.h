// The mel filters that Whisper was trained with: triangles on Slaney's scale (linear to 1 kHz,
// logarithmic above), each of the same area.
//
//     mel_filters(80)     // 80 rows of 201 weights: a 400-point spectrum of 16 kHz, row by row
//
// Pure. Source: M. Slaney, "Auditory Toolbox" (1998), as in the reference implementation.
#pragma once

#include <vector>

namespace slipway::speech {

std::vector<float> mel_filters(int bands);

}  // namespace slipway::speech
