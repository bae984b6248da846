#include "eval/compare.h"

#include <doctest/doctest.h>

using namespace slipway;

namespace {

store::Case row(const std::string& id, bool passed) {
  store::Case c;
  c.example_id = id;
  c.passed = passed;
  return c;
}

}  // namespace

TEST_CASE("runs are paired by example, in any order") {
  const auto c = eval::compare(
      {row("a", true), row("b", false), row("c", true), row("d", false), row("only-here", true)},
      {row("d", false), row("c", false), row("b", true), row("a", true), row("only-there", true)});
  CHECK(c.pairs.both == 1);
  CHECK(c.pairs.only_first == 1);
  CHECK(c.pairs.only_second == 1);
  CHECK(c.pairs.neither == 1);
  CHECK(c.unmatched == 2);
  CHECK(c.flips.size() == 2);
  CHECK(c.p_value == 1);
}

TEST_CASE("the shared cases of a run are those whose rows the other has") {
  const std::vector<store::Case> first = {row("a", true), row("only-here", true), row("b", false)};
  const std::vector<store::Case> second = {row("b", true), row("not-here", true), row("a", false)};
  const auto shared = eval::shared_cases(first, second);
  REQUIRE(shared.size() == 2);
  CHECK(shared[0].example_id == "a");
  CHECK(shared[0].passed);
  CHECK(shared[1].example_id == "b");
  CHECK(eval::shared_cases(first, {}).empty());
}
