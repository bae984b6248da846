// The user's own configuration, outside every project folder: which environment variable may be
// sent to which origin.
//
//     # ~/.config/slipway/config.toml
//     [secrets."https://api.openweathermap.org"]
//     API_KEY = "OPENWEATHER_API_KEY"   # ${API_KEY} in a skill of that origin
//     [keys]
//     "https://api.openai.com" = "OPENAI_API_KEY"   # bearer key of endpoints of that origin
//
// A project cannot bind anything, so a stranger's project cannot carry a secret away. Values live
// in memory only.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "base/result.h"

namespace slipway::lab {

using Environment = std::function<std::optional<std::string>(const std::string& name)>;

struct UserConfig {
  std::map<std::string, std::map<std::string, std::string>> secrets;  // origin -> name -> value
  std::map<std::string, std::string> keys;                            // origin -> value
};

// A missing file is an empty configuration. Errors: invalid_input with line; a bound variable that
// is not set is left out.
Result<UserConfig> load_user_config(const std::string& path, const Environment& environment);

}  // namespace slipway::lab
