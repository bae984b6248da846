// Where a run came from: the machine, the command line, the git commit and what differed from it.
// Secrets are masked before anything is stored.
//
//     run.environment = capture_provenance(project_folder, argv, *store);
//
// A failing git is no error: the folder need not be a repository. Thread-safe.
#pragma once

#include <string>
#include <vector>

#include "json/value.h"
#include "store/store.h"

namespace slipway::lab {

inline constexpr const char* slipway_version = "0.1.0";

json::Value capture_provenance(const std::string& folder, const std::vector<std::string>& argv,
                               store::Store& store);
json::Value machine_json();  // cpu, cores, memory_mb, os

}  // namespace slipway::lab
