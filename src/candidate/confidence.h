// How sure one may be that a call is what was asked for, without asking the model again: from the
// words of the request and of the function, from whether the arguments can be traced to what was
// said, and from the probabilities the model gave its own answer.
//
//     Confidence c = confidence_of("weather in boston", calls, skills, mean_logprob(completion));
//     if (c.value < candidate.min_confidence) ...      // answered as none()
//
// `value` is a logistic combination whose weights were fitted once, on requests written for it
// (docs/decisions/0010-confidence.md); 0.5 is "as likely as not". Pure; thread-safe.
#pragma once

#include <string_view>
#include <vector>

#include "model/model.h"
#include "skill/call.h"
#include "skill/signature.h"

namespace slipway::candidate {

struct Confidence {
  // 0 to 1: words the request shares with the function's name and description.
  double relevance = 0;
  double grounded = 0;  // 0 to 1: share of the written arguments that the request supports
  double logprob = 0;   // mean of the answer's tokens, natural logarithm
  double value = 0;     // 0 to 1
};

// Of the least sure of the calls. `calls` must not be empty and have passed check_call.
Confidence confidence_of(std::string_view request, const std::vector<skill::Call>& calls,
                         const skill::SkillSet& skills, double logprob);

// The calls without the optional texts of which the request has no word: what a model writes for
// them ("unit='celsius'") nobody asked for. Required ones, numbers and truths stay.
std::vector<skill::Call> without_unsaid(std::string_view request, std::vector<skill::Call> calls,
                                        const skill::SkillSet& skills);

// Of a completion that was asked for logprobs.
double mean_logprob(const model::Completion& completion);

}  // namespace slipway::candidate
