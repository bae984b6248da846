// What `sweep` shares with `tune`: the options of a training, and what they say.
#pragma once

#include <vector>

#include "cli/command.h"
#include "cli/progress.h"
#include "lab/tuning.h"

namespace slipway::cli {

std::vector<Option> tune_options();
// `arguments` has a value, or a default, for each of those options.
Result<lab::TuneSpec> tune_spec(const lab::Project& project, const Arguments& arguments);
// `quiet`: progress only.
lab::TuneHooks hooks_of(Context& context, ProgressLine& line, bool quiet);

}  // namespace slipway::cli
