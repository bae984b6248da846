// How much of the expected calls an answer has: what function accuracy, argument F1 and the no-call
// figures of a report are made of.
//
//     CallCounts c = count_calls(wanted, got, skills);   // both checked against `skills`
//     detail.set("calls", c.to_json());                  // and back: read_counts(detail)
//
// Calls are paired by function, in order; an argument is right when its value is the expected one.
// Arguments that equal their default count on neither side, as in canonical text. Pure;
// thread-safe.
#pragma once

#include <optional>
#include <vector>

#include "json/value.h"
#include "skill/call.h"

namespace slipway::eval {

struct CallCounts {
  bool functions_right = false;  // the expected functions and no others
  int64_t arguments_right = 0;
  int64_t arguments_given = 0;
  int64_t arguments_expected = 0;
  bool no_call_expected = false;
  bool no_call_given = false;  // an answer that is no valid call is not "no call"
  json::Value to_json() const;
};

CallCounts count_calls(const std::vector<skill::Call>& wanted, const std::vector<skill::Call>& got,
                       const skill::SkillSet& skills);
// Of an answer that could not be read.
CallCounts count_nothing(const std::vector<skill::Call>& wanted, const skill::SkillSet& skills);

// From a case's detail; nothing when its scorer does not count calls.
std::optional<CallCounts> read_counts(const json::Value& detail);

}  // namespace slipway::eval
