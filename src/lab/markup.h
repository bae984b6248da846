// Text inside XML and HTML, in elements and in quoted attributes.
//
//     escape_markup("a<b> & \"c\"")    // "a&lt;b&gt; &amp; &quot;c&quot;"
//
// What XML 1.0 cannot hold becomes U+FFFD. Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace slipway::lab {

std::string escape_markup(std::string_view text);

}  // namespace slipway::lab
