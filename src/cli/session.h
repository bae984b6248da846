// What several commands share: from a Context to an opened workbench, a dataset, a run that records
// what was done.
#pragma once

#include <string>

#include "cli/command.h"
#include "lab/workbench.h"

namespace slipway::cli {

// $SLIPWAY_MODELS, else $XDG_CACHE_HOME or ~/.cache + /slipway/models.
std::string models_folder(const Context& context);
std::string config_folder(const Context& context);  // $XDG_CONFIG_HOME or ~/.config + /slipway

// `max_sequences` answers side by side: what is asked one by one needs less memory.
Result<lab::Workbench> open_workbench(Context& context, const Arguments& arguments,
                                      int max_sequences = 16);
// The project's store alone, for commands that only read.
Result<std::shared_ptr<store::Store>> open_store(Context& context, const Arguments& arguments);

// The named candidate (or the project's default) with what --model, --prompt, --adapter and
// --constrain change.
Result<lab::CandidateSpec> chosen_candidate(const lab::Project& project,
                                            const Arguments& arguments);
std::vector<Option> candidate_options();
Option trust_option();  // read by open_workbench

json::Value run_json(const store::Run& run);
// "2026-11-24T18:00:00": the person's own day, from which "tomorrow" is told.
std::string local_clock();
std::string when(int64_t unix_ms);  // "2026-11-24 18:00"

}  // namespace slipway::cli
