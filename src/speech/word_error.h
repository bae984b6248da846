// How much of what was said was heard: words after normalisation, and the edits between them.
//
//     spoken_words("Set it to 25 %.") == spoken_words("set it to twenty five percent")
//     word_edits(spoken_words("turn on the light"), spoken_words("turn the light"))    // 1
//
// Case, punctuation and the way numbers are written are no errors. Pure; thread-safe. Source:
// V. Levenshtein (1966); word error rate = edits / words of the reference.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace slipway::speech {

std::vector<std::string> spoken_words(std::string_view text);
int word_edits(const std::vector<std::string>& reference, const std::vector<std::string>& heard);

}  // namespace slipway::speech
