#include "store/chunks.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

namespace slipway::store {
namespace {

bool same(const Point& a, const Point& b) {
  return a.step == b.step && a.unix_ms == b.unix_ms &&
         std::bit_cast<uint64_t>(a.value) == std::bit_cast<uint64_t>(b.value);
}

TEST_CASE("points: the documented bytes") {
  const std::string bytes = encode_points({{2, 258, 1.0}});
  CHECK(bytes == std::string("\x01\0\0\0"
                             "\x01\0\0\0"
                             "\x02\0\0\0\0\0\0\0"
                             "\x02\x01\0\0\0\0\0\0"
                             "\0\0\0\0\0\0\xF0\x3F",
                             32));
}

TEST_CASE("points: any bits come back, any prefix or change of size is refused") {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    std::vector<Point> points(random() % 40);
    for (auto& point : points) {
      point = {static_cast<int64_t>(random()), static_cast<int64_t>(random()),
               std::bit_cast<double>(random())};
    }
    const std::string bytes = encode_points(points);
    const auto decoded = decode_points(bytes);
    REQUIRE(decoded.ok());
    CHECK(std::equal(points.begin(), points.end(), decoded->begin(), decoded->end(), same));
    CHECK_FALSE(decode_points(bytes.substr(0, random() % bytes.size())).ok());
    CHECK_FALSE(decode_points(bytes + "x").ok());
  }
}

TEST_CASE("points: NaN and infinities, sorted and unique by bits") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  std::vector<Point> points = {
      {1, 5, nan}, {0, 9, 1}, {1, 5, nan}, {1, 4, -std::numeric_limits<double>::infinity()}};
  sort_unique(points);
  REQUIRE(points.size() == 3);
  CHECK(points[0].step == 0);
  CHECK(std::isinf(points[1].value));
  CHECK(std::isnan(points[2].value));
}

TEST_CASE("points: a count that no chunk can hold is refused before memory is taken") {
  CHECK(decode_points(std::string("\x01\0\0\0\xFF\xFF\xFF\xFF", 8)).error().code() ==
        ErrorCode::corrupt);
  CHECK_FALSE(decode_points(std::string("\x02\0\0\0\0\0\0\0", 8)).ok());
}

TEST_CASE("spans: every type of attribute comes back as it was") {
  SpanRecord span{"t1",
                  "s1",
                  "s0",
                  "skill.dispatch",
                  1'700'000'000'000'000'001,
                  1'700'000'000'000'000'009,
                  false,
                  "no route",
                  {}};
  span.attributes = {{"text", std::string("a\nb \"c\"")},
                     {"integer", int64_t{1}},
                     {"number", 1.0},
                     {"flag", true},
                     {"large", std::numeric_limits<int64_t>::max()},
                     {"infinite", -std::numeric_limits<double>::infinity()}};
  const auto spans = decode_spans(encode_spans({span, span}));
  REQUIRE(spans.ok());
  REQUIRE(spans->size() == 2);
  const SpanRecord& back = (*spans)[1];
  CHECK(back.trace_id == "t1");
  CHECK(back.parent_span_id == "s0");
  CHECK(back.start_unix_ns == span.start_unix_ns);
  CHECK(back.end_unix_ns == span.end_unix_ns);
  CHECK_FALSE(back.ok);
  CHECK(back.status_message == "no route");
  CHECK(back.attributes == span.attributes);
}

TEST_CASE("spans: damaged bytes are refused") {
  std::string bytes = encode_spans({{"t1", "s1", "", "root", 1, 2, true, "", {}}});
  CHECK(decode_spans("").error().code() == ErrorCode::corrupt);
  CHECK_FALSE(decode_spans("plain text, no frame").ok());
  CHECK_FALSE(decode_spans(std::string_view(bytes).substr(0, bytes.size() - 1)).ok());
}

}  // namespace
}  // namespace slipway::store
