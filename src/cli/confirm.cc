#include "cli/confirm.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <istream>
#include <ostream>
#include <string>

#include "base/text.h"

namespace slipway::cli {

void await_line(const Context& context) {
  pollfd input{STDIN_FILENO, POLLIN, 0};
  while (context.in_is_terminal && !context.cancel.cancelled()) {
    const int ready = ::poll(&input, 1, 100);
    if (ready > 0 || (ready < 0 && errno != EINTR)) return;
  }
}

bool says_yes(Context& context) {
  context.err << std::flush;
  await_line(context);
  std::string answer;
  return !context.cancel.cancelled() && std::getline(context.in, answer) &&
         to_lower(trim(answer)) == "y";
}

bool confirm(Context& context, const skill::Call& call, const skill::SkillSet& skills) {
  context.err << "  " << skill::print_call(call, skills) << "  do it? [y/N] ";
  return says_yes(context);
}

}  // namespace slipway::cli
