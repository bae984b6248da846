#include "model/drafter.h"

#include <doctest/doctest.h>

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

TEST_CASE("the last occurrence of a word decides") {
  CHECK(rest_of_word("a.b(c='sun", "sunday or not, sunglasses") == "glasses");
}
