// The words that end what the assistant is doing, whatever it is doing.
//
//     is_stop("Stop!")           // true
//     is_stop("stop my timer")   // false: that is a request
//
// Pure; thread-safe.
#pragma once

#include <string_view>

namespace slipway::speech {

bool is_stop(std::string_view text);

}  // namespace slipway::speech
