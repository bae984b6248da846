// slipway.toml as written, before any file that it names is read; an implementation detail of
// lab/project.h. Errors carry line and column; unknown keys are refused with the nearest known one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "lab/project.h"

namespace slipway::lab {

Result<Project> parse_project_file(std::string_view text, std::vector<std::string>& skill_patterns);

}  // namespace slipway::lab
