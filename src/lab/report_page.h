// The report of a candidate as one HTML page: no script, nothing loaded from elsewhere, light and
// dark, fit for print.
//
//     SLIPWAY_CHECK(files::write_atomic("report.html", report_html(facts)));
//
// Every text of the store is escaped; the page's own policy forbids scripts besides. The same facts
// give the same bytes. Pure; thread-safe.
#pragma once

#include <string>

#include "lab/report_facts.h"

namespace slipway::lab {

std::string report_html(const ReportFacts& facts);
json::Value report_json(const ReportFacts& facts);

// The drawings (lab/report_svg.cc): inline SVG, coloured by the page's style.
std::string share_svg(const eval::Proportion& p);  // a bar with its interval
std::string curve_svg(const std::vector<CurvePoint>& points, const std::string& label);
std::string scaling_svg(const std::vector<ScalingPoint>& points);
std::string ladder_svg(const std::vector<NotebookEntry>& evaluations);

}  // namespace slipway::lab
