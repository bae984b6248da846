#include "cli/command.h"

namespace slipway::cli {

std::vector<Command> all_commands() {
  return {demo_command(), init_command(), ask_command(),     eval_command(),  tune_command(),
          runs_command(), show_command(), compare_command(), models_command()};
}

}  // namespace slipway::cli
