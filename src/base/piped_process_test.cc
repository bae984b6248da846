#include "base/piped_process.h"

#include <doctest/doctest.h>
#include <signal.h>

#include <chrono>
#include <cstdlib>
#include <thread>

#include "base/temporary_folder_test.h"

using namespace slipway;

namespace {

auto shell(const std::string& script, size_t max_line_bytes = 1000, ProcessOptions options = {}) {
  return LineProcess::start({"sh", "-c", script}, options, max_line_bytes);
}

}  // namespace

TEST_CASE("line process: lines go out and come back") {
  auto cat = LineProcess::start({"cat"}, {}, 1000);
  REQUIRE(cat.ok());
  for (const std::string text : {"one", "", "two words"}) {
    REQUIRE((*cat)->write_line(text, 5000).ok());
    auto line = (*cat)->read_line(5000);
    REQUIRE(line.ok());
    CHECK(line->value_or("nothing") == text);
  }
  CHECK((*cat)->running());
  auto silence = (*cat)->read_line(1);
  REQUIRE(silence.ok());
  CHECK_FALSE(silence->has_value());
}

TEST_CASE("line process: what was said before the end is still read, then the end is told") {
  auto peer = shell("echo last; echo why >&2");
  REQUIRE(peer.ok());
  auto line = (*peer)->read_line(5000);
  REQUIRE(line.ok());
  CHECK(line->value_or("") == "last");
  auto end = (*peer)->read_line(5000);
  REQUIRE_FALSE(end.ok());
  CHECK(end.error().code() == ErrorCode::unavailable);
  CHECK((*peer)->last_words() == "why\n");
  CHECK_FALSE((*peer)->running());
}

TEST_CASE("line process: a line without end is refused, not collected") {
  auto peer = shell("head -c 100000 /dev/zero | tr '\\0' x; sleep 60", 1000);
  REQUIRE(peer.ok());
  auto line = (*peer)->read_line(5000);
  REQUIRE_FALSE(line.ok());
  CHECK(line.error().code() == ErrorCode::exhausted);
}

TEST_CASE("line process: who never reads does not hold the writer up for ever") {
  auto peer = shell("sleep 60");
  REQUIRE(peer.ok());
  const auto status = (*peer)->write_line(std::string(4 << 20, 'x'), 50);
  REQUIRE_FALSE(status.ok());
  CHECK(status.error().code() == ErrorCode::timeout);
}

TEST_CASE("line process: only the named environment is handed on") {
  ::setenv("SLIPWAY_TEST_SECRET", "secret", 1);
  ProcessOptions options;
  options.keep_env = std::vector<std::string>{"PATH"};
  options.set_env = {{"SLIPWAY_TEST_WORD", "word"}};
  auto peer = shell("echo \"$SLIPWAY_TEST_SECRET|$SLIPWAY_TEST_WORD\"", 1000, options);
  REQUIRE(peer.ok());
  auto line = (*peer)->read_line(5000);
  REQUIRE(line.ok());
  CHECK(line->value_or("") == "|word");
}

TEST_CASE("line process: the child ends with the object, also what it started") {
  int child = 0;
  {
    auto peer = shell("sleep 600 & echo $!; wait");
    REQUIRE(peer.ok());
    auto line = (*peer)->read_line(5000);
    REQUIRE(line.ok());
    child = std::atoi(line->value_or("0").c_str());
    REQUIRE(child > 1);
    CHECK(::kill(child, 0) == 0);
  }
  for (int i = 0; i < 500 && ::kill(child, 0) == 0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  CHECK(::kill(child, 0) != 0);
}

TEST_CASE("line process: the end of its input comes first, and it may end by itself") {
  const TemporaryFolder folder("line");
  ProcessOptions options;
  options.set_env = {{"SAID", folder / "said"}};
  std::string script = "trap 'echo killed > \"$SAID\"; exit' TERM; echo ready; cat > /dev/null; ";
  SUBCASE("silent") {}
  // More than a pipe holds: it must not wait for a reader for ever.
  SUBCASE("talking") { script += "head -c 300000 /dev/zero; "; }
  {
    auto peer = shell(script + "sleep 0.1; echo ended > \"$SAID\"", 1000, options);
    REQUIRE(peer.ok());
    REQUIRE((*peer)->read_line(5000).ok());
  }
  CHECK(files::read(folder / "said").value_or("") == "ended\n");
}

TEST_CASE("line process: a program that is not there is named") {
  auto peer = LineProcess::start({"no-such-program-here"}, {}, 1000);
  REQUIRE_FALSE(peer.ok());
  CHECK(peer.error().code() == ErrorCode::not_found);
}
