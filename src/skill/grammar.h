// The call language of one set of signatures as a Constraint: the model can write nothing but a
// valid, canonical call.
//
// Canonical form only (keyword arguments in the signature's order, single quotes), so that greedy
// decoding and the evaluation speak of the same text. Strings are free (valid UTF-8 without control
// characters, not empty unless the schema says minLength 0) except for enums and maxLength;
// `pattern` is left to check_call. Functions with permission `deny` are no part of the language.
// Thread-safe; states are built lazily (a Thompson graph, determinised on demand), reading is
// lock-free.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "json/value.h"
#include "model/constraint.h"
#include "skill/call_form.h"
#include "skill/signature.h"

namespace slipway::skill {

struct GrammarOptions {
  int max_calls = 4;          // lines of calls in one answer
  bool allow_no_call = true;  // `none()`
  // Bound of strings whose schema has no maxLength. 0: the decoder's max_tokens is the bound, and a
  // string needs a handful of states instead of one per byte, so that the masks which the engine
  // remembers by state are shared.
  int max_string_bytes = 0;
  // python, and the JSON forms but functiongemma, whose marks are no text.
  CallForm form = CallForm::python;
};

std::shared_ptr<const model::Constraint> call_grammar(const SkillSet& skills,
                                                      const GrammarOptions& options = {});

// The JSON texts that fit a schema of somebody else, for response formats: members in the schema's
// order, one space after ':' and ','. Local $ref are followed. What the language cannot hold to
// (patterns, exact bounds of wide ranges, recursion) is left out, each with a note.
struct ValueGrammar {
  std::shared_ptr<const model::Constraint> constraint;
  std::vector<std::string> notes;
};
// Errors: invalid_input, unsupported, with the JSON path.
Result<ValueGrammar> value_grammar(const json::Value& schema);

}  // namespace slipway::skill
