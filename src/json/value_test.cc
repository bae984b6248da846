#include "json/value.h"

#include <doctest/doctest.h>

#include <limits>

using namespace slipway;
using json::Kind;
using json::Value;

TEST_CASE("json value: each C++ type becomes the kind one expects") {
  CHECK(Value().kind() == Kind::null);
  CHECK(Value(nullptr).is_null());
  CHECK(Value(true).is_bool());
  CHECK(Value(3).as_integer() == 3);
  CHECK(Value(3u).as_integer() == 3);
  CHECK(Value(3LL).as_integer() == 3);
  CHECK(Value(size_t{3}).as_integer() == 3);
  CHECK(Value(2.5f).as_number() == 2.5);
  CHECK(Value("x").as_string() == "x");
  CHECK(Value(std::string_view("x")).is_string());
  CHECK(Value(std::numeric_limits<uint64_t>::max()).kind() == Kind::number);
  CHECK(Value(std::numeric_limits<int64_t>::min()).is_integer());
}

TEST_CASE("json value: objects keep order, replace in place, and erase") {
  Value o = Value::object();
  o.set("b", 1).set("a", "two").set("b", 3);
  CHECK(o.dump() == R"({"b":3,"a":"two"})");
  CHECK(o.size() == 2);
  CHECK(o.erase("b"));
  CHECK_FALSE(o.erase("b"));
  CHECK(o.get("b") == nullptr);
  CHECK(Value(1).get("b") == nullptr);
}

TEST_CASE("json value: null grows into an object or an array") {
  Value o;
  o.set("n", 1);
  CHECK(o.is_object());
  Value a;
  a.push_back(1);
  a.push_back(Value::array());
  CHECK(a.dump() == "[1,[]]");
}

TEST_CASE("json value: a mutable member can be changed in place") {
  Value o = Value::object();
  o.set("list", Value::array());
  o.get("list")->push_back(7);
  CHECK(o.dump() == R"({"list":[7]})");
}

TEST_CASE("json value: typed lookups fall back on absence and on another kind") {
  Value o = Value::object();
  o.set("t", "x").set("n", 4).set("f", true);
  CHECK(o.text("t") == "x");
  CHECK(o.text("n", "other") == "other");
  CHECK(o.number("n") == 4.0);
  CHECK(o.number("t", -1) == -1);
  CHECK(o.flag("f"));
  CHECK(o.flag("absent", true));
}

TEST_CASE("json value: equality ignores member order and number spelling") {
  const auto a = json::parse(R"({"x": 1, "y": [1, 2.0], "z": null})");
  const auto b = json::parse(R"({"z": null, "y": [1.0, 2], "x": 1.0})");
  REQUIRE(a.ok());
  REQUIRE(b.ok());
  CHECK(*a == *b);
  CHECK(a->canonical() == b->canonical());
  CHECK_FALSE(Value(1) == Value("1"));
  CHECK_FALSE(Value(1) == Value(true));
  CHECK_FALSE(*json::parse("[1,2]") == *json::parse("[2,1]"));
  CHECK_FALSE(*json::parse(R"({"a":1})") == *json::parse(R"({"b":1})"));
}

TEST_CASE("json value: integers and doubles compare exactly beyond 2^53") {
  CHECK_FALSE(Value(int64_t{9007199254740993}) == Value(9007199254740992.0));
  CHECK(Value(int64_t{9007199254740992}) == Value(9007199254740992.0));
  CHECK_FALSE(Value(std::numeric_limits<int64_t>::max()) == Value(9223372036854775808.0));
  CHECK_FALSE(Value(0) == Value(std::numeric_limits<double>::quiet_NaN()));
  CHECK(Value(0) == Value(-0.0));
}
