#include "base/memory.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <limits>

#include "base/temporary_folder_test.h"

using namespace slipway;

namespace {

struct Root {
  void put(const std::string& path, const std::string& text) const {
    REQUIRE(files::make_directories(files::parent(folder.path() + path)).ok());
    REQUIRE(files::write_atomic(folder.path() + path, text).ok());
  }
  TemporaryFolder folder{"memory"};
};

}  // namespace

TEST_CASE("the smallest limit of a control group and those above it holds") {
  constexpr auto none = std::numeric_limits<uint64_t>::max();
  Root root;
  CHECK(control_group_limit(root.folder.path()) == none);
  root.put("/proc/self/cgroup", "0::/system.slice/slipway.service\n");
  CHECK(control_group_limit(root.folder.path()) == none);
  root.put("/sys/fs/cgroup/system.slice/slipway.service/memory.max", "max\n");
  CHECK(control_group_limit(root.folder.path()) == none);
  root.put("/sys/fs/cgroup/system.slice/memory.max", "3000000\n");
  CHECK(control_group_limit(root.folder.path()) == 3'000'000);
  root.put("/sys/fs/cgroup/system.slice/slipway.service/memory.max", "2000000\n");
  CHECK(control_group_limit(root.folder.path()) == 2'000'000);
}

TEST_CASE("a container sees its own limit at the top, of either version") {
  Root root;
  root.put("/proc/self/cgroup", "5:cpu,cpuacct:/docker/ab\n4:memory:/docker/ab\n0::/\n");
  root.put("/sys/fs/cgroup/memory/memory.limit_in_bytes", "1000000\n");
  CHECK(control_group_limit(root.folder.path()) == 1'000'000);
  root.put("/sys/fs/cgroup/memory.max", "500000\n");
  CHECK(control_group_limit(root.folder.path()) == 500'000);
}

TEST_CASE("some memory is usable, and no more than the machine has") {
  CHECK(usable_memory() > 0);
  CHECK(usable_memory() <= static_cast<uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
                               static_cast<uint64_t>(::sysconf(_SC_PAGESIZE)));
}
