// Calls with several accepted values each, and whether given calls are among them: the rules of the
// Berkeley Function Calling Leaderboard's AST scorer for Python (Patil et al., ICML 2025), as
// docs/format/dataset.md states them.
//
//     SLIPWAY_TRY(accepted,
//                 parse_accepted(R"([{"get_user": {"id": [7890], "note": ["", "x"]}}])"));
//     match(accepted, calls, skills).passed
//
// "none()" is no call, "any()" one or more calls of whatever kind. Pure; thread-safe. Errors:
// invalid_input.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "eval/call_counts.h"
#include "json/value.h"
#include "skill/call.h"

namespace slipway::eval {

struct AcceptedCall {
  std::string function;
  json::Value arguments;  // name -> list of accepted values; "" among them: may be omitted
};

struct Accepted {
  bool any = false;  // one or more calls, whatever they are
  std::vector<AcceptedCall> calls;
};

struct Match {
  bool passed = false;
  std::string reason;
  CallCounts counts;
};

Result<Accepted> parse_accepted(std::string_view text);

// Every function and argument is known to `skills`.
Status check_accepted(const Accepted& accepted, const skill::SkillSet& skills);

// `calls` as they were written (before coercion), positional arguments named.
Match match(const Accepted& accepted, const std::vector<skill::Call>& calls,
            const skill::SkillSet& skills);

// Space and ,./-_*^ left out, lower case, ' as ".
std::string standardise(std::string_view text);

}  // namespace slipway::eval
