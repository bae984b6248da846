// The figures of a report as `eval`, `show` and `compare` print them.
#pragma once

#include <ostream>

#include "eval/report.h"

namespace slipway::cli {

void print_figures(std::ostream& out, const eval::Report& report);

// Two reports side by side: the figures of calls, and every tag that both have.
void print_figures_of_both(std::ostream& out, const eval::Report& first,
                           const eval::Report& second);

}  // namespace slipway::cli
