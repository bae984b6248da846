#include "cli/command.h"

namespace slipway::cli {

std::vector<Command> all_commands() {
  return {demo_command(),    init_command(),     ask_command(),      eval_command(),
          tune_command(),    adapters_command(), runs_command(),     show_command(),
          compare_command(), models_command(),   data_command(),     skills_command(),
          call_command(),    listen_command(),   serve_command(),    gate_command(),
          promote_command(), rollback_command(), releases_command(), reproduce_command(),
          report_command(),  optimize_command(), sweep_command(),    bundle_command(),
          open_command(),    unbundle_command(), sync_command()};
}

}  // namespace slipway::cli
