#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <sstream>

#include "base/files.h"
#include "cli/command.h"
#include "cli/confirm.h"

using namespace slipway;
using namespace slipway::cli;

namespace {

struct Ran {
  int code;
  std::string out, err;
};

Ran run(const std::vector<std::string>& words, const std::string& folder = "/tmp") {
  std::istringstream in;
  std::ostringstream out, err;
  Context context{
      .in = in, .out = out, .err = err, .folder = folder, .environment = [](const std::string&) {
        return std::nullopt;
      }};
  const int code = run_program(context, words);
  return {code, out.str(), err.str()};
}

}  // namespace

TEST_CASE("every command has help with an example") {
  for (const auto& command : all_commands()) {
    const auto ran = run({command.name, "--help"});
    CHECK(ran.code == 0);
    CHECK_MESSAGE(ran.out.find("Examples:") != std::string::npos, command.name);
  }
  CHECK(run({}).out.find("slipway COMMAND --help") != std::string::npos);
}

TEST_CASE("a mistyped command or option is one line with a suggestion") {
  const auto typo = run({"evla"});
  CHECK(typo.code == 2);
  CHECK(typo.err == "slipway: no command 'evla'; did you mean 'eval'?\n");
  const auto option = run({"eval", "--datset", "x"});
  CHECK(option.code == 2);
  CHECK(option.err.find("slipway eval --help") != std::string::npos);
  CHECK(std::count(option.err.begin(), option.err.end(), '\n') == 1);
}

TEST_CASE("a size is a whole number and K, M or G") {
  const auto bytes = [](const std::string& text) {
    Arguments arguments;
    arguments.set("memory", {text});
    return arguments.bytes("memory");
  };
  CHECK(*bytes("4096") == 4096);
  CHECK(*bytes("3K") == 3 * 1024);
  CHECK(*bytes("512M") == 512 * 1024 * 1024);
  CHECK(*bytes("4G") == uint64_t{4} << 30);
  for (const char* bad : {"", "G", "0", "0G", "-1", "1.5G", "4GB", "4g", "4 G", "4X", "MG",
                          "17179869184G", "99999999999999999999"}) {
    CAPTURE(bad);
    REQUIRE_FALSE(bytes(bad).ok());
    CHECK(bytes(bad).error().code() == ErrorCode::invalid_input);
  }
}

TEST_CASE("a risky call is shown on standard error, and done after a yes alone") {
  std::ostringstream out, err;
  const auto asked = [&](const std::string& typed, CancelToken cancel) {
    std::istringstream in(typed);
    Context context{.in = in, .out = out, .err = err, .cancel = cancel};
    return confirm(context, {"home.open", {{"door", json::Value("front")}}}, {});
  };
  CHECK(asked(" Y\n", {}));
  CHECK(out.str().empty());
  CHECK(err.str() == "  home.open(door='front')  do it? [y/N] ");
  for (const char* typed : {"", "\n", "n\n", "yes please\n"}) CHECK_FALSE(asked(typed, {}));
  CancelSource source;
  source.cancel();
  CHECK_FALSE(asked("y\n", source.token()));
}

TEST_CASE("init writes a project that the other commands accept, and overwrites nothing") {
  const std::string folder = "/tmp/slipway-init-test-" + std::to_string(::getpid());
  std::filesystem::remove_all(folder);
  CHECK(run({"init", folder}).code == 0);
  CHECK(run({"runs", "--project", folder}).out.find("No runs yet") != std::string::npos);
  CHECK(run({"init", folder}).code == 2);
  REQUIRE(std::filesystem::remove(folder + "/slipway.toml"));
  REQUIRE(files::write_atomic(folder + "/data/test.jsonl", "mine").ok());
  CHECK(run({"init", folder}).code == 0);
  CHECK(*files::read(folder + "/data/test.jsonl") == "mine");
  std::filesystem::remove_all(folder);
}

TEST_CASE("tune checks its figures before anything is opened") {
  const std::string folder = "/tmp/slipway-tune-test-" + std::to_string(::getpid());
  std::filesystem::remove_all(folder);
  REQUIRE(run({"init", folder}).code == 0);
  const auto refused = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"tune", "test", "--project", folder});
    const auto ran = run(words);
    CHECK(ran.code == 2);
    return ran.err;
  };
  CHECK(refused({"--lr", "fast"}).find("--lr 'fast' is not a number from 0") != std::string::npos);
  CHECK(refused({"--rank", "0"}).find("--rank") != std::string::npos);
  CHECK(refused({"--schedule", "steep"}).find("linear, cosine or constant") != std::string::npos);
  CHECK(run({"tune"}).code == 2);
  std::filesystem::remove_all(folder);
}
