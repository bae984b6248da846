// Whisper's weights in the form that CTranslate2 (faster-whisper) distributes, turned into the form
// that whisper.cpp reads.
//
//     SLIPWAY_TRY(bytes, files::read("whisper-tiny.en.ct2"));    // model.bin, then tokenizer.json
//     SLIPWAY_TRY(ggml, whisper_from_ctranslate2(bytes));
//
// The input is CTranslate2's `model.bin` (version 6, fp16 or fp32) followed by the `tokenizer.json`
// of the same model, as the catalog joins them. The mel filters are computed, stacked projections
// are taken apart, tensors get OpenAI's names. Nothing in the input is trusted: every length is
// checked. Pure; thread-safe. Errors: corrupt, unsupported (quantised, or another architecture).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace slipway::speech {

bool is_ctranslate2(std::string_view bytes);
Result<std::string> whisper_from_ctranslate2(std::string_view bytes);

}  // namespace slipway::speech
