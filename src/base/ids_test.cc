#include "base/ids.h"

#include <doctest/doctest.h>

#include <mutex>
#include <set>
#include <thread>
#include <vector>

using namespace slipway;

TEST_CASE("ids have their size and alphabet") {
  for (const std::string& id : {new_run_id(), new_trace_id()}) {
    CHECK(id.size() == 32);
    CHECK(id.find_first_not_of("0123456789abcdef") == std::string::npos);
  }
  CHECK(new_span_id().size() == 16);
}

TEST_CASE("ids never repeat, and their beginnings tell them apart") {
  std::mutex mutex;
  std::set<std::string> ids, beginnings;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 1000; ++i) {
          const auto id = new_run_id();
          std::lock_guard lock(mutex);
          ids.insert(id);
          beginnings.insert(id.substr(0, 12));
        }
      });
    }
  }
  CHECK(ids.size() == 4000);
  CHECK(beginnings.size() == 4000);
}
