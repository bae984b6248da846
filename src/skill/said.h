// Arguments in the speaker's own words: inside a call language, a parameter marked
// `"x-slipway-said": true` takes nothing but what was said. A small model invents ("ljubljana" for
// "ljubica", "litres" for "liters"); here it can only choose where a copy begins and ends.
//
//     auto grammar = call_grammar(skills);                  // shared by all requests
//     auto own = as_said(grammar, {"play Baby Shark!"});    // this request's
//     // accepts music.play(title='baby shark'), not music.play(title='baby sharks')
//
// A value is a run of whole words of one text, in lower case (ASCII), what stands between the words
// as it was written or as one space, what stands around them left out; an abbreviation keeps its
// last point ("7 p.m."). Of scripts without spaces every character is a word (U+2E80 and above).
// Thread-safe; it holds only the states inside of such values, the others are the grammar's.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "model/constraint.h"

namespace slipway::skill {

// The grammar itself where it has no such parameter, is not of call_grammar, or nothing was said.
std::shared_ptr<const model::Constraint> as_said(std::shared_ptr<const model::Constraint> grammar,
                                                 const std::vector<std::string>& texts);

// Could this value be written?
bool is_said(std::string_view value, const std::vector<std::string>& texts);

}  // namespace slipway::skill
