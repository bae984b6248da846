#include "lab/user_config.h"

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include "base/files.h"
#include "http/client.h"

namespace slipway::lab {
namespace {

Result<std::string> origin_of(std::string_view key) {
  SLIPWAY_TRY(url, http::parse_url(key));
  return url.origin();
}

Status read_secrets(const toml::table& table, const Environment& environment, UserConfig& config) {
  for (const auto& [origin, node] : table) {
    const auto* names = node.as_table();
    if (!names)
      return Error::invalid_input("secrets.\"" + std::string(origin.str()) + "\" must be a table");
    SLIPWAY_TRY(normal, origin_of(origin.str()));
    for (const auto& [name, variable] : *names) {
      const auto text = variable.value<std::string>();
      if (!text)
        return Error::invalid_input("secrets: '" + std::string(name.str()) +
                                    "' must name a variable");
      if (auto value = environment(*text)) config.secrets[normal][std::string(name.str())] = *value;
    }
  }
  return Status::success();
}

Status read_keys(const toml::table& table, const Environment& environment, UserConfig& config) {
  for (const auto& [origin, variable] : table) {
    const auto text = variable.value<std::string>();
    if (!text)
      return Error::invalid_input("keys.\"" + std::string(origin.str()) +
                                  "\" must name a variable");
    SLIPWAY_TRY(normal, origin_of(origin.str()));
    if (auto value = environment(*text)) config.keys[normal] = *value;
  }
  return Status::success();
}

}  // namespace

Result<UserConfig> load_user_config(const std::string& path, const Environment& environment) {
  UserConfig config;
  if (!files::exists(path)) return config;
  SLIPWAY_TRY(text, files::read(path, 1 << 20));
  const auto parsed = toml::parse(text);
  if (!parsed) {
    return Error::invalid_input(path + " line " +
                                std::to_string(parsed.error().source().begin.line) + ": " +
                                std::string(parsed.error().description()));
  }
  auto read = [&]() -> Status {
    if (const auto* secrets = parsed.table()["secrets"].as_table()) {
      SLIPWAY_CHECK(read_secrets(*secrets, environment, config));
    }
    if (const auto* keys = parsed.table()["keys"].as_table())
      SLIPWAY_CHECK(read_keys(*keys, environment, config));
    return Status::success();
  }();
  if (!read.ok()) return read.error().in(path);
  return config;
}

}  // namespace slipway::lab
