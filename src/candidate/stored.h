// A candidate as text, and back: what a release and a reproduction are made of.
//
//     SLIPWAY_TRY(object, store->put_object(stored_text(candidate)));
//     SLIPWAY_TRY(again, read_candidate(*store->get_object(object), "formatted"));
//     again.id() == candidate.id();
//
// Unlike the canonical JSON of an id, the text keeps the order of members: that of a function's
// parameters is the order in which calls are written. Pure; thread-safe. Errors: corrupt.
#pragma once

#include <string>
#include <string_view>

#include "candidate/candidate.h"

namespace slipway::candidate {

std::string stored_text(const Candidate& candidate);
// `name` is for people, and becomes the prompt's name too: neither is part of a candidate.
Result<Candidate> read_candidate(std::string_view text, const std::string& name);

}  // namespace slipway::candidate
