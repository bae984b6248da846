// `{argument}` and `${SECRET}` in the strings of a skill's HTTP binding, internal to this layer.
//
//     parse_template("/rooms/{room}")   // {literal "/rooms/"}, {argument "room"}
//
// A template is read once; what an argument's value contains is never looked at again. Braces
// around anything but a name are literal. Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace slipway::skill {

struct TemplatePiece {
  enum class Kind { literal, argument, secret };
  Kind kind = Kind::literal;
  std::string text;  // the literal, or the name
};

std::vector<TemplatePiece> parse_template(std::string_view text);

bool is_identifier(std::string_view text);  // [A-Za-z_][A-Za-z0-9_-]*, at most 64 bytes

}  // namespace slipway::skill
