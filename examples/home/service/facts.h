// A small book of facts, looked up by the words of a question. Pure functions; thread-safe.
//
//     auto answer = find_fact("who painted the mona lisa");   // "Leonardo da Vinci painted ..."
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace slipway::home {

// The answer whose key words all occur in the question; with several, the one of most words.
std::optional<std::string> find_fact(std::string_view question);

}  // namespace slipway::home
