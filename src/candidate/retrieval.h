// Which functions are worth listing in a prompt, when there are many: those whose words are nearest
// to the request's.
//
//     for (const auto* f : worth_listing(*skills, "dim the lights in the den", 8)) ...
//
// BM25 (Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009; k1 = 1.2, b = 0.75)
// over each function's name, description and parameters; a word counts by its first five letters.
// Only what is listed is chosen: the call language still holds every function. Denied functions are
// never listed. Thread-safe.
#pragma once

#include <string_view>
#include <vector>

#include "skill/signature.h"

namespace slipway::candidate {

// At most `most` functions, in the order of the skills; 0: all.
std::vector<const skill::Function*> worth_listing(const skill::SkillSet& skills,
                                                  std::string_view request, int most);

}  // namespace slipway::candidate
