// The files of a new project, by path: small, complete, and accepted by every command.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace slipway::cli {

std::vector<std::pair<std::string, std::string>> starter_files();

}  // namespace slipway::cli
