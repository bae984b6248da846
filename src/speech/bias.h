// What a recogniser may expect to hear, taken from what the assistant can do: the values of its
// functions' arguments, and the words of their descriptions.
//
//     const Bias bias = bias_from(skills);
//     bias.phrases      // "living room", "front door", ... for the decoder to prefer
//
// Values are the members of an `enum` and the examples in quotes of a description. Pure; the same
// skills give the same bias. Weights: docs/decisions/0012-speech-files.md.
#pragma once

#include <string>
#include <vector>

#include "skill/signature.h"

namespace slipway::speech {

struct Bias {
  std::vector<std::string> phrases;  // lower case, no duplicates
  std::vector<std::string> names;    // those of the phrases that are members of an `enum`
  std::vector<std::string> words;    // of the functions' names and descriptions
  // Added to the logit of a token that begins a phrase, or goes on with one: natural logarithm.
  float begin = 1.0F, go_on = 2.0F;
};

Bias bias_from(const skill::SkillSet& skills);

}  // namespace slipway::speech
