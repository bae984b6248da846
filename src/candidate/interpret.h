// From what a model wrote to calls that may be made: parsed, checked against the signatures, in
// canonical form.
//
//     SLIPWAY_TRY(calls, interpret("lights.turn_on( room = \"kitchen\" )", skills));
//     skill::print_calls(calls, skills)    // lights.turn_on(room='kitchen')
//
// Pure; thread-safe. Errors: those of skill::parse_calls and skill::check_call.
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "skill/call.h"

namespace slipway::candidate {

Result<std::vector<skill::Call>> interpret(std::string_view output, const skill::SkillSet& skills);

}  // namespace slipway::candidate
