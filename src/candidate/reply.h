// The reply: what the person is told, phrased by the function's template from what the service
// really answered.
//
//     reply_to(call, outcome, function)   // "It is 7 degrees and cloudy in boston."
//
// Without a template, or when it fails on this result, the response's own text is the reply. Pure;
// thread-safe.
#pragma once

#include <string>

#include "skill/dispatch.h"

namespace slipway::candidate {

std::string reply_to(const skill::Call& call, const skill::Outcome& outcome,
                     const skill::Function& function);

// What is said when nothing was done.
std::string reply_to_failure(const Error& error);
std::string reply_to_no_call();

}  // namespace slipway::candidate
