// Runs as JSON, written straight into the answer: a page of a search may hold 50,000 of them.
//
//     std::string out = R"({"run":)";
//     append_run(out, run);
//
// Doubles are the shortest that read back the same; NaN and infinities are texts, as in protobuf's
// JSON. Pure.
#pragma once

#include <string>

#include "json/value.h"
#include "store/tracking.h"

namespace slipway::serve {

void append_run(std::string& out, const store::TrackedRun& run);
void append_run_info(std::string& out, const store::TrackedRun& run);
// `run_id` empty: not shown.
void append_metric(std::string& out, const store::Metric& metric, std::string_view run_id);

}  // namespace slipway::serve
