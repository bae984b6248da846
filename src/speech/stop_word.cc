#include "speech/stop_word.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

namespace slipway::speech {

bool is_stop(std::string_view text) {
  static constexpr std::array<std::string_view, 14> words = {
      "stop",         "stop it",   "stop stop",  "please stop",   "stop please",
      "stop talking", "stop that", "cancel",     "cancel that",   "be quiet",
      "quiet",        "shut up",   "never mind", "stop stop stop"};
  std::string plain;
  for (const char c : text) {
    if (std::isalpha(static_cast<unsigned char>(c))) {
      plain += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    } else if (c != '\'' && !plain.empty() && plain.back() != ' ') {
      plain += ' ';
    }
  }
  while (!plain.empty() && plain.back() == ' ') plain.pop_back();
  return std::find(words.begin(), words.end(), plain) != words.end();
}

}  // namespace slipway::speech
