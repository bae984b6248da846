// What a recogniser may expect to hear, taken from what the assistant can do: the words of the
// functions' names and descriptions, and the values of their arguments.
//
//     const Bias bias = bias_from(skills);
//     bias.prompt       // "Turn on the light of a room: kitchen, living room. Set a timer ..."
//     bias.phrases      // "living room", "front door", ... for the decoder to prefer
//
// Pure; the same skills give the same bias.
#pragma once

#include <string>
#include <vector>

#include "skill/signature.h"

namespace slipway::speech {

struct Bias {
  std::string prompt;                // said to precede the request
  std::vector<std::string> phrases;  // lower case, no duplicates
};

Bias bias_from(const skill::SkillSet& skills);

}  // namespace slipway::speech
