// Fetching a model from a command: licence, progress, errors for people.
#pragma once

#include <string>

#include "cli/command.h"

namespace slipway::cli {

// The path; at once when the model is there. Errors: those of model::Catalog::pull.
Result<std::string> pull_model(Context& context, const std::string& name, bool licence_accepted);

}  // namespace slipway::cli
