// Puts packed_matrix.h under llama.cpp: a ggml buffer type whose weights are packed as they are
// loaded and whose matrix products are ours. One of the two files that know ggml's inner headers.
//
//     use_packed_weights();      // once, before the first model is opened
//
// After it, models opened with `use_extra_bufts` hold their quantised matrices (the token table for
// looking up excepted) in packed form; other types and operations stay ggml's.
// Not thread-safe: called once, from start-up.
#pragma once

namespace slipway::model {

void use_packed_weights();

}  // namespace slipway::model
