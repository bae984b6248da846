#include "cli/table.h"

#include <doctest/doctest.h>

using namespace slipway::cli;

TEST_CASE("columns align by code points") {
  Table table({"name", ">n"});
  table.row({"café", "7"});
  table.row({"x", "123"});
  CHECK(table.text() == "name    n\ncafé    7\nx     123\n");
  table.row({"\x1b[2K\n\xC2\x9By", "1"});
  CHECK(table.text() == "name       n\ncafé       7\nx        123\n [2K  y    1\n");
}

TEST_CASE("figures read well") {
  CHECK(percent(0.98) == "98.0 %");
  CHECK(percent_interval(0.93, 0.994) == "93.0–99.4 %");
  CHECK(duration(120) == "120 ms");
  CHECK(duration(3400) == "3.4 s");
  CHECK(duration(65'000) == "1m 05s");
  CHECK(shorten("abcdef", 4) == "abc…");
  CHECK(shorten("a\nb\x1b", 9) == "a b ");
  CHECK(sparkline({}, 8).empty());
  CHECK(sparkline({4, 2, 1}, 8) == "█▅▁");
  CHECK(sparkline({4, 4, 1, 1}, 2) == "█▁");
  CHECK(sparkline({1, 1}, 2) == "▁▁");
}
