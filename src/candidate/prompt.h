// A prompt: a versioned Jinja template that turns an input into messages.
//
//     SLIPWAY_TRY(prompt, load_prompt("prompts/formatted.jinja"));
//     SLIPWAY_TRY(messages, render_prompt(prompt, {.text = "play baby shark"}, skills));
//
// The template sees `input` (the text), `context` (an object), `functions` (name, signature,
// description, parameters) and `tools` (OpenAI form). A line `=== system`, `=== user` or
// `=== assistant` starts a message; without any, the whole text is one user message. Earlier turns
// of the input come before the last user message. Values; thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "json/value.h"
#include "model/model.h"
#include "skill/signature.h"

namespace slipway::candidate {

struct Prompt {
  std::string name;    // the file's name without its ending
  std::string source;  // Jinja
};

// What is asked: a text or the last message of a conversation, and what was true when it was said.
struct Input {
  std::string text;
  std::vector<model::Message> history;  // earlier turns, oldest first
  json::Value context;                  // clock, locale, room, devices, memory ...
};

Result<Prompt> load_prompt(const std::string& path);

// At most `list_functions` functions are listed (candidate/retrieval.h); 0: all.
// Errors: invalid_input (template error, with its line; unknown role).
Result<std::vector<model::Message>> render_prompt(const Prompt& prompt, const Input& input,
                                                  const skill::SkillSet& skills,
                                                  int list_functions = 0);

// What a template sees as `functions`.
json::Value describe_functions(const std::vector<const skill::Function*>& functions);

// The texts that arguments may be copied from (skill/said.h): the request, what was said before,
// the values of earlier calls, and the texts of the context.
std::vector<std::string> said_in(const Input& input);

// The input as a dataset row, with what was answered: for the trace, and for feedback on it.
std::string row_of(const Input& input, const std::string& output);

}  // namespace slipway::candidate
