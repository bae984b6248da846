// Feedback on an answer: a span on its trace, and a row of the dataset `.slipway/feedback.jsonl`
// when it is known what is right.
//
//     SLIPWAY_TRY(feedback, parse_feedback(body));   // {"trace_id", "correct", "output", "note"}
//     SLIPWAY_TRY(noted, give_feedback(service, feedback));
//     noted.path                                     // the dataset's file; empty: no row
//
// Thread-safe, also between processes. The row's id is made from the trace: later feedback on it
// replaces the row. Errors: not_found (trace), invalid_input (an output that is no valid call of
// the candidate), exhausted (the file is full).
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "json/value.h"
#include "serve/service.h"

namespace slipway::serve {

struct Feedback {
  std::string trace_id;
  bool correct = false;
  std::optional<std::string> output;  // what would have been right
  std::string note;
};

struct Noted {
  json::Value row;  // as it stands in the file; null: none
  std::string path;
};

Result<Feedback> parse_feedback(const json::Value& body);
Result<Noted> give_feedback(Service& service, const Feedback& feedback);

}  // namespace slipway::serve
