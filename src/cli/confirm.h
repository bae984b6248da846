// The question before a risky call: shows the call, and takes `y` from the person for yes.
//
//     options.confirm = [&](const skill::Call& call, const skill::Function&) {
//       return confirm(context, call, skills);
//     };
//
// Errors: none; any other answer, and the end of the input, is a no.
#pragma once

#include "cli/command.h"
#include "skill/call.h"

namespace slipway::cli {

bool confirm(Context& context, const skill::Call& call, const skill::SkillSet& skills);

}  // namespace slipway::cli
