#include "model/drafter.h"

#include <doctest/doctest.h>

#include <vector>

using namespace slipway::model;

TEST_CASE("the rest of a word is what the request spells after it") {
  const auto* request = "what's the weather in new york or boston, please";
  CHECK(rest_of_word("weather.get_weather(location='bos", request) == "ton");
  CHECK(rest_of_word("weather.get_weather(location='new yo", request) == "rk");
  CHECK(rest_of_word("weather.get_weather(location='boston", request).empty());
  CHECK(rest_of_word("weather.get_weather(location='ton", request).empty());  // not a word's start
  CHECK(rest_of_word("weather.get_weather(location='b", request).empty());    // too little
  CHECK(rest_of_word("wea", request).empty());                                // nothing is quoted
  CHECK(rest_of_word("", request).empty());
}

TEST_CASE("what followed the same tokens is known until something else follows them more often") {
  Followers followers(2, 64);
  const std::vector<int32_t> first{1, 2, 3, 4}, other{1, 2, 5};
  followers.learn(first, 1);
  CHECK(followers.after(std::vector<int32_t>{1}) == 2);
  CHECK(followers.after(std::vector<int32_t>{9, 1, 2}) == 3);  // two of them count
  CHECK(followers.after(std::vector<int32_t>{1, 3}) == -1);
  followers.learn(other, 2);
  CHECK(followers.after(std::vector<int32_t>{1, 2}) == -1);  // once each
  followers.learn(other, 2);
  CHECK(followers.after(std::vector<int32_t>{1, 2}) == 5);
  followers.learn(first, 4);  // nothing
  CHECK(followers.after(std::vector<int32_t>{2, 3}) == 4);
}

TEST_CASE("the last occurrence of a word decides") {
  CHECK(rest_of_word("a.b(c='sun", "sunday or not, sunglasses") == "glasses");
}
