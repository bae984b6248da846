// A prompt file taken apart: its instructions, its worked examples, and how it asks, so that they
// can be exchanged and the file put together again.
//
//     SLIPWAY_TRY(parts, PromptParts::of(source));
//     parts.examples.push_back({"dim the study", "lights.set_brightness(room='study')"});
//     parts.source()           // Jinja; that of untouched parts is the file, byte by byte
//
// The form is read from the end: the line with `{{ input }}` says how a request begins, the line
// after it how an answer does. Blocks of that form before it, one blank line apart, are the worked
// examples; the literal first paragraph is the instructions. Values; pure. Errors: unsupported (a
// prompt of another form, such as a chat's).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace slipway::lab {

struct WorkedExample {
  std::string input, output;  // output: one or more lines
  friend bool operator==(const WorkedExample&, const WorkedExample&) = default;
};

struct PromptParts {
  std::string instructions;             // empty: none that are literal
  std::string middle;                   // up to the first worked example
  std::vector<WorkedExample> examples;  // none: they would stand before the asking line
  std::string rest;
  std::string ask, answer;  // "request: ", "call:"

  static Result<PromptParts> of(std::string_view source);
  std::string source() const;
};

// False when the text would be read as Jinja or break the form.
bool can_be_worked(const WorkedExample& example);

}  // namespace slipway::lab
