#include "cli/confirm.h"

#include <istream>
#include <ostream>
#include <string>

#include "base/text.h"

namespace slipway::cli {

bool confirm(Context& context, const skill::Call& call, const skill::SkillSet& skills) {
  context.out << "  " << skill::print_call(call, skills) << "  do it? [y/N] " << std::flush;
  std::string answer;
  return std::getline(context.in, answer) && to_lower(trim(answer)) == "y";
}

}  // namespace slipway::cli
