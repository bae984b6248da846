// Byte-level BPE writes each byte of a token as one printable character ("Ġ" is a space); this
// reads it back.
//
//     decode_byte_text("Ġtimer")     // " timer"
//
// Characters that stand for no byte are kept as they are. Pure. Source: the byte table of GPT-2's
// tokenizer.
#pragma once

#include <string>
#include <string_view>

namespace slipway::speech {

std::string decode_byte_text(std::string_view text);

}  // namespace slipway::speech
