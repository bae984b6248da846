#include "lab/sweep.h"

#include <doctest/doctest.h>

namespace slipway::lab {
namespace {

TEST_CASE("a race ends with all rows and begins with enough") {
  CHECK(race_rows(2, 1000, 64) == std::vector<size_t>{500, 1000});
  CHECK(race_rows(6, 4000, 64) == std::vector<size_t>{500, 1000, 2000, 4000});
  CHECK(race_rows(16, 200, 64) == std::vector<size_t>{100, 200});
  CHECK(race_rows(3, 50, 64) == std::vector<size_t>{50});
}

}  // namespace
}  // namespace slipway::lab
