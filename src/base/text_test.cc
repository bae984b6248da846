#include "base/text.h"

#include <doctest/doctest.h>

using namespace slipway;

TEST_CASE("text: split and join are inverse") {
  CHECK(split("a,,b,", ',') == std::vector<std::string>{"a", "", "b", ""});
  CHECK(split("", ',') == std::vector<std::string>{""});
  CHECK(join(split("a,,b,", ','), ",") == "a,,b,");
  CHECK(join({}, ", ").empty());
}

TEST_CASE("text: every part is replaced once, from left to right") {
  CHECK(replace_all("a-b-c", "-", "--") == "a--b--c");
  CHECK(replace_all("aaa", "aa", "b") == "ba");
  CHECK(replace_all("abc", "", "x") == "abc");
  CHECK(replace_all("", "a", "x").empty());
}

TEST_CASE("text: trim, lower, prefix") {
  CHECK(trim(" \t a b\r\n") == "a b");
  CHECK(trim(" \n").empty());
  CHECK(to_lower("AbC-\xC3\x84") == "abc-\xC3\x84");
  CHECK(starts_with("abc", "ab"));
  CHECK_FALSE(starts_with("a", "ab"));
}

TEST_CASE("text: UTF-8 is checked strictly") {
  for (const char* good : {"", "a", "\xC3\xBC", "\xE2\x82\xAC", "\xF0\x9F\x98\x80",
                           "\xF4\x8F\xBF\xBF", "\xEE\x80\x80"}) {
    CAPTURE(good);
    CHECK(is_valid_utf8(good));
  }
  for (const char* bad : {"\x80", "\xC3", "\xC0\xAF", "\xE0\x80\x80", "\xED\xA0\x80",
                          "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\xE2\x82", "\xC3(",
                           "a\xBC"}) {
    CAPTURE(bad);
    CHECK_FALSE(is_valid_utf8(bad));
  }
}

TEST_CASE("text: one line is printable, bounded, and cut between code points") {
  CHECK(one_line(" a\r\nb\x7F" "c\t", 50) == "a  b c");
  CHECK(one_line(std::string(50, 'x') + "\n", 50) == std::string(50, 'x'));
  CHECK(one_line(std::string(51, 'x'), 50) == std::string(47, 'x') + "...");
  const std::string before(46, 'x');
  CHECK(one_line(before + "\xE2\x82\xAC\xE2\x82\xAC", 50) == before + "...");
  CHECK(one_line("a\xFF\n", 50) == "(3 bytes that are no text)");
  CHECK(one_line(" \n", 50).empty());
  CHECK(one_line("a\xC2\x9B" "31m\xC2\xA0", 50) == "a 31m\xC2\xA0");
  CHECK(one_line(std::string(60, 'x') + "\xE2", 50) == std::string(47, 'x') + "...");
}

TEST_CASE("text: what is shown to people holds nothing that a terminal obeys") {
  CHECK(printable("sh\x1b[2K\x1b]0;x\x07\r\n\tlines stay\x7F") == "sh [2K ]0;x  \n\tlines stay ");
  CHECK(printable("a\xC2\x9B" "2Jb\xC2\xA0\xC3\x9B") == "a 2Jb\xC2\xA0\xC3\x9B");
  CHECK(printable("caf\xE9 \x9B" "2J\xE2\x9B") == "caf\xE9  2J\xE2 ");
  CHECK(printable(std::string_view("a\0b", 3)) == "a b");
  CHECK(printable_line("a\n\tb") == "a  b");
  CHECK(printable("").empty());
}

TEST_CASE("text: nearest finds typing errors and nothing else") {
  const std::vector<std::string> names = {"test", "train", "validation"};
  CHECK(nearest("tset", names) == "test");
  CHECK(nearest("TRAIN", names) == "train");
  CHECK(nearest("validaton", names) == "validation");
  CHECK_FALSE(nearest("weather", names).has_value());
  CHECK_FALSE(nearest("x", {"y"}).has_value());
  CHECK_FALSE(nearest("", names).has_value());
  CHECK_FALSE(nearest("a", {}).has_value());
}

TEST_CASE("text: positions count lines and code points from 1") {
  CHECK(position_at("ab\nc", 0).column == 1);
  CHECK(position_at("ab\nc", 3).line == 2);
  CHECK(position_at("ab\nc", 3).column == 1);
  CHECK(position_at("\xC3\xBC" "b", 2).column == 2);
  CHECK(position_at("ab", 99).column == 3);
}
