#include "skill/yaml.h"

#include <doctest/doctest.h>

#include <string>

namespace slipway::skill {
namespace {

std::string read(const std::string& yaml) {
  auto value = parse_yaml(yaml);
  return value.ok() ? value->dump() : "error: " + value.error().message();
}

bool refuses(const std::string& yaml, const std::string& says) {
  auto value = parse_yaml(yaml);
  if (value.ok()) return false;
  INFO(value.error().message());
  CHECK(value.error().message().find(says) != std::string::npos);
  return true;
}

}  // namespace

TEST_CASE("yaml: the core schema's scalars") {
  CHECK(read("[1, -2, 0x1f, 0o17, 1.5, .5, 1e3, +3]") == "[1,-2,31,15,1.5,0.5,1000.0,3]");
  CHECK(read("[true, False, null, ~, ]") == "[true,false,null,null]");
  CHECK(read("[yes, 3.0.3, 1-2, '1', \"true\", -, 0xzz]") ==
        R"(["yes","3.0.3","1-2","1","true","-","0xzz"])");
  CHECK(read("{200: ok, a: !!str 5}") == R"({"200":"ok","a":"5"})");
  CHECK(read("text: |\n  two\n  lines\n") == R"({"text":"two\nlines\n"})");
}

TEST_CASE("yaml: aliases are what they stand for, and are counted so") {
  CHECK(read("a: &x {n: 1}\nb: [*x, *x]") == R"({"a":{"n":1},"b":[{"n":1},{"n":1}]})");
  CHECK(refuses("a: &x [*x]", "line 1"));
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    const auto before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int k = 0; k < 10; ++k) bomb += (k ? ", " : "") + before;
    bomb += "]\n";
  }
  auto value = parse_yaml(bomb);
  REQUIRE_FALSE(value.ok());
  CHECK(value.error().code() == ErrorCode::exhausted);
}

TEST_CASE("yaml: what is wrong is named with its line") {
  CHECK(refuses("a: 1\nb: [1, 2\n", "line 3"));
  CHECK(refuses("a: 1\na: 2\n", "line 2, column 1"));
  CHECK(refuses("a: {<<: {b: 1}}", "merge keys"));
  CHECK(refuses("a: !danger 1", "!danger"));
  CHECK(refuses("{[1]: 2}", "a key must be a text"));
  CHECK(refuses("", "line 1"));
  CHECK_FALSE(parse_yaml(std::string(100, '[') + std::string(100, ']')).ok());
  CHECK_FALSE(parse_yaml(std::string(100'000, '[')).ok());
  CHECK_FALSE(parse_yaml(std::string(max_document_bytes + 1, ' ')).ok());
}

}  // namespace slipway::skill
