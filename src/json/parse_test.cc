#include <doctest/doctest.h>

#include <random>

#include "base/text.h"
#include "json/value.h"

using namespace slipway;
using json::Kind;

namespace {

std::string failure(std::string_view text) {
  const auto value = json::parse(text);
  return value.ok() ? "parsed: " + value->dump() : value.error().message();
}

std::string nested(size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

}  // namespace

TEST_CASE("json parse: values keep their kind, order and text") {
  const std::string text =
      R"({"z":1,"a":[true,false,null,-2.5,"gr\u00fc\u00df \ud83d\ude00"],"m":{}})";
  const auto value = json::parse(text);
  REQUIRE(value.ok());
  CHECK(value->dump() ==
        "{\"z\":1,\"a\":[true,false,null,-2.5,\"gr\xC3\xBC\xC3\x9F \xF0\x9F\x98\x80\"],\"m\":{}}");
  CHECK(value->get("z")->is_integer());
}

TEST_CASE("json parse: scalars, white space and a byte order mark at top level") {
  CHECK(json::parse(" 12 \n")->as_integer() == 12);
  CHECK(json::parse("\"x\"")->as_string() == "x");
  CHECK(json::parse("\xEF\xBB\xBF[1]").ok());
  CHECK(json::parse("1.0")->kind() == Kind::number);
  CHECK(json::parse("9223372036854775807")->is_integer());
  CHECK(json::parse("9223372036854775808")->kind() == Kind::number);
  CHECK(json::parse("123456789012345678901234567890")->as_number() ==
        123456789012345678901234567890.0);
}

TEST_CASE("json parse: what is no JSON is refused") {
  for (std::string_view text : {"", " ", "{", "[1,]", "{\"a\":}", "{a:1}", "[1] 2", "nul",
                                "01", "+1", ".5", "1.", "'x'", "\"\t\"", "\"\\x\"",
                                "\"\\ud800\"", "1e999", "NaN", "// c\n1", "\"\xFF\"",
                                "\"\xC0\xAF\"", "\"\xED\xA0\x80\""}) {
    CAPTURE(text);
    const auto value = json::parse(text);
    REQUIRE_FALSE(value.ok());
    CHECK(value.error().code() == ErrorCode::invalid_input);
  }
  CHECK_FALSE(json::parse(std::string_view("1\0 2", 4)).ok());
}

TEST_CASE("json parse: errors carry line and column, without the parser's jargon") {
  const auto message = failure("{\n  \"a\": 1,\n  \"b\": x\n}");
  CHECK(message.rfind("line 3, column 8: ", 0) == 0);
  CHECK(message.find("json.exception") == std::string::npos);
  CHECK(failure("[1,\n").rfind("line 2, column 1: ", 0) == 0);
}

TEST_CASE("json parse: an error is text, whatever bytes it speaks of") {
  for (const std::string text : {"{\"a\xff\": 1}", "{\"a\"\xc3: 1}", "\xe2\x82", "[1, \xf0\x9f]"}) {
    CHECK(is_valid_utf8(failure(text)));
  }
}

TEST_CASE("json parse: duplicate keys are refused, in small and in large objects") {
  CHECK(failure("{\"a\":1,\n\"a\":2}") == "line 2, column 3: duplicate key \"a\"");
  CHECK(json::parse(R"({"a":{"a":1},"b":{"a":1}})").ok());
  std::string large = "{";
  for (int i = 0; i < 40; ++i) large += "\"k" + std::to_string(i) + "\":0,";
  CHECK(json::parse(large + "\"last\":0}").ok());
  CHECK(failure(large + "\"k3\":0}").find("duplicate key \"k3\"") != std::string::npos);
  CHECK(failure(large + "\"k39\":0}").find("duplicate key \"k39\"") != std::string::npos);
}

TEST_CASE("json parse: depth is bounded at 128") {
  CHECK(json::parse(nested(128)).ok());
  const auto deep = json::parse(nested(129));
  REQUIRE_FALSE(deep.ok());
  CHECK(deep.error().code() == ErrorCode::exhausted);
  CHECK(json::parse(std::string(1'000'000, '[')).error().code() == ErrorCode::exhausted);
}

TEST_CASE("json parse: random damage never crashes, and what parses survives a round trip") {
  const std::string good =
      R"({"name":"get_weather","n":[1,2.5e3,-7],"o":{"x":null,"y":"\u00e9\n"},"t":true})";
  std::mt19937 random(11);
  for (int i = 0; i < 20000; ++i) {
    std::string text = good;
    for (unsigned n = 1 + random() % 3; n > 0; --n) {
      const size_t at = random() % text.size();
      if (random() % 2 == 0) text[at] = static_cast<char>(random());
      else text.erase(at, 1 + random() % 3);
    }
    const auto value = json::parse(text);
    if (!value.ok()) continue;
    const auto again = json::parse(value->dump());
    REQUIRE(again.ok());
    REQUIRE(*again == *value);
  }
}
