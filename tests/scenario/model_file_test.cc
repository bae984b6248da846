// Weights that are missing or damaged.
#include <doctest/doctest.h>

#include "base/files.h"
#include "project.h"

using namespace slipway;
using namespace slipway::scenario;

namespace {

// The first bytes of a real GGUF header: version 3, many tensors promised, nothing after.
std::string truncated_header() {
  std::string bytes = "GGUF";
  bytes += std::string("\x03\x00\x00\x00", 4);
  bytes += std::string("\xEC\x00\x00\x00\x00\x00\x00\x00", 8);
  bytes += std::string("\x25\x00\x00\x00\x00\x00\x00\x00", 8);
  return bytes;
}

void use_model(const Fixture& f, const std::string& name) {
  f.box.replace("slipway.toml", "model = \"fake\"", "model = \"" + name + "\"");
}

}  // namespace

TEST_CASE("a catalog model that was not pulled names the pull command") {
  Fixture f(says("none()"), weather_service());
  f.box.set_env("SLIPWAY_MODELS", files::join(f.box.root(), "models"));
  use_model(f, "gemma-3-270m");
  for (const char* command : {"eval", "ask"}) {
    check_refused(f.box.run({command}), exits::not_found,
                  {"gemma-3-270m", "slipway models pull gemma-3-270m"});
  }
  f.check_sound();
}

TEST_CASE("a model that nobody knows, and a path that leads nowhere") {
  Fixture f(says("none()"), weather_service());
  use_model(f, "gemma-3-270");
  check_refused(f.box.run({"eval"}), exits::not_found, {"did you mean 'gemma-3-270m'?"});
  check_refused(f.box.run({"eval", "--model", "models/none.gguf"}), exits::not_found,
                {"models/none.gguf", "check the path"});
  check_refused(f.box.run({"models", "pull", "gemma-3-270"}), exits::not_found,
                {"did you mean 'gemma-3-270m'?"});
  f.check_sound();
}

TEST_CASE("a damaged model file is called damaged") {
  Fixture f(says("none()"), weather_service());
  f.box.write("garbage.gguf", std::string(100'000, 'x'));
  f.box.write("empty.gguf", "");
  f.box.write("header.gguf", truncated_header());
  for (const char* name : {"garbage.gguf", "empty.gguf", "header.gguf"}) {
    INFO(name);
    check_refused(f.box.run({"eval", "--model", "./" + std::string(name)}), exits::corrupt, {name});
  }
  f.check_sound();
}

TEST_CASE("a half copied model is called damaged, by name and by path") {
  SLIPWAY_NEEDS_MODEL();
  Fixture f(says("none()"), weather_service());
  constexpr const char* file = "gemma-3-270m-q4_k_m.gguf";
  auto whole = files::read(files::join(models_folder(), file));
  REQUIRE(whole.ok());
  const auto half = files::join(f.box.root(), "models/" + std::string(file));
  REQUIRE(files::write_atomic(half, std::string_view(*whole).substr(0, whole->size() / 2)).ok());
  check_refused(f.box.run({"eval", "--model", half}), exits::corrupt, {file});
  f.box.set_env("SLIPWAY_MODELS", files::join(f.box.root(), "models"));
  check_refused(f.box.run({"eval", "--model", "gemma-3-270m"}), exits::corrupt,
                {file, "slipway models pull gemma-3-270m"});
  check_refused(f.box.run({"models", "verify", "gemma-3-270m"}), exits::corrupt, {file});
  f.check_sound();
}
