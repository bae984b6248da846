#include "candidate/interpret.h"

namespace slipway::candidate {

Result<std::vector<skill::Call>> interpret(std::string_view output, const skill::SkillSet& skills) {
  SLIPWAY_TRY(written, skill::parse_calls(output));
  std::vector<skill::Call> calls;
  for (const auto& call : written) {
    SLIPWAY_TRY(checked, skill::check_call(call, skills));
    calls.push_back(std::move(checked));
  }
  return calls;
}

}  // namespace slipway::candidate
