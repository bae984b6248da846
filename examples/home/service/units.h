// Units of measurement by the names people use. Pure functions; thread-safe.
//
//     SLIPWAY_TRY(kilometers, convert_units(2, "miles", "km"));   // 3.218688
//
// US volumes; metric tons. Errors: invalid_input (unknown unit, or the two measure different
// things).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace slipway::home {

Result<double> convert_units(double amount, std::string_view from, std::string_view to);

// Four significant digits, without trailing zeros: "3.219", "0.0625", "12".
std::string speak_number(double number);

}  // namespace slipway::home
