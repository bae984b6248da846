// The call language: `weather.get_weather(location='boston')`.
//
//     SLIPWAY_TRY(calls, parse_calls("music.play(title='baby shark')"));  // several: one a line;
//                                                                         // `none()`: no call
//     SLIPWAY_TRY(call, check_call(calls[0], skills));                    // against the signatures
//     print_call(call, skills)                                            // canonical text
//
// Grammar (docs/format/call.md): call = name "(" [argument {"," argument}] ")"; argument = [name
// "="] value; value = string in either quote with escapes, number, true|True|false|False,
// null|None, [list], {object}. Pure functions; thread-safe. Errors carry line and column. Bounds:
// 16 calls, 64 arguments, depth 16, 64 KiB.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "json/value.h"
#include "skill/signature.h"

namespace slipway::skill {

struct Argument {
  std::string name;  // empty: positional
  json::Value value;
};

struct Call {
  std::string function;  // qualified
  std::vector<Argument> arguments;
};

// The text of "no function fits": parsed as an empty list of calls.
inline constexpr std::string_view no_call_text = "none()";

Result<std::vector<Call>> parse_calls(std::string_view text);

// Known function, every argument known, well-typed, within enum and bounds, required ones there;
// positional arguments get their names; values are coerced where nothing is lost ("3" for an
// integer). Errors: not_found (function, with the nearest name), invalid_input (argument, what was
// expected).
Result<Call> check_call(const Call& call, const SkillSet& skills);

// Canonical: keyword arguments in the signature's order, single quotes, arguments that equal their
// default left out.
std::string print_call(const Call& call, const SkillSet& skills);
// One a line; `none()` when empty.
std::string print_calls(const std::vector<Call>& calls, const SkillSet& skills);
std::string print_value(const json::Value& value);  // one value in the call language
// Numbers with no more of them are written without an exponent; decoding writes no others.
inline constexpr int max_fraction_digits = 6;

}  // namespace slipway::skill
