#include "base/file_lock.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace slipway;

TEST_CASE("a lock is held by one and released with its owner") {
  const std::string path = "/tmp/slipway-lock-test-" + std::to_string(::getpid());
  {
    auto first = FileLock::try_lock(path);
    REQUIRE(first.ok());
    CHECK(first->has_value());
    auto second = FileLock::try_lock(path);
    REQUIRE(second.ok());
    CHECK_FALSE(second->has_value());
  }
  const pid_t child = ::fork();
  if (child == 0) {
    auto taken = FileLock::try_lock(path);
    ::kill(::getpid(), SIGKILL);
  }
  ::waitpid(child, nullptr, 0);
  auto after = FileLock::try_lock(path);
  REQUIRE(after.ok());
  CHECK(after->has_value());
  ::unlink(path.c_str());
}
