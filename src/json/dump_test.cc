#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include "json/value.h"

using namespace slipway;
using json::Value;

TEST_CASE("json dump: numbers are the shortest text that reads back the same") {
  CHECK(Value(0.1).dump() == "0.1");
  CHECK(Value(1.0).dump() == "1.0");
  CHECK(Value(100000.0).dump() == "100000.0");
  CHECK(Value(-0.0).dump() == "-0.0");
  CHECK(Value(1e300).dump() == "1e+300");
  CHECK(Value(5e-324).dump() == "5e-324");
  CHECK(Value(int64_t{-9223372036854775807} - 1).dump() == "-9223372036854775808");
  CHECK(Value(std::numeric_limits<double>::infinity()).dump() == "null");
  CHECK(Value(std::nan("")).dump() == "null");
}

TEST_CASE("json dump: every finite double survives a round trip") {
  std::mt19937_64 random(7);
  for (int i = 0; i < 20000; ++i) {
    const double value = std::bit_cast<double>(random());
    if (!std::isfinite(value)) continue;
    const auto back = json::parse(Value(value).dump());
    REQUIRE(back.ok());
    REQUIRE(back->kind() == json::Kind::number);
    REQUIRE(std::bit_cast<uint64_t>(back->as_number()) == std::bit_cast<uint64_t>(value));
  }
}

TEST_CASE("json dump: strings are escaped and stay UTF-8") {
  CHECK(json::quote("a\"b\\c\n\t\x01") == R"("a\"b\\c\n\t\u0001")");
  CHECK(json::quote("gr\xC3\xBC\xC3\x9F") == "\"gr\xC3\xBC\xC3\x9F\"");
  CHECK(json::quote(std::string_view("\0", 1)) == R"("\u0000")");
}

TEST_CASE("json dump: invalid UTF-8 becomes U+FFFD and the result parses") {
  CHECK(json::quote("a\xFF" "b\xC3\xBC\xE2\x82") ==
        "\"a\xEF\xBF\xBD" "b\xC3\xBC\xEF\xBF\xBD\xEF\xBF\xBD\"");
  std::mt19937 random(3);
  for (int i = 0; i < 2000; ++i) {
    std::string bytes;
    for (unsigned n = random() % 12; n > 0; --n) bytes += static_cast<char>(random());
    REQUIRE(json::parse(json::quote(bytes)).ok());
  }
}

TEST_CASE("json dump: pretty indents and keeps empty containers short") {
  const auto value = json::parse(R"({"a":[1,{}],"b":[],"c":{"d":null}})");
  REQUIRE(value.ok());
  CHECK(value->pretty() == R"({
  "a": [
    1,
    {}
  ],
  "b": [],
  "c": {
    "d": null
  }
})");
  CHECK(*json::parse(value->pretty(4)) == *value);
}

TEST_CASE("json dump: canonical sorts at every level and writes integral doubles as integers") {
  const auto value = json::parse(R"({"b": {"y": 1.0, "x": 2.5}, "a": [3, 1e3, -0.0]})");
  REQUIRE(value.ok());
  CHECK(value->canonical() == R"({"a":[3,1000,0],"b":{"x":2.5,"y":1}})");
}
