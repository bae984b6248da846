// The question before a risky call: shows the call on standard error, and takes `y` from the person
// for yes.
//
//     options.confirm = [&](const skill::Call& call, const skill::Function&) {
//       return confirm(context, call, skills);
//     };
//
// Errors: none; any other answer, the end of the input and Ctrl-C are a no.
#pragma once

#include "cli/command.h"
#include "skill/call.h"

namespace slipway::cli {

bool confirm(Context& context, const skill::Call& call, const skill::SkillSet& skills);
// The answer to a question that was just written.
bool says_yes(Context& context);
// Until a person has typed a line, or Ctrl-C: reading a terminal goes on after a signal.
void await_line(const Context& context);

}  // namespace slipway::cli
