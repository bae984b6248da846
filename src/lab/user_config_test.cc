#include "lab/user_config.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include "base/files.h"

using namespace slipway;
using namespace slipway::lab;

TEST_CASE("variables are bound to origins, and what is not set is left out") {
  const std::string path = "/tmp/slipway-config-test-" + std::to_string(::getpid()) + ".toml";
  REQUIRE(files::write_atomic(path, R"([secrets."https://api.example.com"]
KEY = "EXAMPLE_KEY"
OTHER = "NOT_SET"
[keys]
"https://llm.example.com" = "EXAMPLE_KEY"
)")
              .ok());
  auto config = load_user_config(path, [](const std::string& name) -> std::optional<std::string> {
    if (name == "EXAMPLE_KEY") return "value";
    return std::nullopt;
  });
  REQUIRE(config.ok());
  CHECK(config->secrets.at("https://api.example.com:443").at("KEY") == "value");
  CHECK(config->secrets.at("https://api.example.com:443").count("OTHER") == 0);
  CHECK(config->keys.at("https://llm.example.com:443") == "value");
  ::unlink(path.c_str());
  auto missing = load_user_config(path, {});
  CHECK(missing.ok());
}
